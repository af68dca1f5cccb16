"""Latents, read by tools that moncae doesn't own, and computed again with ONNX Runtime and numpy."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

import datasets
import duckdb
import numpy as np
import onnx
import onnxruntime
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
DTYPES = ["float32", "float16", "int8"]
WAYS = [
    "file-tensor-none.arrow", "file-tensor-zstd.arrow", "file-tensor-lz4.arrow", "file-list-none.arrow",
    "stream-tensor-none.arrows", "stream-list-zstd.arrows", "parquet-list-none.parquet", "parquet-list-zstd.parquet",
]


def go(test, out):
    # Both sides on one library: bits are compared.
    library = pathlib.Path(onnxruntime.__file__).parent / "capi"
    env = dict(os.environ, MONCAE_LATENT_VECTORS=str(out), MONCAE_ONNXRUNTIME=str(library))
    command = ["go", "test", "./compress", "-run", f"^{test}$", "-count=1", "-v"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "--- SKIP" in done.stdout:
        pytest.skip(done.stdout)
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("latents")
    go("TestWriteVectors", out)
    return out


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def encode(encoder, pixels, batch):
    """What a plain Python loop makes of N×C×H×W bytes."""
    run = session(encoder)
    x = pixels.astype(np.float32) / np.float32(255)
    return np.concatenate([run.run(None, {"image": x[i : i + batch]})[0] for i in range(0, len(x), batch)])


@pytest.fixture(scope="module")
def digits(folder):
    pixels = np.load(folder / "digits" / "images.npy")
    return pixels, encode(folder / "digits" / "encoder.onnx", pixels, 64)


def quantise(z):
    lo, hi = np.minimum(z.min((0, 2, 3)), 0).astype(float), np.maximum(z.max((0, 2, 3)), 0).astype(float)
    scale = (hi - lo) / 253
    scale[scale == 0] = 1
    zero = np.rint(-127 - lo / scale)
    by_channel = (1, -1, 1, 1)
    q = np.rint(z.astype(float) / scale.reshape(by_channel)) + zero.reshape(by_channel)
    return np.clip(q, -128, 127).astype(np.int8), scale, zero


def stored(z, dtype):
    return quantise(z)[0] if dtype == "int8" else z.astype(dtype)


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".arrows":
        return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def values(column, shape):
    chunks = []
    for c in column.chunks:
        if isinstance(c, pa.FixedShapeTensorArray):
            assert c.type.shape == list(shape) and c.type.dim_names == ["C", "H", "W"]
            chunks.append(c.to_numpy_ndarray())
        else:
            chunks.append(c.flatten().to_numpy(zero_copy_only=False).reshape(-1, *shape))
    return np.concatenate(chunks)


def fingerprint(pixels, labels):
    shape = np.array(pixels.shape[1:], "<i8").tobytes()
    classes = labels.fill_null(-1).to_numpy().astype("<i4").tobytes()
    return hashlib.sha256(shape + hashlib.sha256(pixels.tobytes()).digest() + hashlib.sha256(classes).digest()).hexdigest()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def crc32c_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


CRC32C = list(crc32c_table())


def check_digits(data, found, rest=b""):
    """found matches what stands in data around its eight digits."""
    zeroed = data[: found.start(1)] + b"00000000" + data[found.end(1) :]
    assert found[1] == b"%08x" % crc32c(zeroed + rest)


@pytest.mark.parametrize("way", WAYS)
def test_checksums(folder, way):
    assert crc32c(b"123456789") == 0xE3069283  # of RFC 3720
    data = (folder / "digits" / f"int8-{way}").read_bytes()
    if way.endswith("parquet"):
        check_digits(data, re.search(rb"moncae\.crc32c\x18\x08([0-9a-f]{8})", data))
        return
    digits = re.compile(rb"\x08\0\0\0([0-9a-f]{8})\0")
    messages = 0
    for message in pa.ipc.MessageReader.open_stream(data[8:] if way.startswith("file") else data):
        metadata = message.metadata.to_pybytes()
        assert b"moncae.crc32c" in metadata
        check_digits(metadata, digits.search(metadata), message.body.to_pybytes() if message.body else b"")
        messages += 1
    assert messages >= 2
    if way.startswith("file"):
        length = int.from_bytes(data[-10:-6], "little")
        footer = data[-10 - length : -10]
        check_digits(footer, digits.search(footer))


def test_fingerprint_is_in_both_schemas_of_a_file(folder, digits):
    path = folder / "digits" / "float32-file-tensor-none.arrow"
    want = fingerprint(digits[0], read(path)["label"])
    at_the_beginning = pa.ipc.open_stream(path.read_bytes()[8:]).schema
    at_the_end = pa.ipc.open_file(path).schema
    assert at_the_beginning.metadata[b"moncae.fingerprint"] == at_the_end.metadata[b"moncae.fingerprint"] == want.encode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_those_of_onnxruntime(folder, digits, dtype, way):
    pixels, z = digits
    table = read(folder / "digits" / f"{dtype}-{way}")
    table.validate(full=True)
    got = values(table["latent"], z.shape[1:])
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, stored(z, dtype))  # bit for bit
    meta = {k.decode(): v.decode() for k, v in table.schema.metadata.items() if k.startswith(b"moncae.")}
    assert meta["moncae.latents"] == "1" and json.loads(meta["moncae.shape"]) == list(z.shape[1:])
    assert json.loads(meta["moncae.classes"]) == list("0123456789")
    assert meta["moncae.fingerprint"] == fingerprint(pixels, table["label"])
    for half in "encoder", "decoder":
        graph = onnx.load(folder / "digits" / f"{half}.onnx").graph
        assert meta[f"moncae.{half}"] == hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()
    if dtype == "int8":
        _, scale, zero = quantise(z)
        assert json.loads(meta["moncae.quant.scale"]) == scale.tolist()
        assert json.loads(meta["moncae.quant.zero_point"]) == zero.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_is_what_the_decoder_loses(folder, digits, dtype):
    pixels, z = digits
    name = f"digits/{dtype}-file-tensor-none.arrow"
    if dtype == "int8":
        q, scale, zero = quantise(z)
        z = (scale.reshape(1, -1, 1, 1) * (q.astype(float) - zero.reshape(1, -1, 1, 1))).astype(np.float32)
    images = session(folder / "digits" / "decoder.onnx").run(None, {"latent": z.astype(dtype if dtype == "float16" else np.float32).astype(np.float32)})[0]
    x = pixels.astype(np.float32) / np.float32(255)
    want = ((x.astype(float) - images.astype(float)) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(read(folder / name)["error"].to_numpy(), want, rtol=1e-5)
    report = json.loads((folder / "reports.json").read_text())[name]
    assert report["sample_rows"] == 300 and report["bytes_raw"] == pixels.nbytes
    assert report["quality"]["mse"] == pytest.approx(want.mean(), rel=1e-6)
    assert report["quality"]["psnr"] == pytest.approx(-10 * np.log10(want.mean()), abs=1e-5)
    assert report["bytes_out"] == (folder / name).stat().st_size


def test_file_maps_without_a_copy(folder, digits):
    before = pa.total_allocated_bytes()
    table = read(folder / "digits" / "float32-file-tensor-none.arrow")
    array = table["latent"].chunk(0).to_numpy_ndarray()
    assert pa.total_allocated_bytes() == before
    assert not array.flags.owndata
    np.testing.assert_array_equal(array, digits[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_polars(folder, digits, dtype):
    want = stored(digits[1], dtype).reshape(300, -1)
    for way in "file-tensor-none.arrow", "file-list-none.arrow", "parquet-list-zstd.parquet":
        path = folder / "digits" / f"{dtype}-{way}"
        frame = pl.read_parquet(path) if way.endswith("parquet") else pl.read_ipc(path)
        np.testing.assert_array_equal(np.array(frame["latent"].to_list(), want.dtype), want)
        assert frame["id"].to_list() == read(path)["id"].to_pylist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_duckdb(folder, digits, dtype):
    want = stored(digits[1], dtype).reshape(300, -1)
    held = read(folder / "digits" / f"{dtype}-stream-list-zstd.arrows")
    if dtype == "float16":  # DuckDB has no such type
        held = held.set_column(1, "latent", held["latent"].cast(pa.list_(pa.float32(), want.shape[1])))
    rows = duckdb.sql("select latent, label from held order by id").fetchall()
    np.testing.assert_array_equal(np.array([r[0] for r in rows], want.dtype), want)
    assert [r[1] for r in rows] == held["label"].to_pylist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_hugging_face(folder, digits, dtype, tmp_path):
    path = folder / "digits" / f"{dtype}-stream-list-zstd.arrows"
    data = datasets.Dataset.from_file(str(path)).with_format("numpy")
    got = np.stack([row["latent"] for row in data])
    np.testing.assert_array_equal(got, stored(digits[1], dtype).reshape(300, -1))


def test_photos_have_paths_and_labels(folder):
    images = folder / "photos" / "images"
    paths = sorted(p.relative_to(images).as_posix() for p in images.rglob("*.png"))
    pixels = np.stack([np.asarray(Image.open(images / p).convert("RGB")).transpose(2, 0, 1) for p in paths])
    table = read(folder / "photos" / "latents.arrow")
    assert table["path"].to_pylist() == paths and table["id"].to_pylist() == list(range(50))
    classes = json.loads(table.schema.metadata[b"moncae.classes"])
    assert [classes[i] for i in table["label"].to_pylist()] == [p.split("/")[0] for p in paths]
    z = encode(folder / "photos" / "encoder.onnx", pixels, 16)
    np.testing.assert_array_equal(values(table["latent"], z.shape[1:]), z)


def test_shards_are_the_file_in_pieces(folder):
    shards = folder / "photos" / "shards"
    manifest = json.loads((shards / "_manifest.json").read_text())
    assert [s["rows"] for s in manifest["shards"]] == [20, 20, 10] and manifest["rows"] == 50
    assert manifest["fingerprint"] == read(folder / "photos" / "latents.arrow").schema.metadata[b"moncae.fingerprint"].decode()
    tables = []
    for s in manifest["shards"]:
        content = (shards / s["file"]).read_bytes()
        assert len(content) == s["bytes"] and hashlib.sha256(content).hexdigest() == s["sha256"]
        tables.append(read(shards / s["file"]))
        assert [tables[-1]["id"][0].as_py(), tables[-1]["id"][-1].as_py()] == s["ids"]
    assert pa.concat_tables(tables).equals(read(folder / "photos" / "latents.arrow"))


def test_decompressed_images(folder):
    photos = folder / "photos"
    table = read(photos / "latents.arrow")
    z = values(table["latent"], (2, 4, 4))
    run = session(photos / "decoder.onnx")
    want = np.concatenate([run.run(None, {"latent": z[i : i + 16]})[0] for i in range(0, 50, 16)])
    want = np.clip(np.rint(want.astype(float) * 255), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(np.load(photos / "back.npy"), want)
    back = read(photos / "back.arrow")
    np.testing.assert_array_equal(values(back["image"], (3, 8, 8)), want)
    for i, path in enumerate(table["path"].to_pylist()):
        m = np.asarray(Image.open(photos / "back" / path)).transpose(2, 0, 1)
        np.testing.assert_array_equal(m, want[i])


def test_moncae_reads_what_others_write(folder):
    out = folder / "pyarrow"
    out.mkdir()
    z = np.arange(7 * 12, dtype=np.float32).reshape(7, 2, 3, 2) / 8
    flat = pa.array(z.reshape(-1))
    columns = {"id": pa.array(range(7), pa.int64()), "label": pa.array(range(7), pa.int64())}
    shape = {"moncae.shape": "[2,3,2]"}
    quant = {"moncae.quant.scale": "[0.125,0.125]", "moncae.quant.zero_point": "[-50,-50]"} | shape
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray
    offsets = pa.array(range(0, 85, 12), pa.int32())
    tables = {
        "tensor": pa.table({"latent": tensor(z)} | columns),
        "half": pa.table({"latent": tensor(z.astype(np.float16))} | columns),
        "fixed": pa.table({"latent": pa.FixedSizeListArray.from_arrays(flat, 12)} | columns, metadata=shape),
        "list": pa.table({"latent": pa.ListArray.from_arrays(offsets, flat)} | columns, metadata=shape),
        "large": pa.table({"latent": pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), flat)} | columns, metadata=shape),
        "int8": pa.table({"latent": tensor((z * 8 - 50).astype(np.int8))} | columns, metadata=quant),
        "paths": pa.table({"latent": tensor(z), "path": [f"p/{i}.png" for i in range(7)], "mine": [None] * 7} | columns),
    }
    for name, table in tables.items():
        for compression in None, "lz4", "zstd":
            options = pa.ipc.IpcWriteOptions(compression=compression)
            for kind, new in ("arrow", pa.ipc.new_file), ("arrows", pa.ipc.new_stream):
                with new(str(out / f"{name}-{compression}.{kind}"), table.schema, options=options) as w:
                    w.write_table(table, max_chunksize=3)
    pq.write_table(tables["list"], out / "list.parquet", row_group_size=4)
    pq.write_table(tables["fixed"], out / "fixed.parquet", compression="zstd")
    for compression in "uncompressed", "lz4", "zstd":  # with views for strings, and a schema in the footer alone
        read = pl.read_ipc_stream(out / "paths-None.arrows")
        read.write_ipc(out / f"polars-{compression}.arrow", compression=compression)
        read.write_ipc_stream(out / f"polars-{compression}.arrows", compression=compression)
    assert "50 files" in go("TestReadVectors", folder)


def test_numbers_that_are_none_are_no_pixels(folder, tmp_path):
    """Of others' files, for moncae writes none such."""
    table = read(folder / "photos" / "latents.arrow")
    z = values(table["latent"], (2, 4, 4)).copy()
    z[7, 1, 2, 3] = np.nan
    table = pa.table({"id": table["id"], "latent": pa.FixedShapeTensorArray.from_numpy_ndarray(z)})
    with pa.ipc.new_file(str(tmp_path / "nan.arrow"), table.schema) as writer:
        writer.write_table(table)
    command = [ROOT / "bin/moncae", "decompress", "--decoder", folder / "photos/decoder.onnx", "--force", "--in", tmp_path / "nan.arrow", "--out", tmp_path / "x.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3 and f"the latent of image {table['id'][7]} holds NaN" in done.stderr, done.stderr
    assert not (tmp_path / "x.npy").exists()


PAGE = (ROOT / "docs" / "format" / "latents.md").read_text()


@pytest.mark.parametrize("block", range(len(re.findall(r"```python", PAGE))))
def test_examples_of_the_format_page(request, folder, digits, tmp_path, monkeypatch, block):
    kind, code = re.findall(r"```python([^\n]*)\n(.*?)```", PAGE, re.S)[block]
    source = folder / "digits"
    for name, way in {
        "latents.arrow": "float32-file-tensor-none.arrow",
        "latents-int8.arrow": "int8-file-tensor-none.arrow",
        "latents-list.arrows": "float32-stream-list-zstd.arrows",
        "decoder.onnx": "decoder.onnx",
    }.items():
        shutil.copy(source / way, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    if "torch" in kind:
        save = "\nimport numpy\nnumpy.save('latents.npy', latents.numpy())\n"
        done = subprocess.run([request.getfixturevalue("torch_python"), "-c", code + save], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        names["latents"] = np.load("latents.npy")
    else:
        exec(compile(code, f"latents.md, example {block}", "exec"), names)
    if "latents" in names and "mine.arrow" not in code:
        z = np.asarray(names["latents"])
        want = digits[1][: len(z)]
        atol = 0 if "int8" not in code else np.abs(want).max() / 100
        np.testing.assert_allclose(z, want, rtol=0, atol=atol)
