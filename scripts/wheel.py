"""Unpack part of a PyPI wheel, without installing it.

    wheel.py REQUIREMENT DEST MARKER=SUBDIR...

pip downloads the wheel (no dependencies). Every member whose name holds MARKER
is written to DEST/SUBDIR/<the name from MARKER's last slash on>. A file named
DEST/.<requirement> marks what is whole: with it there, nothing is done.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

TAGS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
        "manylinux1_x86_64"]


def download(requirement: str, folder: str) -> pathlib.Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.12", "-d", folder]
    for tag in TAGS:
        command += ["--platform", tag]
    subprocess.run(command + [requirement], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def unpack(wheel: pathlib.Path, dest: pathlib.Path, rules: list[tuple[str, str]]) -> int:
    count = 0
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            for marker, subdir in rules:
                if marker not in name or name.endswith("/"):
                    continue
                start = name.index(marker) + marker.rfind("/") + 1
                path = dest / subdir / name[start:]
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(path.name + ".part")
                with archive.open(name) as source, open(part, "wb") as sink:
                    shutil.copyfileobj(source, sink)
                os.replace(part, path)
                count += 1
                break
    return count


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    requirement, dest = sys.argv[1], pathlib.Path(sys.argv[2])
    rules = [tuple(rule.split("=", 1)) for rule in sys.argv[3:]]
    stamp = dest / ("." + requirement)
    if stamp.exists():
        return
    dest.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(requirement, folder)
        if unpack(wheel, dest, rules) == 0:
            sys.exit(f"wheel.py: nothing in {wheel.name} matches {rules}")
    stamp.touch()


if __name__ == "__main__":
    main()
