"""Exports in PyTorch, through onnx2torch: the same numbers, and trainable."""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def test_forward_and_a_training_step(export, torch_python):
    done = subprocess.run([torch_python, str(HERE / "torch_check.py"), str(export.folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for kind in ("encoder", "decoder", "autoencoder"):
        assert report[kind] <= 1e-4, report
    assert report["gradients"] > 0 and report["after"] < report["before"], report
