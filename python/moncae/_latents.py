"""Files of latents (docs/format/latents.md), opened without a copy where they allow it."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow  # pyright: ignore[reportMissingTypeStubs]

from .errors import DamagedFile, MissingLibrary

_arrow: Any = pyarrow  # which has no types of its own


def open_latents(path: str | os.PathLike[str]) -> Latents:
    """Opens what `moncae compress` wrote: an Arrow file or stream, a Parquet file, or
    a folder of shards.

    Raises:
        ValueError: there is no such file.
        DamagedFile: it isn't a whole file of latents.
    """
    place = pathlib.Path(path)
    if not place.exists():
        raise ValueError(f"{place} isn't there")
    manifest = place / "_manifest.json"
    if place.is_dir() and not manifest.is_file():
        raise DamagedFile(f"{place} isn't complete: there is no _manifest.json in it; go on with it by moncae compress --resume")
    try:
        tables = [_read(file) for file in (_shards(manifest) if place.is_dir() else [place])]
        table = tables[0] if len(tables) == 1 else _arrow.concat_tables(tables)
        return Latents(place, table)
    except (_arrow.ArrowException, OSError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DamagedFile(f"{place}: {str(error).splitlines()[0]}") from error


def _shards(manifest: pathlib.Path) -> list[pathlib.Path]:
    return [manifest.parent / shard["file"] for shard in json.loads(manifest.read_text(encoding="utf-8"))["shards"]]


def _read(file: pathlib.Path) -> Any:
    with file.open("rb") as f:
        magic = f.read(6)
    if magic.startswith(b"PAR1"):
        import pyarrow.parquet  # pyright: ignore[reportMissingTypeStubs, reportUnusedImport]

        return _arrow.parquet.read_table(file)
    source = _arrow.memory_map(os.fspath(file))
    return (_arrow.ipc.open_file(source) if magic == b"ARROW1" else _arrow.ipc.open_stream(source)).read_all()


class Latents:
    """Latents of images, with what is known of them.

    `latents[i]` and `latents[a:b]` are dequantised values, float32.

    Attributes:
        table: the pyarrow Table.
        shape: (c, h, w) of a latent.
        metadata: of the schema, without "moncae.".
        report: what `moncae compress` said of it, where this came from there.
    """

    def __init__(self, path: pathlib.Path, table: Any) -> None:
        self.path, self.table, self.report = path, table, dict[str, Any]()
        raw: dict[bytes, bytes] = table.schema.metadata or {}
        self.metadata: dict[str, str] = {k.decode().removeprefix("moncae."): v.decode() for k, v in raw.items() if k.startswith(b"moncae.")}
        column = table.schema.field("latent").type
        sides = json.loads(self.metadata["shape"]) if "shape" in self.metadata else column.shape
        self.shape: tuple[int, int, int] = (int(sides[0]), int(sides[1]), int(sides[2]))
        if table.num_rows and self.stored.shape[1:] != self.shape:
            raise ValueError(f"latents of {self.stored.shape[1:]}, the metadata say {self.shape}")

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def stored(self) -> npt.NDArray[Any]:
        """The values as they are stored, N×c×h×w: float32, float16 or int8. A view
        of the file where that is one uncompressed Arrow batch."""
        chunks = [_values(chunk).reshape(-1, *self.shape) for chunk in self.table["latent"].chunks]
        if not chunks:
            return np.empty((0, *self.shape), np.float32)
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)

    def numpy(self) -> npt.NDArray[np.float32]:
        """The values, float32 N×c×h×w: the view itself where they are stored so."""
        stored = self.stored
        if stored.dtype == np.float32:
            return stored
        if stored.dtype == np.float16:
            return stored.astype(np.float32)
        scale, zero = (np.array(json.loads(self.metadata[f"quant.{name}"]), np.float64).reshape(1, -1, 1, 1) for name in ("scale", "zero_point"))
        return (scale * (stored.astype(np.float64) - zero)).astype(np.float32)

    def __getitem__(self, rows: Any) -> npt.NDArray[np.float32]:
        return self.numpy()[rows]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        values = self.numpy()
        return np.array(values, dtype, copy=copy)

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """Positions of the images in their split."""
        return self.table["id"].to_numpy()

    @property
    def labels(self) -> npt.NDArray[np.int64] | None:
        """Class numbers, −1 where a row has none; None where no row has one."""
        column = self.table["label"]
        return None if column.null_count == len(column) else column.fill_null(-1).to_numpy()

    @property
    def paths(self) -> list[str] | None:
        """The images' files, where they came from files."""
        return self.table["path"].to_pylist() if "path" in self.table.column_names else None

    @property
    def classes(self) -> list[str] | None:
        """Names of the labels 0, 1, …"""
        return json.loads(self.metadata["classes"]) if "classes" in self.metadata else None

    def _flat(self) -> Any:
        """The table with dequantised, flat latents in a plain list column."""
        values = self.numpy().reshape(len(self), int(np.prod(self.shape)))
        column = _arrow.FixedSizeListArray.from_arrays(_arrow.array(values.reshape(-1)), values.shape[1])
        at = self.table.column_names.index("latent")
        return self.table.set_column(at, "latent", column).replace_schema_metadata(None)

    def to_pandas(self) -> Any:
        """A DataFrame with a column for each column of the file; `latent` holds arrays of c·h·w values."""
        _need("pandas")
        return self._flat().to_pandas()

    def to_polars(self) -> Any:
        """A polars DataFrame; `latent` is an Array of c·h·w float32."""
        return _need("polars").from_arrow(self._flat())

    def to_hf(self) -> Any:
        """A Hugging Face Dataset; `latent` is a list of c·h·w float32."""
        return _need("datasets").Dataset(self._flat())

    def to_torch(self) -> Any:
        """A torch TensorDataset of (latent, label), or of (latent,) without labels."""
        torch = _need("torch")
        tensors = [torch.from_numpy(self.numpy().copy())]  # torch wants memory that may be written
        if self.labels is not None:
            tensors.append(torch.from_numpy(self.labels.copy()))
        return torch.utils.data.TensorDataset(*tensors)

    def __repr__(self) -> str:
        return f"Latents({str(self.path)!r}, {len(self)} of {'×'.join(map(str, self.shape))}, {self.stored.dtype})"


def _values(chunk: Any) -> npt.NDArray[Any]:
    """A chunk's numbers, flat, without a copy."""
    storage = chunk.storage if hasattr(chunk, "storage") else chunk
    return storage.flatten().to_numpy(zero_copy_only=False)


def _need(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingLibrary(f"{name} can't be imported ({error}): pip install {name}") from error
