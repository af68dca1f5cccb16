"""A run's folder, read and worked on by the program."""

from __future__ import annotations

import base64
import html
import json
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import _exports, _program
from ._front import Member, members, table
from ._models import Autoencoder
from .errors import MoncaeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Path = str | os.PathLike[str]

WAIT = 300
"""Seconds that `run[…]` waits for another process's export of the same run."""

_EXPORTING = threading.Lock()


class Run:
    """A search that was run, or is under way: its folder (docs/format/run.md).

    `run["knee"]`, `run["best-loss"]` and `run["g3-1"]` are exported autoencoders;
    `run[run.choose(max_values=32)]` is the best of those that are small enough.
    `list(run)` has the ids of the front, and `"g3-1" in run` asks for one.
    """

    def __init__(self, path: Path) -> None:
        self.path = pathlib.Path(path)
        if not (self.path / "run.json").is_file():
            raise ValueError(f"{self.path} holds no run: there is no run.json in it")

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    @property
    def _word(self) -> str:
        return _program.word(self.path)

    @property
    def document(self) -> dict[str, Any]:
        """What `moncae front --json` prints (docs/format/front.md)."""
        return _program.call_json("front", self._word)

    @property
    def members(self) -> list[Member]:
        """The front by rising number of values."""
        return members(self.document)

    @property
    def front(self) -> Any:
        """The front as a pandas DataFrame indexed by id where pandas is installed,
        else as a list of `Member`."""
        return table(self.members)

    @property
    def config(self) -> dict[str, Any]:
        """run.json."""
        return json.loads((self.path / "run.json").read_text(encoding="utf-8"))

    def export(self, candidate: str | Iterable[str] = "all", out: Path | None = None, **flags: _program.Flag) -> list[pathlib.Path]:
        """Writes candidates (an id or several, best-loss, knee, all or population) as ONNX; gives their folders.

        Other flags are those of `moncae export`: dtype="float16" is --dtype float16.

        Raises:
            ValueError: an empty list of candidates, or there is no such candidate.
        """
        words = _program.flags({"candidate": candidate, "out": out, **flags})
        return [pathlib.Path(done["dir"]) for done in _program.call_json("export", self._word, *words)]

    def choose(self, purpose: str | None = None, **limits: _program.Flag) -> str:
        """The id of the member that `moncae choose` takes: within limits such as
        max_values=32, min_psnr=18, max_bce=0.1, the best for a purpose: fidelity (the
        default), size, use or knee. Members that are ahead of PCA with as many values
        come first, those ahead in both BCE and PSNR before all.

        Raises:
            ValueError: no member is within the limits.
        """
        return _program.call_json("choose", self._word, *_program.flags({"for": purpose, **limits}))["id"]

    def __getitem__(self, candidate: str) -> Autoencoder:
        """The autoencoder of a candidate, an id, best-loss or knee. It is the export
        in the run's folder where that is of the candidate's weights in float32; else
        it is exported first. What another process exports meanwhile is waited for.

        Raises:
            ValueError: there is no such candidate, or the word means several.
            MissingLibrary: onnxruntime isn't installed.
        """
        if not isinstance(candidate, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"run[{candidate!r}]: give a candidate's id, best-loss or knee")
        if candidate in ("all", "front", "population"):
            raise ValueError(f"run[{candidate!r}] are several autoencoders: give one id, best-loss or knee; list(run) has the front's ids")
        with _EXPORTING:  # one export serves all threads
            return self._exported(candidate)

    def _exported(self, candidate: str) -> Autoencoder:
        late = time.monotonic() + WAIT
        while True:
            meant = _exports.meant(self.path, candidate)
            found = None if meant is None else _exports.current(self.path, meant)
            if found is not None:
                return found
            try:
                return Autoencoder.load(self.export(candidate)[0])
            except ValueError as error:
                if "is being written by another process" not in str(error) or time.monotonic() > late:
                    raise
            time.sleep(0.2)

    def __iter__(self) -> Iterator[str]:
        """The ids of the front's members, by rising number of values."""
        return iter([m["id"] for m in _exports.front(self.path)])

    def __contains__(self, candidate: object) -> bool:
        """Whether the front has a member of this id."""
        return candidate in list(self)

    def report(self, out: Path | None = None, **flags: _program.Flag) -> pathlib.Path:
        """Writes the run as one HTML page, report.html in its folder if out isn't given."""
        path = self.path / "report.html" if out is None else pathlib.Path(out)
        _program.call("report", self._word, *_program.flags({"out": path, **flags}))
        return path

    def picture(self, out: Path, **flags: _program.Flag) -> pathlib.Path:
        """Draws the front to out (.png or .svg), as `moncae front --plot` does; overwrite=True replaces a file there."""
        _program.call("front", self._word, *_program.flags({"plot": out, **flags}))
        return pathlib.Path(out)

    def gallery(self, out: Path, images: int = 10, **flags: _program.Flag) -> pathlib.Path:
        """Draws validation images as every member reconstructs them to out (.png or
        .svg); overwrite=True replaces a file there."""
        _program.call("front", self._word, *_program.flags({"gallery": out, "images": images, **flags}))
        return pathlib.Path(out)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the front, loss against level of compression, beside PCA's curve, on matplotlib axes."""
        from . import _plot

        return _plot.front(self.document, ax)

    def _repr_html_(self) -> str:
        try:
            document = self.document
        except (ValueError, MoncaeError) as error:  # it has begun only, or is damaged
            return f"<p><b>{html.escape(str(self.path))}</b>: {_exports.trained(self.path)} candidates so far; {html.escape(str(error))}</p>"
        found = members(document)
        head = "".join(f"<th>{name}</th>" for name in ("id", "latent", "ratio", "BCE", "excess", "MSE", "PSNR", "SSIM", "parameters"))
        rows = "".join(
            f"<tr><td>{m.id}</td><td>{'×'.join(map(str, m.latent))}</td><td>{m.ratio:.1f}×</td><td>{m.bce:.4f}</td><td>{m.excess_bce:.4f}</td>"
            f"<td>{m.mse:.5f}</td><td>{m.psnr:.1f}</td><td>{m.ssim:.3f}</td><td>{m.params}</td></tr>"
            for m in found
        )
        title = f"{len(found)} on the front of {document['evaluations']} trainings, hypervolume {document['hypervolume']:.4f}"
        parts = [f"<p><b>{html.escape(str(self.path))}</b>: {title}</p><table><tr>{head}</tr>{rows}</table>"]
        if found:
            parts += [self._shown("plot"), self._shown("gallery", images=8)]
        return "".join(parts)

    def _shown(self, flag: str, **flags: _program.Flag) -> str:
        """A picture of `moncae front` for a page, or why there is none: the data may be on another machine."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "picture.png"
            try:
                _program.call("front", self._word, *_program.flags({flag: file, **flags}))
            except (ValueError, MoncaeError) as error:
                return f"<p>no {flag}: {html.escape(str(error))}</p>"
            content = base64.b64encode(file.read_bytes()).decode()
        return f'<img alt="{flag}" style="max-width: 45%" src="data:image/png;base64,{content}">'

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"
