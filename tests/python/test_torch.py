"""Exports in PyTorch, through onnx2torch: the same numbers, and trainable.

Needs the environment that setup_torch.sh makes (or MONCAE_TORCH_PYTHON, an
interpreter with torch, onnx and onnx2torch)."""

import json
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = os.environ.get("MONCAE_TORCH_PYTHON", str(HERE.parents[1] / ".deps/venv-torch/bin/python"))


def missing(why):
    """Skips; where MONCAE_REQUIRE_TORCH is set, as in continuous integration, fails."""
    if os.environ.get("MONCAE_REQUIRE_TORCH"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def torch_python():
    try:
        done = subprocess.run([PYTHON, "-c", "import torch, onnx2torch"], capture_output=True, text=True)
    except OSError as error:
        missing(f"no PyTorch environment: {error}; tests/python/setup_torch.sh makes one")
    if done.returncode != 0:
        missing(f"{PYTHON} can't import torch and onnx2torch: {done.stderr.strip().splitlines()[-1]}")
    return PYTHON


def test_forward_and_a_training_step(export, torch_python):
    done = subprocess.run([torch_python, str(HERE / "torch_check.py"), str(export.folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for kind in ("encoder", "decoder", "autoencoder"):
        assert report[kind] <= 1e-4, report
    assert report["gradients"] > 0 and report["after"] < report["before"], report
