"""A search in TensorBoard: pass TensorBoard(folder) in callbacks of moncae.search."""

from __future__ import annotations

import os
import pathlib
import tempfile
import time
from typing import Any

from ._run import Run
from .errors import MissingLibrary


class TensorBoard:
    """Writes a search as TensorBoard's event files into folder.

    Scalars by candidate, in the order in which they end: candidate/bce, mse, psnr,
    ssim, values; its losses by epoch under loss/<id>/train and validation; by
    generation hypervolume; and the front's picture at the end. One serves one search,
    interrupted and resumed ones too.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2  # pyright: ignore
            from tensorboard.summary.writer.event_file_writer import EventFileWriter  # pyright: ignore
        except ImportError as error:
            raise MissingLibrary(f"tensorboard can't be imported ({error}): pip install tensorboard") from error
        self._events: Any = event_pb2
        self._summaries: Any = summary_pb2
        self._writer: Any = EventFileWriter(os.fspath(folder))
        self._folder = folder
        self._candidates = 0
        self._closed = False

    def started(self, path: pathlib.Path) -> None:
        if self._closed:
            raise ValueError(f"{path}: this TensorBoard has written a whole search to {self._folder}: make another for another folder")

    def event(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "candidate":
            self._candidate(data["event"])
        elif kind == "generation":
            done = data["event"]
            self._write(done["generation"], "hypervolume", simple_value=done["hypervolume"])

    def ended(self, run: Run) -> None:
        with tempfile.TemporaryDirectory() as folder:
            picture = run.picture(pathlib.Path(folder) / "front.png").read_bytes()
        width, height = (int.from_bytes(picture[i : i + 4], "big") for i in (16, 20))  # of a PNG's header
        image = self._summaries.Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=picture)
        self._write(0, "front", image=image)
        self._writer.close()
        self._closed = True

    def _candidate(self, candidate: dict[str, Any]) -> None:
        result = candidate.get("result")
        if result is None:
            return
        for name, value in result["figures"].items():
            self._write(self._candidates, f"candidate/{name}", simple_value=value)
        channels, height, width = candidate["latent"]
        self._write(self._candidates, "candidate/values", simple_value=channels * height * width)
        for epoch, losses in enumerate(result["history"]):
            for name in ("train", "validation"):
                self._write(epoch, f"loss/{candidate['id']}/{name}", simple_value=losses[name])
        self._candidates += 1

    def _write(self, step: int, tag: str, **value: Any) -> None:
        summary = self._summaries.Summary(value=[self._summaries.Summary.Value(tag=tag, **value)])
        self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, summary=summary))
