"""What a model takes for an image and gives for one: moncae.preprocess of its metadata."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ._data import checked

Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class Values:
    """A model's own values of pixels, and the order of its axes (docs/format/latents.md).

    Everything is computed in float32 by the formulas of `moncae compress`, so that
    bytes become the same numbers as there.
    """

    scale: str = "unit"
    """unit: v/255 of a byte v, raw: v, symmetric: v/127.5 − 1."""
    mean: tuple[float, ...] = ()
    """With std, instead of scale: (v/255 − mean)/std; a number for each channel, or one for all."""
    std: tuple[float, ...] = ()
    layout: str = ""
    """nchw or nhwc; empty: as the shape of its input says."""
    output: str = ""
    """The output that is the latent; empty: the only one."""

    @classmethod
    def read(cls, text: str | None) -> Values:
        """What the metadata say, whose keys of other matters are passed over.

        Raises:
            ValueError: they are no JSON object, or say what can't be.
        """
        try:
            said = json.loads(text or "{}")
            known: dict[str, Any] = {field.name: said[field.name] for field in dataclasses.fields(cls) if said.get(field.name) is not None}
            known |= {name: tuple(float(v) for v in known[name]) for name in ("mean", "std") if name in known}
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"its metadata moncae.preprocess can't be read: {error}") from error
        found = cls(**known)
        if found.scale not in ("unit", "raw", "symmetric") or found.layout not in ("", "nchw", "nhwc") or not isinstance(found.output, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"its metadata moncae.preprocess have scale {found.scale!r}, layout {found.layout!r} and output {found.output!r}")
        if bool(found.mean) != bool(found.std) or found.mean and "scale" in known or any(not 0 < v < np.inf for v in found.std) or not np.isfinite(found.mean).all():
            raise ValueError(f"its metadata moncae.preprocess have mean {list(found.mean)}, std {list(found.std)} and scale {known.get('scale')}: mean and std belong together, without scale")
        return found

    def check_channels(self, channels: int) -> None:
        """Refuses, by a ValueError, as many numbers as don't fit so many channels."""
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (0, 1, channels):
                raise ValueError(f"its metadata moncae.preprocess have {len(numbers)} numbers of {name}, its images {channels} channels")

    def of(self, images: npt.NDArray[Any]) -> Floats:
        """Images N×C×H×W, uint8 or floats in [0, 1], as the model takes them."""
        known = checked(images)
        bytes_ = known.dtype == np.uint8
        v = known.astype(np.float32, copy=False)
        if self.mean:
            return ((v / np.float32(255) if bytes_ else v) - _channels(self.mean)) / _channels(self.std)
        if self.scale == "raw":
            return v if bytes_ else v * np.float32(255)
        if self.scale == "symmetric":
            return (v / np.float32(127.5) if bytes_ else v * np.float32(2)) - np.float32(1)
        return v / np.float32(255) if bytes_ else v

    def undo(self, images: Floats) -> Floats:
        """The model's images N×C×H×W as values in [0, 1]."""
        if self.mean:
            return images * _channels(self.std) + _channels(self.mean)
        if self.scale == "raw":
            return images / np.float32(255)
        return (images + np.float32(1)) / np.float32(2) if self.scale == "symmetric" else images


def _channels(numbers: tuple[float, ...]) -> Floats:
    return np.array(numbers, np.float32).reshape(1, -1, 1, 1)


def unit(images: npt.NDArray[Any]) -> Floats:
    """Images, uint8 or floats in [0, 1], as float32 in [0, 1]."""
    return Values().of(images)
