"""Whether files of latents are whole, and what docs/format/latents.md says."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

import numpy as np
import pyarrow  # pyright: ignore[reportMissingTypeStubs]

_arrow: Any = pyarrow  # which has no types of its own

MANIFEST = "_manifest.json"
QUANT = (b"moncae.quant.scale", b"moncae.quant.zero_point")


def shards(folder: pathlib.Path) -> list[dict[str, Any]]:
    """The parts of a folder of shards, in order: file, rows, ids, bytes, sha256.

    Raises:
        ValueError, KeyError, TypeError, OSError: the manifest is damaged.
    """
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    parts: list[dict[str, Any]] = manifest["shards"]
    for part in parts:
        if pathlib.PurePath(part["file"]).name != part["file"]:
            raise ValueError(f"{MANIFEST} names the file {part['file']!r} outside its folder")
    if not parts:
        raise ValueError(f"there are no shards in {MANIFEST}")
    if all("rows" in part for part in parts) and sum(part["rows"] for part in parts) != manifest["rows"]:
        raise ValueError(f"{MANIFEST} counts {manifest['rows']} rows, its shards {sum(part['rows'] for part in parts)}")
    return parts


def size(file: pathlib.Path, part: dict[str, Any], verify: bool) -> None:
    """Holds a part's file against the manifest, before it is opened."""
    if file.stat().st_size != part["bytes"]:
        raise ValueError(f"{file.name} has {file.stat().st_size} bytes, {MANIFEST} says {part['bytes']}")
    if verify:
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != part["sha256"]:
            raise ValueError(f"the SHA-256 of {file.name} is {found}, {MANIFEST} says {part['sha256']}")


def rows(name: str, table: Any, part: dict[str, Any]) -> None:
    """Holds a part's rows against the manifest: how many, and the ids of the first and the last."""
    if table.num_rows != part["rows"]:
        raise ValueError(f"{name} has {table.num_rows} rows, {MANIFEST} says {part['rows']}")
    if table.num_rows:
        ids = [table["id"][0].as_py(), table["id"][table.num_rows - 1].as_py()]
        if ids != list(part["ids"]):
            raise ValueError(f"{name} has the ids {ids[0]} to {ids[1]}, {MANIFEST} says {part['ids'][0]} to {part['ids'][1]}")


def alike(name: str, table: Any, first: Any) -> None:
    """Refuses a part whose latents mean something else than the first part's."""
    for key in (b"moncae.shape", *QUANT):
        if said(table).get(key) != said(first).get(key):
            raise ValueError(f"{name} has another {key.decode()} than the first part")


def columns(table: Any) -> tuple[int, int, int]:
    """The shape (c, h, w) of a table's latents, whose columns have to be as the format says.

    Raises:
        ValueError: they aren't.
    """
    types = _arrow.types
    for name in ("id", "latent", "label"):
        if name not in table.column_names:
            raise ValueError(f"there is no column {name}")
        if table.column_names.count(name) > 1:
            raise ValueError(f"there are several columns {name}")
        if name != "latent" and not types.is_integer(table.schema.field(name).type):
            raise ValueError(f"the column {name} is {table.schema.field(name).type}: int64 is wanted")
    for name in ("id", "latent", "path", "split", "error"):
        if name in table.column_names and table[name].null_count:
            raise ValueError(f"the column {name} has {table[name].null_count} nulls")
    kind = table.schema.field("latent").type
    storage = getattr(kind, "storage_type", kind)
    fixed = types.is_fixed_size_list(storage)
    if not (fixed or types.is_list(storage) or types.is_large_list(storage)):
        raise ValueError(f"the column latent is {kind}: a list is wanted")
    if not any(check(storage.value_type) for check in (types.is_float32, types.is_float16, types.is_int8)):
        raise ValueError(f"the values of latent are {storage.value_type}: float32, float16 or int8 are wanted")
    shape = _shape(table, kind)
    if types.is_int8(storage.value_type):
        _quant(table, shape[0])
    values = shape[0] * shape[1] * shape[2]
    for chunk in table["latent"].chunks:
        plain = getattr(chunk, "storage", chunk)
        if plain.flatten().null_count:
            raise ValueError("the column latent has null values")
        lengths: list[int] = [storage.list_size] if fixed else np.unique(np.diff(plain.offsets.to_numpy())).tolist()
        if len(chunk) and lengths != [values]:
            raise ValueError(f"latents of {', '.join(map(str, lengths))} values, their shape {list(shape)} has {values}")
    return shape


def said(table: Any) -> dict[bytes, bytes]:
    """The metadata of a table's schema."""
    return table.schema.metadata or {}


def _shape(table: Any, kind: Any) -> tuple[int, int, int]:
    text = said(table).get(b"moncae.shape")
    sides: Any = json.loads(text) if text is not None else getattr(kind, "shape", None)
    if sides is None:
        raise ValueError("the column latent is a list, and no metadata moncae.shape say its shape")
    if not _numbers(sides, 3) or not all(isinstance(side, int) and side > 0 for side in sides):
        raise ValueError(f"latents of the shape {sides}: C×H×W is wanted")
    own: Any = getattr(kind, "shape", sides)
    if list(own) != sides:
        raise ValueError(f"latents of the shape {list(own)}, the metadata say {sides}")
    return (sides[0], sides[1], sides[2])


def _quant(table: Any, channels: int) -> None:
    for key in QUANT:
        text = said(table).get(key)
        if text is None:
            raise ValueError(f"latents in int8, and no metadata {key.decode()}")
        numbers: Any = json.loads(text)
        if not _numbers(numbers, channels):
            raise ValueError(f"the metadata {key.decode()} are {text.decode()}: a number for each of {channels} channels is wanted")


def _numbers(found: Any, count: int) -> bool:
    return isinstance(found, list) and len(found) == count and all(isinstance(n, int | float) for n in found)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
