"""Writes ops.json: what JAX makes of the ops, forward and backward.

    pip install jax==0.10.2 numpy==2.4.6
    python ops.py
"""

import json
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(2)
cases = []


def case(op, f, *inputs, **fields):
    inputs = [np.asarray(x, np.float32) for x in inputs]
    wide = [jnp.asarray(x, jnp.float64) for x in inputs]
    y, back = jax.vjp(f, *wide)
    dy = np.asarray(rng.normal(size=y.shape), np.float32)
    grads = back(jnp.asarray(dy, jnp.float64))
    array = lambda a: {"shape": list(a.shape), "values": np.asarray(a, np.float32).ravel().tolist()}
    cases.append({
        "op": op, "fields": fields, "inputs": [array(x) for x in inputs],
        "output": array(y), "dy": array(dy), "gradients": [array(g) for g in grads],
    })


def normal(*shape):
    return rng.normal(size=shape)


def conv(kernel, stride):
    pad = [(kernel // 2, kernel // 2)] * 2

    def f(x, w, b):
        y = lax.conv_general_dilated(x, w, (stride, stride), pad, dimension_numbers=("NCHW", "OIHW", "NCHW"))
        return y + b[None, :, None, None]

    return f


def transposed(kernel, h, w):
    # Zeros between the values, and a convolution with the kernel turned over.
    p = kernel - 1 - kernel // 2
    pad = [(p, p + 1 - side % 2) for side in (h, w)]

    def f(x, weight, b):
        turned = weight[:, :, ::-1, ::-1]
        y = lax.conv_general_dilated(x, turned, (1, 1), pad, lhs_dilation=(2, 2), dimension_numbers=("NCHW", "IOHW", "NCHW"))
        return y + b[None, :, None, None]

    return f


def norm(x, gamma, beta):
    mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    return (x - mean) / jnp.sqrt(var + 1e-3) * gamma[None, :, None, None] + beta[None, :, None, None]


def pool(x):
    # One row or column of −∞ on both ends of an odd side.
    pads = [(0, 0), (0, 0)] + [(side % 2, side % 2) for side in x.shape[2:]]
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), pads)


def upsample(h, w):
    # Every value doubled, then the first row or column cut off.
    return lambda x: x.repeat(2, 2).repeat(2, 3)[:, :, h % 2:, w % 2:]


for kernel in (1, 3, 5, 7):
    for stride in (1, 2):
        for c, h, w in ((3, 5, 4), (1, 4, 7), (2, 1, 2)):
            case("conv", conv(kernel, stride), normal(2, c, h, w), normal(2, c, kernel, kernel), normal(2),
                 kernel=kernel, stride=stride)
case("dense", lambda x, w, b: (x.reshape(3, -1) @ w.T + b)[:, :, None, None], normal(3, 2, 2, 3), normal(4, 12), normal(4))
for n, c, h, w in ((2, 3, 3, 2), (3, 1, 1, 2), (2, 2, 1, 1)):
    case("batch_norm", norm, normal(n, c, h, w), normal(c), normal(c))
for name, f in {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "leaky_relu": lambda x: jax.nn.leaky_relu(x, 0.01),
    "elu": jax.nn.elu,
    "silu": jax.nn.silu,
}.items():
    case("activation", f, 2 * normal(2, 3, 3, 2), activation=name)
for h, w in ((4, 6), (5, 7), (3, 4), (6, 1), (1, 1)):
    case("max_pool", pool, normal(2, 2, h, w))
    case("upsample", upsample(h, w), normal(2, 2, (h + 1) // 2, (w + 1) // 2), h=h, w=w)
target = rng.uniform(size=(2, 3, 2, 3))
case("bce", lambda z: (jax.nn.softplus(z) - z * target.astype(np.float32)).mean(), 3 * normal(2, 3, 2, 3))
cases[-1]["target"] = target.astype(np.float32).ravel().tolist()
case("mse", lambda z: ((jax.nn.sigmoid(z) - target.astype(np.float32)) ** 2).mean(), normal(2, 3, 2, 3))
cases[-1]["target"] = target.astype(np.float32).ravel().tolist()
labels = np.array([2, 0, 3])
case("xent", lambda z: -jax.nn.log_softmax(z[:, :, 0, 0])[jnp.arange(3), labels].mean(), 3 * normal(3, 4, 1, 1))
cases[-1]["target"] = labels.tolist()
for kernel in (1, 3, 5, 7):
    for c, h, w in ((3, 5, 4), (1, 4, 7), (2, 1, 2)):
        case("conv_transpose", transposed(kernel, h, w), normal(2, 2, (h + 1) // 2, (w + 1) // 2), normal(2, c, kernel, kernel),
             normal(c), kernel=kernel, h=h, w=w)

doc = {"made_with": {"jax": jax.__version__, "numpy": np.__version__}, "cases": cases}
pathlib.Path(__file__).with_name("ops.json").write_text(json.dumps(doc) + "\n")
