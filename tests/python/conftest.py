"""Fixtures: what moncae writes, made anew for this session by the Go side."""

import os
import pathlib
import subprocess

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

TORCH = os.environ.get("MONCAE_TORCH_PYTHON", str(ROOT / ".deps/venv-torch/bin/python"))

NETWORKS = ["digits", "mixed", "dense", "transposed", "drawn"]


@pytest.fixture(scope="session")
def vectors(tmp_path_factory):
    """A folder of exports, each with images.npy and what the pure-Go kernels make of them."""
    out = tmp_path_factory.mktemp("vectors")
    env = dict(os.environ, MONCAE_VECTORS=str(out))
    command = ["go", "test", "./export", "-run", "^TestWriteVectors$", "-count=1", "-v"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "--- SKIP" in done.stdout:
        pytest.skip(done.stdout)
    return out


class Export:
    """One exported network and its recorded values, NCHW."""

    def __init__(self, folder):
        import onnx

        self.folder = folder
        self.encoder = onnx.load(folder / "encoder.onnx")
        self.image_shape = dims(self.encoder.graph.input[0])
        self.latent_shape = dims(self.encoder.graph.output[0])
        self.images = self.array("images", self.image_shape)
        self.latents = self.array("latents", self.latent_shape)
        self.outputs = self.array("outputs", self.image_shape)

    def array(self, name, shape):
        return np.load(self.folder / f"{name}.npy").reshape(-1, *shape)

    def values(self, kind):
        """Input name, input, output name, wanted output of a kind of model."""
        return {
            "encoder": ("image", self.images, "latent", self.latents),
            "decoder": ("latent", self.latents, "image", self.outputs),
            "autoencoder": ("image", self.images, "reconstruction", self.outputs),
        }[kind]


def dims(value):
    """The fixed sides of a model's input or output, without the batch."""
    return [d.dim_value for d in value.type.tensor_type.shape.dim[1:]]


@pytest.fixture(params=NETWORKS)
def export(request, vectors):
    return Export(vectors / f"{request.param}-float32")


@pytest.fixture(params=NETWORKS)
def export16(request, vectors):
    return Export(vectors / f"{request.param}-float16")


@pytest.fixture(scope="session")
def torch_python():
    """The interpreter of the environment that setup_torch.sh makes, or MONCAE_TORCH_PYTHON."""
    try:
        done = subprocess.run([TORCH, "-c", "import torch, onnx2torch, pyarrow"], capture_output=True, text=True)
    except OSError as error:
        no_torch(f"no PyTorch environment: {error}; tests/python/setup_torch.sh makes one")
    if done.returncode != 0:
        no_torch(f"{TORCH} can't import torch, onnx2torch and pyarrow: {done.stderr.strip().splitlines()[-1]}")
    return TORCH


def no_torch(why):
    """Skips; where MONCAE_REQUIRE_TORCH is set, as in continuous integration, fails."""
    if os.environ.get("MONCAE_REQUIRE_TORCH"):
        pytest.fail(why)
    pytest.skip(why)
