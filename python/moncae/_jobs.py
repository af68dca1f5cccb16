"""moncae.compress, decompress, classify and those on data: the commands, with data as Python has it."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _data, _program
from ._latents import Latents, open_latents
from ._models import Autoencoder
from ._run import Path


def compress(
    encoder: Path | Autoencoder, data: _data.Data, out: Path, *, labels: Sequence[int] | _data.Array | None = None, axes: str | None = None, **flags: _program.Flag
) -> Latents:
    """Takes images through an encoder into a file of latents, and opens it. encoder is an
    `Autoencoder`, an encoder.onnx or an export's folder.

    data, labels and axes are what `moncae.search` takes; all images of an array are
    compressed, in its order, unless split is given. Flags are those of
    `moncae compress`: split="test", dtype="int8", format="parquet",
    shard_rows=100000, mean=[0.5, 0.5, 0.5].
    The result's `report` is the document of `moncae compress --json`.
    """
    flags["decoder"] = _model(flags.get("decoder"), "decoder")
    with _data.location(data, labels, axes, whole=flags.get("split") is None) as place:
        report = _program.call_json("compress", *_program.flags({"encoder": _model(encoder, "encoder"), "data": place, "out": out, **flags}))
    latents = open_latents(out)
    latents.report = report
    return latents


def decompress(decoder: Path | Autoencoder, latents: Path, out: Path, **flags: _program.Flag) -> pathlib.Path:
    """Turns a file of latents into images below out, which it gives back; decoder is an
    `Autoencoder`, a decoder.onnx or an export's folder."""
    _program.call("decompress", *_program.flags({"decoder": _model(decoder, "decoder"), "in": latents, "out": out, **flags}))
    return pathlib.Path(out)


def _model(model: Any, name: str) -> Any:
    """The file of an Autoencoder, or in an export's folder; all else as it is."""
    if isinstance(model, Autoencoder):
        return model.files[name == "decoder"]
    if not isinstance(model, str | os.PathLike):
        return model
    given = pathlib.Path(model)  # pyright: ignore[reportUnknownArgumentType]
    return given / f"{name}.onnx" if given.is_dir() else model  # pyright: ignore[reportUnknownVariableType]


def classify(
    run: Path | None = None, *, train: Path | None = None, test: Path | None = None, out: Path,
    encoder: Path | Autoencoder | None = None, data: _data.Data | None = None, **flags: _program.Flag,
) -> dict[str, Any]:
    """Measures how much of the data's use survived: a classifier trained on latents
    (train, test), or on those of each member of a run's front.

    encoder is what `compress` takes; with it head and encoder are written as one
    model, too. data, for baselines=True, is what the latents were compressed from by
    split="train" and split="test", or a run's data: what `moncae.search` takes, such
    as {"train": (images, labels), "test": (images, labels)}. Gives the document of
    `moncae classify --json` (docs/format/json.md); flags are that command's:
    head="mlp", baselines=True. A `Run` and `Latents` serve as paths.
    """
    words = [] if run is None else [_program.word(run)]
    with _data.location(data) as place:
        given = _program.flags({"train": train, "test": test, "out": out, "encoder": _model(encoder, "encoder"), "data": place, **flags})
        return _program.call_json("classify", *words, *given)


def compare(*runs: Path, groups: Mapping[str, Path | Sequence[Path]] | None = None, **flags: _program.Flag) -> dict[str, Any]:
    """Compares searches by hypervolume at equal budgets, with tests over seeds.

    Runs that differ in nothing but the seed are a group; groups, {name: runs} or
    {name: run}, says otherwise. Gives the document of `moncae compare --json` (docs/format/compare.md);
    flags are that command's: svg="compare.svg", reference="0.26,2.9".
    """
    listed = {name: [of] if isinstance(of, str | os.PathLike) else of for name, of in (groups or {}).items()}
    grouped = [f"{name}={','.join(os.fspath(run) for run in of)}" for name, of in listed.items()]
    return _program.call_json("compare", *map(_program.word, runs), *_program.flags({"group": grouped, **flags}))


def load_images(data: Path, split: str = "train", **flags: _program.Flag) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64] | None]:
    """Images of a data set as a search and a compression see them, and their labels.

    data is a name ("mnist-mini") or a path; split is train, val or test; flags are
    those of `moncae data convert`: image_size=(32, 32), channels=1, limit=100.
    Gives uint8 N×C×H×W, in the order of the ids in files of latents, and whole
    numbers of length N, None where the data have no labels.
    """
    if split == "all":
        raise ValueError("split is 'all': give train, val or test")
    with tempfile.TemporaryDirectory(prefix="moncae-") as folder:
        file = pathlib.Path(folder) / "images.npz"
        _program.call("data", "convert", _program.word(data), *_program.flags({"split": split, "format": "npz", "out": file, **flags}))
        with np.load(file) as arrays:
            images = arrays[f"x_{split}"]
            labels = arrays[f"y_{split}"] if f"y_{split}" in arrays else None
    return np.ascontiguousarray(_data.as_nchw(images, "nhwc")), labels


def data_info(data: Path, **flags: _program.Flag) -> dict[str, Any]:
    """What the program finds in a data set: the document of `moncae data info --json`
    (docs/format/json.md). Flags are that command's: image_size=(32, 32), height before width."""
    return _program.call_json("data", "info", _program.word(data), *_program.flags(flags))
