import json

import numpy as np
import polars
import pytest

import moncae


@pytest.fixture(scope="module")
def encoder(run):
    return run.export("best-loss")[0] / "encoder.onnx"


@pytest.mark.parametrize("flags", [
    {}, {"dtype": "float16"}, {"dtype": "int8"}, {"format": "stream"}, {"format": "parquet"}, {"format": "parquet", "dtype": "int8"},
    {"layout": "list"}, {"layout": "list", "format": "parquet"}, {"shard_rows": 250}, {"compression": "zstd"},
], ids=str)
def test_every_kind_of_file(encoder, model, digits, tmp_path, flags):
    latents = moncae.compress(encoder, digits[0], tmp_path / "out", labels=digits[1], **flags)
    wanted = model.encode(digits[0])
    assert len(latents) == len(wanted) and latents.report["rows"] == len(wanted)
    span = wanted.max() - wanted.min()
    atol = {"float16": span / 500, "int8": span / 250}.get(flags.get("dtype"), 1e-5)
    np.testing.assert_allclose(latents.numpy(), wanted, atol=atol)
    np.testing.assert_array_equal(latents.labels, digits[1])
    np.testing.assert_array_equal(latents.ids, np.arange(len(wanted)))
    frame = latents.to_pandas()
    np.testing.assert_array_equal(np.stack(frame["latent"]), latents.numpy().reshape(len(wanted), -1))
    polar = latents.to_polars()
    assert polar["latent"].dtype == polars.Array(polars.Float32, int(np.prod(latents.shape)))
    assert polar["label"].to_list() == digits[1].tolist()
    assert latents.to_hf()[7]["latent"] == latents.numpy()[7].reshape(-1).tolist()


def test_a_file_is_not_copied(encoder, digits, tmp_path):
    latents = moncae.compress(encoder, digits[0], tmp_path / "out.arrow")
    assert not latents.numpy().flags.writeable and np.shares_memory(latents.numpy(), latents.stored)
    assert latents.labels is None


def test_damage(encoder, digits, tmp_path):
    with pytest.raises(ValueError, match="isn't there"):
        moncae.open_latents(tmp_path / "nothing.arrow")
    moncae.compress(encoder, digits[0], tmp_path / "out.arrow")
    content = (tmp_path / "out.arrow").read_bytes()
    for damaged in (content[:-100], b"ARROW1" + b"\0" * 50, b"", b"text"):
        (tmp_path / "bad.arrow").write_bytes(damaged)
        with pytest.raises(moncae.DamagedFile, match="bad.arrow"):
            moncae.open_latents(tmp_path / "bad.arrow")
    (tmp_path / "shards").mkdir()
    with pytest.raises(moncae.DamagedFile, match="_manifest.json"):
        moncae.open_latents(tmp_path / "shards")
    for manifest in ("{", "[]", '{"shards": [{"file": "none.arrow"}]}', '{"shards": []}'):
        (tmp_path / "shards" / "_manifest.json").write_text(manifest)
        with pytest.raises(moncae.DamagedFile, match="shards: "):
            moncae.open_latents(tmp_path / "shards")


def test_images_come_back(encoder, digits, tmp_path):
    for model, name in ((encoder.parent, "a"), (moncae.Autoencoder.load(encoder), "b")):
        latents = moncae.compress(model, digits[0][:5], tmp_path / f"{name}.arrow")
        moncae.decompress(model, latents, tmp_path / name)
        assert len(list((tmp_path / name).rglob("*.png"))) == 5


def test_no_split_is_all_images(encoder, digits, tmp_path):
    assert len(moncae.compress(encoder, digits[0][:50], tmp_path / "out.arrow", split=None)) == 50


def test_errors_name_no_file_of_ours(encoder, digits, tmp_path):
    with pytest.raises(ValueError, match=r"^the data given is 9×9 \(height×width\), 12×12 are needed"):
        moncae.compress(encoder, digits[0][:, :9, :9], tmp_path / "out.arrow")
    assert not (tmp_path / "out.arrow").exists()


def test_classify(encoder, digits, tmp_path):
    parts = {"train": slice(0, 400), "test": slice(400, None)}
    latents = {name: moncae.compress(encoder, (digits[0][part], digits[1][part]), tmp_path / f"{name}.arrow") for name, part in parts.items()}
    report = moncae.classify(**latents, out=tmp_path / "head")
    assert report["rows"] == 200 and report["accuracy"] > 0.9
    assert report == json.loads((tmp_path / "head" / "report.json").read_text())
