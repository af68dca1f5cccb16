"""Pictures by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._front import members
from .errors import MissingLibrary

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def front(document: dict[str, Any], ax: Axes | None = None) -> Axes:
    """Loss above the entropy floor against values, both logarithmic, beside PCA's.

    Raises:
        MissingLibrary: matplotlib isn't installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingLibrary(f"matplotlib can't be imported ({error}): pip install matplotlib; run.picture does without") from error

    axes: Any = plt.subplots()[1] if ax is None else ax  # pyright: ignore[reportUnknownMemberType]
    found, floor = members(document), document["floor"]["bce"]
    axes.plot([m.values for m in found], [m.excess_bce for m in found], "o-", label="moncae")
    pca = [(m.values, m.pca_bce - floor) for m in found if m.pca_bce is not None]
    if pca:
        axes.plot(*zip(*pca, strict=True), "s--", label="PCA")
    for m in found:
        axes.annotate(m.id, (m.values, m.excess_bce), xytext=(4, 4), textcoords="offset points", fontsize="small")
    axes.set(xscale="log", yscale="log", xlabel="values of a latent", ylabel="BCE above the entropy floor, nats", title=document["data"])
    axes.legend()
    return axes
