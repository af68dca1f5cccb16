import json
import pickle
import shutil

import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet
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


def shards(encoder, digits, place):
    moncae.compress(encoder, digits[0], place, labels=digits[1], shard_rows=200)
    return place


def test_shards_are_held_against_their_manifest(encoder, digits, tmp_path):
    parts = [f"part-{i:05}.arrow" for i in range(3)]

    def exchange(place):
        (place / parts[0]).rename(place / "other")
        (place / parts[1]).rename(place / parts[0])
        (place / "other").rename(place / parts[1])

    def flip(place):
        content = bytearray((place / parts[1]).read_bytes())
        content[len(content) // 2] ^= 1
        (place / parts[1]).write_bytes(content)

    def manifest(change):
        def do(place):
            document = json.loads((place / "_manifest.json").read_text())
            change(document)
            (place / "_manifest.json").write_text(json.dumps(document))
        return do

    for i, (damage, says, verify) in enumerate([
        (exchange, "part-00000.arrow has the ids 200 to 399", False),
        (lambda place: shutil.copy(place / parts[0], place / parts[1]), "part-00001.arrow has the ids 0 to 199", False),
        (manifest(lambda m: m["shards"][0].update(rows=199)), "counts 600 rows, its shards 599", False),
        (manifest(lambda m: (m["shards"][0].update(rows=199), m.update(rows=599))), "part-00000.arrow has 200 rows", False),
        (manifest(lambda m: m["shards"][0].update(file="../0/part-00000.arrow")), "outside its folder", False),
        (lambda place: (place / parts[2]).write_bytes((place / parts[2]).read_bytes()[:-8]), "part-00002.arrow has", False),
        (flip, "the SHA-256 of part-00001.arrow", True),
    ]):
        place = shards(encoder, digits, tmp_path / str(i))
        assert len(moncae.open_latents(place, verify=True)) == 600
        damage(place)
        with pytest.raises(moncae.DamagedFile, match=says):
            moncae.open_latents(place, verify=verify)


SHAPE = {"moncae.shape": "[3, 2, 2]"}
QUANT = {**SHAPE, "moncae.quant.scale": "[1, 1, 1]", "moncae.quant.zero_point": "[0, 0, 0]"}
LIST = pa.list_(pa.float32())
FIXED = pa.list_(pa.float32(), 12)
ROWS = [[float(i) for i in range(12)], [0.0] * 12]


@pytest.mark.parametrize(("change", "metadata", "says"), [
    ({"latent": pa.array(ROWS, FIXED)}, {}, "no metadata moncae.shape"),
    ({"latent": pa.array(ROWS, FIXED)}, {"moncae.shape": "[3, 2]"}, "C×H×W is wanted"),
    ({"latent": pa.array(ROWS, FIXED)}, {"moncae.shape": "[3, 2, 3]"}, "latents of 12 values"),
    ({"latent": pa.array([ROWS[0], ROWS[0] * 2], LIST)}, SHAPE, "latents of 12, 24 values"),
    ({"latent": pa.array([ROWS[0], None], FIXED)}, SHAPE, "the column latent has 1 nulls"),
    ({"latent": pa.array([ROWS[0], None], LIST)}, SHAPE, "the column latent has 1 nulls"),
    ({"latent": pa.array([ROWS[0], [None] * 12], LIST)}, SHAPE, "null values"),
    ({"latent": pa.array(["a", "b"])}, SHAPE, "latent is string: a list is wanted"),
    ({"latent": pa.array([["a"] * 12] * 2)}, SHAPE, "float32, float16 or int8"),
    ({"latent": pa.array([[1] * 12] * 2, pa.list_(pa.int8(), 12))}, SHAPE, "no metadata moncae.quant.scale"),
    ({"latent": pa.array([[1] * 12] * 2, pa.list_(pa.int8(), 12))}, {**QUANT, "moncae.quant.scale": "[1]"}, "a number for each of 3"),
    ({"id": None}, SHAPE, "no column id"), ({"label": None}, SHAPE, "no column label"), ({"latent": None}, SHAPE, "no column latent"),
    ({"id": pa.array(["a", "b"])}, SHAPE, "the column id is string"), ({"id": pa.array([0, None])}, SHAPE, "the column id has 1 nulls"),
    ({"label": pa.array(["a", "b"])}, SHAPE, "the column label is string"),
], ids=str)
@pytest.mark.parametrize("format", ["arrow", "parquet"])
def test_columns_that_are_no_latents(tmp_path, change, metadata, says, format):
    whole = {"id": pa.array([0, 1]), "latent": pa.array(ROWS, FIXED), "label": pa.array([0, None], pa.int64())}
    assert moncae.open_latents(written(tmp_path / "whole", pa.table(whole).replace_schema_metadata(SHAPE), format)).numpy().shape == (2, 3, 2, 2)
    table = pa.table({name: column for name, column in (whole | change).items() if column is not None}).replace_schema_metadata(metadata)
    with pytest.raises(moncae.DamagedFile, match=f"^.*bad: .*{says}"):
        moncae.open_latents(written(tmp_path / "bad", table, format))


def written(path, table, format):
    if format == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        with pa.OSFile(str(path), "wb") as f, pa.ipc.new_file(f, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize("flags", [{}, {"dtype": "int8"}, {"shard_rows": 70}, {"shard_rows": 70, "dtype": "float16"}], ids=str)
def test_rows_are_decoded_alone(encoder, digits, tmp_path, flags, monkeypatch):
    latents = moncae.compress(encoder, digits[0], tmp_path / "out", **flags)
    whole, ids = latents.numpy(), np.array([5, 599, 0, 71, -1])
    rows = (0, -1, np.int64(71), 599, slice(60, 150), slice(None, None, -7), slice(5, 5), ids, [3, 3], ids % 600 > 70, (5, 0), (slice(65, 75), 0), (ids, 0), ..., (..., 0), None, [], True, [[1, 2]])
    for given in rows:
        given = np.arange(600) % 7 == 0 if isinstance(given, np.ndarray) and given.dtype == bool else given
        np.testing.assert_array_equal(latents[given], whole[given])
    with pytest.raises(IndexError):
        latents[600]
    assert sum(1 for _ in latents) == 600
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(latents))[70:72], whole[70:72])
    monkeypatch.setattr(moncae.Latents, "numpy", lambda _: pytest.fail("all rows were decoded"))
    for given in (3, slice(60, 150), ids, (3, 0)):
        assert latents[given].size


