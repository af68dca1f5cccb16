"""The version of the Python package: MONCAE_VERSION (v1.2.3), else a development
version that counts the commits. An sdist keeps the version that it was made with."""

import os
import subprocess


def version() -> str:
    given = os.environ.get("MONCAE_VERSION", "").removeprefix("v")
    if given:
        return given
    counted = subprocess.run(["git", "rev-list", "--count", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__)))
    return f"0.0.0.dev{counted.stdout.strip() or 0}"
