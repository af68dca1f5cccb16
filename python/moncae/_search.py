"""moncae.search."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from . import _data, _program
from ._run import Path, Run
from ._show import Progress

Hearer = Callable[[dict[str, Any]], None]

ARRAYS = "data.npz"
"""The file in a run's folder that keeps the arrays that the search was given; the program reads it there."""


def search(
    run: Path,
    data: _data.Data | None = None,
    labels: Sequence[int] | _data.Array | None = None,
    *,
    preset: str | None = None,
    seed: int | None = None,
    axes: str | None = None,
    resume: bool = False,
    progress: bool | None = None,
    on_candidate: Hearer | None = None,
    on_generation: Hearer | None = None,
    callbacks: Sequence[Any] = (),
    **flags: _program.Flag,
) -> Run:
    """Searches autoencoders for a data set, and keeps everything in the folder run.

    Args:
        run: the folder, which mustn't hold a run yet, but with resume.
        data: a name ("mnist-mini", the default; see `moncae data list`) or a path;
            a numpy array or torch tensor of images, N×H×W, N×C×H×W or N×H×W×C,
            uint8 or floats in [0, 1]; a PyTorch or Hugging Face `Dataset` whose
            rows have an image and perhaps a label; or {"train": …, "val": …,
            "test": …} of these (a Hugging Face `DatasetDict`, say, where val is called
            validation), of which validation="val" has val choose. All but names and
            paths are kept in the run's folder, in data.npz.
        labels: of an array's images, whole numbers.
        preset: quick (the default), standard or paper.
        axes: "nchw" or "nhwc", for an array whose shape leaves both open.
        resume: go on with a run that was interrupted.
        progress: show a bar; None shows one on a terminal and in a notebook.
        on_candidate: called with a journal's `candidate` record when one is done.
        on_generation: called with the `generation` record when its front is on the disk.
        callbacks: objects with some of the methods started(path), event(kind, data),
            ended(run); `moncae.tensorboard.TensorBoard` is one.
        flags: all other flags of `moncae search`: train_limit=500 is --train-limit 500,
            image_size=(32, 32) is --image-size 32x32, and a list of bound or init
            repeats the flag.

    Raises:
        ValueError: a bad value, bad data, or a folder that holds a run.
        KeyboardInterrupt: the run can be resumed.
        DamagedFile, MissingLibrary, MoncaeError: see moncae.errors.
    """
    folder = pathlib.Path(run)
    kept = folder / ARRAYS
    given = data is not None and not isinstance(data, str) and not hasattr(data, "__fspath__")
    options: dict[str, _program.Flag] = {"preset": preset, "seed": seed, "resume": resume or None, **flags}
    shown = Progress(progress)
    try:
        with _data.location(data, labels, axes) as place:
            words = ["search", *_program.flags({"run": folder, "data": place, **options})]

            def hear(kind: str, record: dict[str, Any]) -> None:
                if given and kind == "session" and place is not None and not kept.exists():
                    _keep(pathlib.Path(place), kept)  # early: this process may be killed
                shown.event(kind, record)
                if kind == "candidate" and on_candidate is not None:
                    on_candidate(record["event"])
                if kind == "generation" and on_generation is not None:
                    on_generation(record["event"])
                for callback in callbacks:
                    _tell(callback, "event", kind, record)

            for callback in callbacks:
                _tell(callback, "started", folder)
            try:
                with _program.Process(words, hear) as process:
                    process.finish()
            finally:
                if given and place is not None and not kept.exists() and _source(folder) == os.path.realpath(place):
                    _keep(pathlib.Path(place), kept)  # of a run that was interrupted before its first event
    finally:
        shown.close()
    done = Run(folder)
    for callback in callbacks:
        _tell(callback, "ended", done)
    return done


def _tell(callback: Any, name: str, *values: Any) -> None:
    method = getattr(callback, name, None)
    if method is not None:
        method(*values)


def _source(folder: pathlib.Path) -> str | None:
    """The file that a run says it was begun with; None where there is no run."""
    try:
        source: str = json.loads((folder / "run.json").read_text(encoding="utf-8"))["data"]["source"]
        return os.path.realpath(source)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(file: pathlib.Path, kept: pathlib.Path) -> None:
    """Copies the arrays into the run, whole or not at all."""
    part = kept.with_name(kept.name + ".part")
    part.write_bytes(file.read_bytes())
    part.replace(kept)
