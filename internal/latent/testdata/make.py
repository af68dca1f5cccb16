"""Writes polars.arrow: seven latents of 2×3×2, with labels and paths, as polars 2.1 stores them.

pyarrow 26, polars 2.1: python make.py
"""
import pathlib

import numpy as np
import polars as pl
import pyarrow as pa

ROWS, SHAPE = 7, (2, 3, 2)
values = np.arange(ROWS * np.prod(SHAPE), dtype=np.float32).reshape(ROWS, *SHAPE) / 8
table = pa.table({
    "latent": pa.FixedShapeTensorArray.from_numpy_ndarray(values),
    "id": pa.array(range(ROWS), pa.int64()),
    "label": pa.array(range(ROWS), pa.int64()),
    "path": [f"a folder/{row}.png" for row in range(ROWS)],
})
pl.from_arrow(table).write_ipc(pathlib.Path(__file__).parent / "polars.arrow", compression="zstd")
