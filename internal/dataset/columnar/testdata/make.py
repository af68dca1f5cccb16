#!/usr/bin/env python3
"""Make Parquet and Arrow files with images: image i is 2×3 grey PNG of value 10·i.

    python make.py        # pyarrow 17 or newer, polars, Pillow
"""
import io
import json
import pathlib

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

OUT = pathlib.Path(__file__).parent


def png(v):
    b = io.BytesIO()
    Image.fromarray(np.full((2, 3), v, np.uint8)).save(b, "png")
    return b.getvalue()


images = [png(10 * i) for i in range(7)]
labels = [0, 1, 2, 0, 1, 2, 0]
structs = pa.array([{"bytes": b, "path": f"{i}.png"} for i, b in enumerate(images)], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
meta = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["ant", "bee", "cat"], "_type": "ClassLabel"}}}})}
hf = pa.table({"image": structs, "label": pa.array(labels, pa.int64())}).replace_schema_metadata(meta)
(OUT / "shards").mkdir(exist_ok=True)
pq.write_table(hf.slice(0, 3), OUT / "shards/train-00000-of-00002.parquet", row_group_size=2)
pq.write_table(hf.slice(3, 2), OUT / "shards/train-00001-of-00002.parquet", compression="zstd")
pq.write_table(hf.slice(5, 2), OUT / "shards/test-00000-of-00001.parquet")
words = pa.table({"picture": pa.array(images, pa.large_binary()), "id": range(7), "class": pa.array(["ox", "hen", "ox", None, "hen", "ape", "ox"]).dictionary_encode()})
pq.write_table(words, OUT / "words.parquet")
with pa.ipc.new_stream(OUT / "words.arrow", words.schema) as w:
    w.write_table(words, max_chunksize=3)
pixels = np.repeat(np.arange(7, dtype=np.uint8) * 10, 6)
tensor = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), [1, 2, 3]), pa.FixedSizeListArray.from_arrays(pa.array(pixels), 6))
t = pa.table({"image": tensor, "label": pa.array(labels, pa.uint8())})
with pa.ipc.new_file(OUT / "tensor.arrow", t.schema) as w:
    w.write_table(t, max_chunksize=4)
broken = pa.table({"image": pa.array([images[0], None, images[2]], pa.binary())})
pq.write_table(broken, OUT / "null.parquet")
pq.write_table(pa.table({"a": [1], "b": ["x"]}), OUT / "bad-columns.parquet")
pq.write_table(pa.table({"image": images[:1], "label": [-7]}), OUT / "bad-label.parquet")
frame = pl.DataFrame({"image": images[:3], "label": ["b", "a", "b"]})
frame.write_ipc(OUT / "polars.arrow", compat_level=pl.CompatLevel.oldest())
frame.write_ipc(OUT / "views.arrow")
frame.with_columns(pl.col("label").cast(pl.Categorical)).write_ipc(OUT / "categories.arrow", compression="zstd")

# A page whose header is zeroed, in each of two columns; arrow-go takes it for the column's end.
forty = [png(i) for i in range(40)]
for column in "image", "label":
    path = OUT / f"damaged-{column}.parquet"
    pq.write_table(pa.table({"image": forty, "label": pa.array(range(40), pa.int32())}), path,
                   compression="none", use_dictionary=False, write_batch_size=10, data_page_size=1, write_statistics=False)
    raw = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(0 if column == "image" else 1)
    end = chunk.data_page_offset + chunk.total_compressed_size
    at = raw.index(forty[30], chunk.data_page_offset, end) if column == "image" else end - 40
    raw[at - 30:at - 10] = bytes(20)  # the header, before the lengths
    path.write_bytes(raw)
pq.write_table(pa.table({"image": forty[:7], "score": pa.array(np.arange(7, dtype=np.float32))}), OUT / "split-stream.parquet",
               use_dictionary=False, column_encoding={"score": "BYTE_STREAM_SPLIT"})
# An end mark where the second of four batches was, in a file and in a stream.
for kind, new in ("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream):
    path = OUT / f"damaged-{kind}.arrow"
    with new(path, words.schema.remove(2)) as w:
        w.write_table(words.drop_columns("class"), max_chunksize=2)
    raw = bytearray(path.read_bytes())
    marks = [i for i in range(0, len(raw) - 8, 8) if raw[i:i + 4] == b"\xff\xff\xff\xff" and raw[i + 4:i + 8] != bytes(4)]
    raw[marks[2] + 4:marks[2] + 8] = bytes(4)
    path.write_bytes(raw)
