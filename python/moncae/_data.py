"""What --data is given: a name or a path as it is, arrays and data sets written as
an .npz file, which the program reads like any other.
"""

from __future__ import annotations

import contextlib
import operator
import os
import pathlib
import tempfile
import warnings
from collections.abc import Generator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from .errors import MoncaeError

Array = npt.NDArray[Any]


@runtime_checkable
class Rows(Protocol):
    """A data set by index: PyTorch's map-style `Dataset`, Hugging Face's `Dataset`."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


_ALIASES = {"validation": "val", "valid": "val"}  # Hugging Face's DatasetDict has the first
Data = str | os.PathLike[str] | Array | Rows | dict[str, Any]


@contextlib.contextmanager
def location(data: Data | None, labels: Sequence[int] | Array | None = None, axes: str | None = None, whole: bool = False) -> Generator[str | None]:
    """Where the program finds data: a name or path is passed on, all else is written
    to a file that is deleted at the end.

    whole keeps all images of an array in one split: where a source has no test
    split, the program sets one apart, so a copy of the first image stands in for it.
    """
    if data is None or isinstance(data, str | os.PathLike):
        if labels is not None:
            raise ValueError("labels belong to an array; a data set that is a name or a path has its own")
        yield None if data is None else os.fspath(data)
        return
    arrays = as_arrays(data, labels, axes)
    if whole and "x_test" not in arrays:
        arrays |= {name.replace("_train", "_test"): array[:1] for name, array in arrays.items()}
    with tempfile.TemporaryDirectory(prefix="moncae-") as folder:
        path = pathlib.Path(folder) / "data.npz"
        np.savez(path, allow_pickle=False, **arrays)
        try:
            yield os.fspath(path)
        except (ValueError, MoncaeError) as error:
            if os.fspath(path) not in str(error):
                raise
            raise type(error)(str(error).replace(os.fspath(path), "the data given")) from None  # nobody knows that file


def as_arrays(data: Any, labels: Sequence[int] | Array | None = None, axes: str | None = None) -> dict[str, Array]:
    """The arrays x_train, y_train (and those of val and test, of a dict with them) of
    an .npz file: bytes N×H×W×C, which the program takes for nothing else."""
    if isinstance(data, dict):
        unknown = set(data) - {"train", "val", "test", *_ALIASES}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if unknown or "train" not in data:
            raise ValueError(f"a dict of data has the key train, and may have val and test; this one has {', '.join(map(str, data)) or 'none'}")  # pyright: ignore[reportUnknownArgumentType]
        if labels is not None:
            raise ValueError("with a dict, labels stand beside their images: {'train': (images, labels), …}")
        arrays: dict[str, Array] = {}
        for split, part in data.items():  # pyright: ignore[reportUnknownVariableType]
            split = _ALIASES.get(split, split)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            if f"x_{split}" in arrays:
                raise ValueError(f"a dict of data with two splits for {split}: {', '.join(map(str, data))}")  # pyright: ignore[reportUnknownArgumentType]
            for name, array in _split(part, None, axes).items():
                arrays[f"{name}_{split}"] = array
        return arrays
    return {f"{name}_train": array for name, array in _split(data, labels, axes).items()}


def _split(part: Any, labels: Sequence[int] | Array | None, axes: str | None) -> dict[str, Array]:
    if isinstance(part, tuple) and len(part) == 2 and labels is None:  # pyright: ignore[reportUnknownArgumentType]
        part, labels = part  # pyright: ignore[reportUnknownVariableType]
    part = host(part)
    if hasattr(part, "iloc"):
        raise ValueError(f"data of type {type(part).__name__}: give its images as an array, such as frame[pixels].to_numpy(\"uint8\").reshape(-1, 28, 28)")
    if isinstance(part, np.ndarray):
        images = pixels(as_nchw(part, axes))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(part, Rows):
        if labels is not None:
            raise ValueError("labels belong to an array; a data set has its own")
        images, labels = _rows(part, axes)
    else:
        raise ValueError(f"data of type {type(part).__name__}: give a name, a path, a numpy array, a torch tensor, or a data set that has a length and rows")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    images = np.ascontiguousarray(np.moveaxis(images, 1, 3))
    if labels is None:
        return {"x": images}
    y = np.asarray(host(labels))
    if y.shape != (len(images),) or y.dtype.kind not in "iu":
        raise ValueError(f"labels of shape {y.shape} and type {y.dtype}: a whole number for each of the {len(images)} images is wanted")
    return {"x": images, "y": y.astype(np.int64)}


def _rows(rows: Any, axes: str | None) -> tuple[Array, Array | None]:
    """Images and labels of a data set's rows: (image, label), a dict with image and label, or an image."""
    images: list[Array] = []
    labels: list[int] = []
    for i in range(len(rows)):
        image, label = _columns(i, rows[i])
        images.append(_image(i, image))
        if label is not None:
            try:
                labels.append(operator.index(label))
            except TypeError:
                raise ValueError(f"row {i} has the label {label!r}: a whole number is wanted") from None
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        raise ValueError(f"the images have different shapes, such as {shapes[0]} and {shapes[-1]}: put them into a folder, and give its path and image_size")
    if not images:
        raise ValueError("the data set has no rows")
    if labels and len(labels) != len(images):
        raise ValueError(f"{len(labels)} of {len(images)} rows have a label")
    return pixels(as_nchw(np.stack(images), axes)), np.array(labels, np.int64) if labels else None


