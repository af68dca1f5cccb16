"""The front as objects and as a table."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Member:
    """An autoencoder of the front; all figures are of validation images."""

    id: str
    latent: tuple[int, int, int]
    """(channels, height, width) of a latent."""
    values: int
    loc: float
    """log10 of values: the level of compression."""
    ratio: float
    """Values of an image by values of a latent."""
    bce: float
    """Binary cross-entropy in nats, mean over all values of all images."""
    excess_bce: float
    """bce above the entropy of the pixels."""
    mse: float
    psnr: float
    """Decibels."""
    ssim: float
    params: int
    flops: int
    epochs: int
    latency_ms: float | None = None
    """Milliseconds for one image through encoder and decoder, one thread, measured
    as the table was made; None where ONNX Runtime isn't found."""
    pca_bce: float | None = None
    """Of PCA with as many values; None where there is none."""
    pca_mse: float | None = None
    pca_psnr: float | None = None


COLUMNS = [field.name for field in dataclasses.fields(Member)]


def members(document: dict[str, Any]) -> list[Member]:
    """The members of a front document (docs/format/front.md), by rising values."""
    found: list[Member] = []
    for m in document["members"]:
        pca: dict[str, Any] = m.get("pca") or {}
        values: dict[str, Any] = {name: m[name] for name in COLUMNS if name in m}
        values |= {f"pca_{name}": pca.get(name) for name in ("bce", "mse", "psnr")}
        values["latent"] = tuple(m["latent"])
        found.append(Member(**values))
    return found


def table(found: list[Member]) -> Any:
    """A pandas DataFrame indexed by id where pandas is installed, else the list."""
    try:
        import pandas  # pyright: ignore[reportMissingTypeStubs]
    except ImportError:
        return found
    frame: Any = pandas.DataFrame
    return frame([dataclasses.asdict(m) for m in found], columns=COLUMNS).set_index("id")
