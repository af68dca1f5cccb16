"""How long the wheel's program takes to start.

    .deps/venv-wheels/bin/python scripts/bench_start.py

Installs the wheel of dist/ into a folder, and runs `moncae --version` there. The bar
is 50 ms for the median; exit code 1 above it.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BAR = 0.050  # seconds
STARTS = 40

(wheel,) = (pathlib.Path(__file__).resolve().parents[1] / "dist").glob("moncae-*-manylinux_*_x86_64.whl")
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", folder, wheel], check=True)
    taken = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        subprocess.run([f"{folder}/bin/moncae", "--version"], check=True, capture_output=True)
        taken.append(time.perf_counter() - begin)
median = statistics.median(taken)
print(f"moncae --version: median {1e3 * median:.1f} ms, {1e3 * min(taken):.1f} to {1e3 * max(taken):.1f} ms, {STARTS} starts; the bar is {1e3 * BAR:.0f} ms")
sys.exit(median >= BAR)