def _columns(i: int, row: Any) -> tuple[Any, Any]:
    """A row's image, and its label or None."""
    if isinstance(row, dict):
        named: dict[Any, Any] = row  # pyright: ignore[reportUnknownVariableType]
        image, label = (next((k for k in known if k in named), None) for known in (("image", "img", "pixel_values"), ("label", "labels")))
        if image is None:
            raise ValueError(f"row {i} has the columns {', '.join(map(str, named))}: one called image is wanted")
        if i == 0 and label is None and len(named) > 1:
            others = ", ".join(str(k) for k in named if k != image)
            warnings.warn(f"no column is called label, so the images have none; passed over: {others}", stacklevel=2)
        return named[image], None if label is None else named[label]
    if isinstance(row, tuple) and row:
        return row[0], row[1] if len(row) > 1 else None  # pyright: ignore
    if isinstance(row, list) and len(row) == 2 and np.ndim(row[0]) > np.ndim(row[1]) == 0:  # pyright: ignore
        return row[0], row[1]  # pyright: ignore[reportUnknownVariableType]
    return row, None  # pyright: ignore[reportUnknownVariableType]


def _image(i: int, image: Any) -> Array:
    mode = getattr(image, "mode", None)  # of PIL's images: a palette's indices are no grey values, and what shows through alpha is the user's to say
    if isinstance(mode, str) and mode not in ("1", "L", "RGB"):
        raise ValueError(f"row {i} is a picture of PIL's mode {mode}: convert it to L or RGB")
    return np.asarray(host(image))


def host(values: Any) -> Any:
    """A torch tensor as a numpy array, bfloat16 as float32; all else as it is.

    Raises:
        ValueError: a tensor that numpy can't have, such as a sparse one.
    """
    if not hasattr(values, "detach"):
        return values
    here = values.detach().cpu()
    if str(here.layout) != "torch.strided":
        raise ValueError(f"a tensor of the layout {here.layout}: give a dense one, tensor.to_dense()")
    try:
        return (here.float() if str(here.dtype) == "torch.bfloat16" else here).numpy()
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"a tensor of type {here.dtype}: {error}") from error


def as_nchw(images: Array, axes: str | None = None) -> Array:
    """N×H×W, N×C×H×W or N×H×W×C as N×C×H×W with 1 or 3 channels.

    axes is "nchw" or "nhwc"; without it, the axis of 1 or 3 tells. Where both
    could be channels, it has to be given.
    """
    if axes not in (None, "nchw", "nhwc"):
        raise ValueError(f"axes is {axes!r}: give 'nchw' or 'nhwc'")
    if images.ndim == 3:
        return images[:, None]
    if images.ndim != 4:
        raise ValueError(f"images of shape {images.shape}: N×H×W, N×C×H×W or N×H×W×C is wanted")
    first, last = images.shape[1] in (1, 3), images.shape[3] in (1, 3)
    if axes is None:
        if first and last:
            raise ValueError(f"images of shape {images.shape} may be N×C×H×W or N×H×W×C: say axes='nchw' or axes='nhwc'")
        axes = "nchw" if first else "nhwc"
    if not (first if axes == "nchw" else last):
        raise ValueError(f"images of shape {images.shape} have no axis of 1 or 3 channels where {axes} has it")
    return images if axes == "nchw" else np.moveaxis(images, 3, 1)


def pixels(images: Array) -> npt.NDArray[np.uint8]:
    """Images as bytes, 0…255; there has to be one at least."""
    if images.size == 0:
        raise ValueError(f"images of shape {images.shape} have no pixels")
    known = checked(images)
    return known if known.dtype == np.uint8 else np.rint(known * 255).astype(np.uint8)


def checked(images: Array) -> Array:
    """Images as uint8, or as the floats in [0, 1] that they are: whole numbers in
    0…255 are bytes, False and True are black and white, all else is refused."""
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype == bool:
        return images.astype(np.uint8) * np.uint8(255)
    if images.dtype.kind not in "fiu":
        raise ValueError(f"images of type {images.dtype}: uint8, or floats in [0, 1], are wanted")
    low, high = (images.min(), images.max()) if images.size else (0, 0)
    if images.dtype.kind == "f":
        if not (low >= 0 and high <= 1):  # also when one is no number
            raise ValueError(f"images from {low} to {high}: floats have to be in [0, 1]; give bytes as uint8")
        return images
    if low < 0 or high > 255:
        raise ValueError(f"images from {low} to {high}: whole numbers have to be in 0…255")
    return images.astype(np.uint8)