def test_numpys_of_before_2_have_no_copying_where_needed(encoder, digits, tmp_path, monkeypatch):
    latents, array = moncae.compress(encoder, digits[0][:9], tmp_path / "out.arrow"), np.array

    def old(*values, copy=True, **others):
        assert copy is not None, "NoneType copy mode not allowed."
        return array(*values, copy=copy, **others)

    monkeypatch.setattr(np, "array", old)
    assert latents.__array__() is not None and latents.__array__(np.float64).dtype == np.float64
    assert np.shares_memory(latents.__array__(copy=False), latents.stored) and not np.shares_memory(latents.__array__(copy=True), latents.stored)
    with pytest.raises(ValueError, match="have to be copied"):
        latents.__array__(np.float64, copy=False)


def test_images_come_back(encoder, digits, tmp_path):
    for model, name in ((encoder.parent, "a"), (moncae.Autoencoder.load(encoder), "b")):
        latents = moncae.compress(model, digits[0][:5], tmp_path / f"{name}.arrow")
        moncae.decompress(model, latents, tmp_path / name)
        assert len(list((tmp_path / name).rglob("*.png"))) == 5


def test_no_split_is_all_images(encoder, digits, tmp_path):
    assert len(moncae.compress(encoder, digits[0][:50], tmp_path / "out.arrow", split=None)) == 50


def test_a_decoder_is_given_as_to_decompress(encoder, digits, tmp_path):
    reports = [moncae.compress(encoder, digits[0][:50], tmp_path / f"{i}.arrow", decoder=given).report
               for i, given in enumerate((encoder.parent, moncae.Autoencoder.load(encoder), encoder.parent / "decoder.onnx"))]
    assert reports[0]["quality"] == reports[1]["quality"] == reports[2]["quality"]


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

    for i, given in enumerate((encoder, encoder.parent, moncae.Autoencoder.load(encoder))):
        moncae.classify(**latents, encoder=given, out=tmp_path / f"pipeline{i}")
        assert (tmp_path / f"pipeline{i}" / "pipeline.onnx").exists()


@pytest.mark.parametrize("apart", [True, False])
def test_baselines_of_arrays(encoder, digits, tmp_path, apart):
    data = {"train": (digits[0][:400], digits[1][:400]), "test": (digits[0][400:], digits[1][400:])} if apart else digits
    latents = {name: moncae.compress(encoder, data, tmp_path / f"{name}.arrow", split=name) for name in ("train", "test")}
    report = moncae.classify(**latents, baselines=True, data=data, out=tmp_path / "head")
    assert report["baselines"]
    with pytest.raises(ValueError, match="the data given"):
        moncae.classify(**latents, baselines=True, data=(digits[0][:100], digits[1][:100]), out=tmp_path / "other")
