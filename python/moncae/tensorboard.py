"""A search in TensorBoard: pass TensorBoard(folder) in callbacks of moncae.search."""

from __future__ import annotations

import io
import os
from typing import Any

from . import _run
from .errors import MissingLibrary


class TensorBoard:
    """Writes a search as TensorBoard's event files into folder.

    Scalars by candidate, in the order in which they end: candidate/bce, mse, psnr,
    ssim, values; training and validation loss by epoch under loss/<id>; by generation
    hypervolume; the front's picture at the end, where matplotlib is installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary import Writer  # pyright: ignore
        except ImportError as error:
            raise MissingLibrary(f"tensorboard can't be imported ({error}): pip install tensorboard") from error
        self._writer: Any = Writer(os.fspath(folder))
        self._candidates = 0

    def event(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "candidate":
            self._candidate(data["event"])
        elif kind == "generation":
            done = data["event"]
            self._writer.add_scalar("hypervolume", done["hypervolume"], done["generation"])

    def _candidate(self, candidate: dict[str, Any]) -> None:
        result = candidate.get("result")
        if result is None:
            return
        for name, value in result["figures"].items():
            self._writer.add_scalar(f"candidate/{name}", value, self._candidates)
        channels, height, width = candidate["latent"]
        self._writer.add_scalar("candidate/values", channels * height * width, self._candidates)
        for epoch, losses in enumerate(result["history"]):
            for name in ("train", "validation"):
                if losses.get(name) is not None:
                    self._writer.add_scalar(f"loss/{candidate['id']}/{name}", losses[name], epoch)
        self._candidates += 1

    def ended(self, run: _run.Run) -> None:
        picture = _picture(run)
        if picture is not None:
            self._writer.add_image("front", picture, 0)
        self._writer.close()


def _picture(run: _run.Run) -> Any:
    try:
        import matplotlib.image as image
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(6, 4.5), dpi=100)
    run.plot(figure.subplots())
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return image.imread(file)[:, :, :3][None]
