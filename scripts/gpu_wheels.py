"""Resolve the pip lines of docs/how-to/gpu.md, without installing anything.

Every line must resolve, to the libraries of one version of CUDA: that which the
page names before it.
"""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]


def resolve(arguments: list[str]) -> dict[str, str]:
    """Versions by name of what pip would install for CPython 3.12 on Linux."""
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:", "-q",
                   "--disable-pip-version-check", "--implementation", "cp", "--python-version", "3.12", "--target", target, "--report", "-"]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        report = subprocess.run(command + arguments, check=True, stdout=subprocess.PIPE).stdout
    return {i["metadata"]["name"]: i["metadata"]["version"] for i in json.loads(report)["install"]}


def cuda(name: str, version: str) -> str | None:
    """The version of CUDA that a package of NVIDIA's is for."""
    if suffix := re.search(r"-cu(\d+)$", name):
        return suffix[1]
    if name in ("nvidia-cuda-runtime", "nvidia-cuda-nvrtc", "nvidia-cublas"):
        return version.split(".")[0]
    return None


def main() -> None:
    page = (ROOT / "docs/how-to/gpu.md").read_text()
    lines = re.findall(r"CUDA (\d+)[^\n]*:\n\n<!--[^\n]*-->\n```sh\npip install ([^\n]+)\n", page)
    if len(lines) != 2:
        sys.exit(f"docs/how-to/gpu.md: {len(lines)} pip lines with a CUDA version before them, want 2")
    for wanted, line in lines:
        found = resolve(shlex.split(line))
        versions = {name: v for name, version in found.items() if (v := cuda(name, version))}
        print(f"pip install {line}: " + ", ".join(f"{n} {v}" for n, v in sorted(found.items()) if n.startswith(("nvidia", "onnx"))))
        if set(versions.values()) != {wanted} or not any("cudnn" in name for name in found):
            sys.exit(f"these are not the libraries of CUDA {wanted} alone: {versions}")


if __name__ == "__main__":
    main()
