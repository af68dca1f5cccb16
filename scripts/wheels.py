"""Builds the Python package into dist/, and holds it against what it promises.

    .deps/venv-wheels/bin/python scripts/wheels.py GOOS/GOARCH...

A wheel for each platform, and the sdist. twine checks all of them; auditwheel has
to find the linux/amd64 wheel's own tag; none may be larger than 60 MB.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
# The kernels are written for GCC (target pragmas), which clang ignores, and so
# zig; GCC links against the C library of the machine that it is on. Debian 12's
# gives nothing that asks for more than glibc 2.34: RHEL 9, Ubuntu 22.04, Debian 12.
NATIVE_TAG = "manylinux_2_34_x86_64"
LARGEST = 60e6  # bytes


def run(*words, **settings):
    return subprocess.run([sys.executable, "-m", *words], check=True, cwd=ROOT, text=True, **settings)


def ours():
    """The wheels and the sdist in dist/, without the archives of make release."""
    sdists = (f for f in DIST.glob("moncae-*.tar.gz") if "-linux-" not in f.name and "-darwin-" not in f.name)
    return sorted([*DIST.glob("moncae-*.whl"), *sdists])


def main(platforms):
    DIST.mkdir(exist_ok=True)
    for old in ours():
        old.unlink()
    epoch = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    os.environ.setdefault("SOURCE_DATE_EPOCH", epoch)
    run("build", "--sdist", "--no-isolation", "-o", DIST, stdout=subprocess.DEVNULL)
    for platform in platforms:
        tag = NATIVE_TAG if platform == "linux/amd64" else ""
        run("build", "--wheel", "--no-isolation", "-o", DIST, stdout=subprocess.DEVNULL,
            env={**os.environ, "MONCAE_WHEEL_PLATFORM": platform, "MONCAE_WHEEL_TAG": tag})
    built = ours()
    run("twine", "check", "--strict", *built)
    for file in built:
        print(f"{file.stat().st_size / 1e6:6.1f} MB  {file.name}")
        if file.stat().st_size > LARGEST:
            sys.exit(f"{file.name} is larger than {LARGEST / 1e6:.0f} MB")
        if NATIVE_TAG in file.name:
            audit(file)


def audit(wheel):
    said = run("auditwheel", "show", wheel, capture_output=True).stdout
    if f'"{NATIVE_TAG}"' not in said.replace("\n", " ").split("The wheel references", 1)[0]:
        sys.exit(f"auditwheel doesn't find {NATIVE_TAG}:\n{said}")
    print(f"           auditwheel: {NATIVE_TAG}")


main(sys.argv[1:])
