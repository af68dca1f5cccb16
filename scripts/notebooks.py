"""Executes notebooks/*.ipynb from a clean state: their outputs dropped, in an
empty folder that they share, in the order of their names.

    .deps/venv/bin/python scripts/notebooks.py [--keep] [NAME…]

A cell that fails ends it with exit code 1. --keep writes the outputs into the
notebooks, for a commit. A notebook with `moncae.torch` in its metadata runs in
.deps/venv-torch, so that it meets PyTorch. Where that isn't set up it runs without,
or, with MONCAE_REQUIRE_TORCH or --keep, fails. The wheel of dist/ is installed into
.deps/package, where both find it.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import nbclient
import nbformat

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / ".deps/package"
TORCH = ROOT / ".deps/venv-torch/bin/python"
LIMIT = 1200  # seconds a cell may take: a loaded machine takes its time
LARGEST = 400_000  # bytes of a notebook with its outputs


def kernels(folder):
    """Writes kernel specifications below folder; gives their names."""
    pythons = {"moncae": sys.executable}
    if TORCH.exists() and subprocess.run([TORCH, "-c", "import torch, onnx2torch, ipykernel, onnxruntime"], capture_output=True).returncode == 0:
        pythons["moncae-torch"] = str(TORCH)
    for name, python in pythons.items():
        spec = folder / "kernels" / name
        spec.mkdir(parents=True)
        argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))
    return pythons


def install():
    """Puts the wheel where every kernel finds it."""
    (wheel,) = (ROOT / "dist").glob("moncae-*-py3-none-*.whl")
    shutil.rmtree(PACKAGE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", PACKAGE, wheel], check=True)
    os.environ["PYTHONPATH"] = str(PACKAGE)


def clean(book):
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("execution", None)


def main(words):
    keep = "--keep" in words
    names = [w for w in words if w != "--keep"]
    paths = sorted(p for p in (ROOT / "notebooks").glob("*.ipynb") if not names or p.stem in names or p.name in names)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.environ["JUPYTER_PATH"] = str(scratch / "jupyter")
        os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
        os.environ["IPYTHONDIR"] = str(scratch / "ipython")
        install()
        known = kernels(scratch / "jupyter")
        (scratch / "run").mkdir()
        for path in paths:
            book = nbformat.read(path, as_version=4)
            clean(book)
            torch = book.metadata.get("moncae", {}).get("torch") and "moncae-torch" in known
            kernel = "moncae-torch" if torch else "moncae"
            if book.metadata.get("moncae", {}).get("torch") and not torch:
                if keep or os.environ.get("MONCAE_REQUIRE_TORCH"):
                    sys.exit(f"{path.name}: {TORCH} has no PyTorch with a kernel: see tests/python/setup_torch.sh")
                print(f"{path.name}: without PyTorch, see tests/python/setup_torch.sh", flush=True)
            begin = time.monotonic()
            client = nbclient.NotebookClient(book, timeout=LIMIT, kernel_name=kernel, record_timing=False, coalesce_streams=True,
                                             resources={"metadata": {"path": str(scratch / "run")}})
            spec = dict(book.metadata["kernelspec"])
            try:
                client.execute()
            except nbclient.exceptions.CellExecutionError as failure:
                sys.exit(f"{path.name}: {failure}")
            print(f"{path.name}: {time.monotonic() - begin:.0f} s, {kernel}", flush=True)
            book.metadata = {**book.metadata, "kernelspec": spec, "language_info": {"name": "python"}}
            text = nbformat.writes(book) + "\n"
            if len(text) > LARGEST:
                sys.exit(f"{path.name}: {len(text)} bytes with its outputs, {LARGEST} are allowed: make its pictures smaller")
            if keep:
                path.write_text(text)


main(sys.argv[1:])
