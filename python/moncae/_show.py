"""Progress of a search on a terminal and in a notebook."""

from __future__ import annotations

import sys
import warnings
from typing import Any


class Progress:
    """A bar of the images trained in a generation: tqdm's where that is installed,
    else a line a generation."""

    def __init__(self, wanted: bool | None) -> None:
        self._shown = wanted if wanted is not None else sys.stderr.isatty() or "ipykernel" in sys.modules
        self._bar: Any = None

    def event(self, kind: str, data: dict[str, Any]) -> None:
        if not self._shown:
            return
        if kind == "generation_started":
            self._start(f"generation {data['generation'] + 1}/{data['of']}", data["images"])
        elif kind == "finetune_started":
            self._start("finetuning", data["images"])
        elif kind == "progress" and self._bar is not None:
            self._bar.update(data["images"])
        elif kind == "generation":
            self.close()
            done = data["event"]
            print(f"generation {done['generation'] + 1}: hypervolume {done['hypervolume']:.4f}", file=sys.stderr)

    def _start(self, title: str, images: int) -> None:
        self.close()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that a notebook without ipywidgets gets the bar of a terminal
                from tqdm.auto import tqdm  # pyright: ignore
        except ImportError:
            return
        if images:
            self._bar = tqdm(total=images, desc=title, unit=" images", leave=False)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
