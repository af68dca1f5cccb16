"""Files of latents (docs/format/latents.md), opened without a copy where they allow it."""

from __future__ import annotations

import functools
import json
import os
import pathlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow  # pyright: ignore[reportMissingTypeStubs]

from . import _check
from .errors import DamagedFile, MissingLibrary

_arrow: Any = pyarrow  # which has no types of its own


def open_latents(path: str | os.PathLike[str], *, verify: bool = False) -> Latents:
    """Opens what `moncae compress` wrote: an Arrow file or stream, a Parquet file, or
    a folder of shards.

    A folder's parts are held against its manifest: their bytes, rows and ids. verify
    compares their SHA-256 too, for which every byte is read, about a second a
    gigabyte. A file alone has checksums that the program checks, and this doesn't.

    Raises:
        ValueError: there is no such file.
        DamagedFile: it isn't a whole file of latents, as docs/format/latents.md has it.
    """
    place = pathlib.Path(path)
    if not place.exists():
        raise ValueError(f"{place} isn't there")
    if place.is_dir() and not (place / _check.MANIFEST).is_file():
        raise DamagedFile(f"{place} isn't complete: there is no _manifest.json in it; go on with it by moncae compress --resume")
    try:
        return Latents(place, _shards(place, verify) if place.is_dir() else _read(place))
    except (_arrow.ArrowException, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(f"{place}: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error


def _shards(folder: pathlib.Path, verify: bool) -> Any:
    """The table of all parts, in order."""
    tables: list[Any] = []
    for part in _check.shards(folder):
        file = folder / part["file"]
        _check.size(file, part, verify)
        tables.append(_read(file))
        _check.columns(tables[-1])
        _check.rows(file.name, tables[-1], part)
        _check.alike(file.name, tables[-1], tables[0])
    return tables[0] if len(tables) == 1 else _arrow.concat_tables(tables)


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
        self.metadata: dict[str, str] = {k.decode().removeprefix("moncae."): v.decode() for k, v in _check.said(table).items() if k.startswith(b"moncae.")}
        self.shape: tuple[int, int, int] = _check.columns(table)

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __len__(self) -> int:
        return self.table.num_rows

    @functools.cached_property
    def _chunks(self) -> list[npt.NDArray[Any]]:
        """The stored values by record batch, without a copy."""
        return [_values(chunk).reshape(-1, *self.shape) for chunk in self.table["latent"].chunks if len(chunk)]

    @property
    def stored(self) -> npt.NDArray[Any]:
        """The values as they are stored, N×c×h×w: float32, float16 or int8. A view
        of the file where that is one uncompressed Arrow batch."""
        chunks = self._chunks
        if not chunks:
            return np.empty((0, *self.shape), np.float32)
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)

    def numpy(self) -> npt.NDArray[np.float32]:
        """The values, float32 N×c×h×w: the view itself where they are stored so."""
        return self._decoded(self.stored)

    def _decoded(self, stored: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        if stored.dtype == np.float32:
            return stored
        if stored.dtype == np.float16:
            return stored.astype(np.float32)
        scale, zero = self._quant
        return (scale * (stored.astype(np.float64) - zero)).astype(np.float32)

    @functools.cached_property
    def _quant(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Scale and zero point of each channel, 1×c×1×1."""
        scale, zero = (np.array(json.loads(self.metadata[f"quant.{name}"]), np.float64).reshape(1, -1, 1, 1) for name in ("scale", "zero_point"))
        return scale, zero

    def __getitem__(self, rows: Any) -> npt.NDArray[np.float32]:
        """What `numpy()[rows]` gives; rows by a number, a slice or a list of them are decoded alone."""
        first: Any = rows
        rest: tuple[Any, ...] = ()
        if isinstance(rows, tuple) and rows:
            first, rest = rows[0], rows[1:]  # pyright: ignore[reportUnknownVariableType]
        if isinstance(first, slice):
            some = self._decoded(self._of(first))  # pyright: ignore[reportUnknownArgumentType]
            return some[(slice(None), *rest)] if rest else some
        if isinstance(first, int | np.integer) and not isinstance(first, bool):
            number = range(len(self))[int(first)]  # pyright: ignore[reportUnknownArgumentType]; also IndexError, which ends a loop over the rows
            one = self._decoded(self._of(slice(number, number + 1)))[0]
            return one[rest] if rest else one
        numbers = np.asarray(first) if isinstance(first, list | np.ndarray) and not rest else None  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if numbers is None or numbers.ndim != 1 or not numbers.size:
            return self.numpy()[rows]
        return self._decoded(self._of(numbers))

    def _of(self, rows: Any) -> npt.NDArray[Any]:
        """The stored values of some rows; a view for a slice of one batch."""
        if len(self._chunks) < 2:
            some: npt.NDArray[Any] = self.stored[rows]
            return some
        numbers: npt.NDArray[np.int64] = np.arange(len(self))[rows]
        ends = np.cumsum([len(chunk) for chunk in self._chunks])
        of = np.searchsorted(ends, numbers, side="right")
        found = np.empty((len(numbers), *self.shape), self._chunks[0].dtype)
        for i, chunk in enumerate(self._chunks):
            here = of == i
            if here.any():
                found[here] = chunk[numbers[here] - (ends[i] - len(chunk))]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        values = self.numpy()
        if copy:
            return np.array(values, dtype)
        found = np.asarray(values, dtype)
        if copy is False and found is not values:
            raise ValueError(f"latents are float32: as {found.dtype} they have to be copied")
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_chunks"}

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
