"""Find small convolutional autoencoders for images, and compress with them.

    import moncae

    run = moncae.search("digits-run", preset="quick", seed=46)   # a Run: its folder is digits-run
    run.front                                                    # the autoencoders worth having
    knee = run["knee"]                                           # an Autoencoder
    latents = knee.encode(images)                                # N×C×H×W to N×c×h×w

The work is the program's, `moncae`, which the wheel carries; this package calls it
and reads its files. Nothing is loaded from the network.
"""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING

from ._front import Member
from ._jobs import classify, compare, compress, data_info, decompress, load_images
from ._latents import Latents, open_latents
from ._models import Autoencoder
from ._run import Run
from ._search import search
from .errors import DamagedFile, MissingLibrary, MoncaeError

if TYPE_CHECKING:
    from ._encoder import Encoder

__version__ = _version("moncae")

__all__ = [
    "Autoencoder",
    "DamagedFile",
    "Encoder",
    "Latents",
    "Member",
    "MissingLibrary",
    "MoncaeError",
    "Run",
    "classify",
    "compare",
    "compress",
    "data_info",
    "decompress",
    "load_images",
    "open_latents",
    "search",
]


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def __getattr__(name: str) -> object:
    """Encoder, which needs scikit-learn, is imported when it is asked for."""
    if name != "Encoder":
        raise AttributeError(f"module 'moncae' has no attribute {name!r}")
    try:
        from ._encoder import Encoder
    except ImportError as error:
        raise MissingLibrary(f"moncae.Encoder needs scikit-learn ({error}): pip install scikit-learn") from error
    return Encoder
