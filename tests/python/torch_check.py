"""Run by test_torch.py in the environment of setup_torch.sh: converts an export
with onnx2torch, compares a forward pass and makes one training step.

    python torch_check.py FOLDER

prints JSON: for each model the largest difference, and the loss before and
after a step of SGD on the autoencoder.
"""

import json
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import onnx
import torch
from onnx2torch import convert

folder = pathlib.Path(sys.argv[1])


def dims(value):
    return [d.dim_value for d in value.type.tensor_type.shape.dim[1:]]


def load(name, shape):
    return torch.from_numpy(np.load(folder / f"{name}.npy").reshape(-1, *shape))


models = {k: onnx.load(str(folder / f"{k}.onnx")) for k in ("encoder", "decoder", "autoencoder")}
image_shape = dims(models["encoder"].graph.input[0])
latent_shape = dims(models["encoder"].graph.output[0])
images, latents, outputs = load("images", image_shape), load("latents", latent_shape), load("outputs", image_shape)

report = {"torch": torch.__version__}
for kind, (x, want) in {"encoder": (images, latents), "decoder": (latents, outputs), "autoencoder": (images, outputs)}.items():
    module = convert(models[kind]).eval()
    with torch.no_grad():
        got = module(x)
    assert got.shape == want.shape, (kind, got.shape, want.shape)
    report[kind] = float((got - want).abs().max() / max(1.0, float(want.abs().max())))

module = convert(models["autoencoder"]).train()
parameters = list(module.parameters())
optimizer = torch.optim.SGD(parameters, lr=1e-2)
loss = torch.nn.functional.mse_loss(module(images), images)
loss.backward()
report["gradients"] = sum(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in parameters)
optimizer.step()
report["before"] = float(loss)
with torch.no_grad():
    report["after"] = float(torch.nn.functional.mse_loss(module(images), images))
print(json.dumps(report))
