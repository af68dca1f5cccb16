"""What can go wrong, by what the user can do about it.

The program sorts its errors by exit code, and each sort is a Python exception
whose text is the program's own line. Bad arguments and bad input data (exit code
2) are `ValueError`; an interrupt (130) is `KeyboardInterrupt`.
"""

from __future__ import annotations


class MoncaeError(RuntimeError):
    """The program failed for a reason of no other sort (exit code 1), such as a full disk."""


class DamagedFile(MoncaeError):
    """A file of moncae's own kinds (run, ONNX, latents) is damaged or foreign (exit code 3)."""


class MissingLibrary(MoncaeError, ImportError):
    """A library or device that is needed isn't there (exit code 4)."""


def of_exit(code: int, line: str) -> BaseException:
    """The exception for an exit code other than 0; line is what the program said."""
    if code == 2:
        return ValueError(line)
    if code == 3:
        return DamagedFile(line)
    if code == 4:
        return MissingLibrary(line)
    if code in (130, -2):
        return KeyboardInterrupt(line)
    return MoncaeError(line or f"moncae ended with exit code {code}")
