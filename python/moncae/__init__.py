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
from importlib.util import find_spec as _find_spec
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


if not TYPE_CHECKING:  # for which Encoder is imported above, and there is nothing else
    if _find_spec("sklearn") is None:
        __all__.remove("Encoder")

    def __getattr__(name: str) -> object:
        """Encoder, which needs scikit-learn, is imported when it is asked for."""
        if name != "Encoder":
            raise AttributeError(f"module 'moncae' has no attribute {name!r}")
        try:
            from ._encoder import Encoder
        except ImportError as error:
            return _missing(f"moncae.Encoder needs scikit-learn ({error}): pip install scikit-learn")
        return Encoder


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _missing(reason: str) -> type:
    """A class in place of Encoder, which can be named but not made."""

    def refuse(*_: object, **__: object) -> None:
        raise MissingLibrary(reason)

    return type("Encoder", (), {"__init__": refuse, "__doc__": reason, "__module__": __name__})
