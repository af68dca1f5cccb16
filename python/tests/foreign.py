"""Models that aren't moncae's, written by hand: the tests need no package onnx."""

import json


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value):
    return (bytes([value & 127 | 128]) + _varint(value >> 7)) if value > 127 else bytes([value])


def _tensor(name, sides, kind=1):
    dims = b"".join(_field(1, _field(1, side) if isinstance(side, int) else _field(2, side)) for side in sides)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def identity(path, sides, preprocess=None, outputs=("latent",), given="image"):
    """A model whose outputs are its input, float32 N×sides; preprocess goes into its metadata."""
    graph = b"".join(_field(1, _field(1, given) + _field(2, name) + _field(4, "Identity")) for name in outputs) + _field(2, "g")
    graph += _field(11, _tensor(given, ["N", *sides])) + b"".join(_field(12, _tensor(name, ["N", *sides])) for name in outputs)
    model = _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
    if preprocess is not None:
        text = preprocess if isinstance(preprocess, str) else json.dumps(preprocess)
        model += _field(14, _field(1, "moncae.preprocess") + _field(2, text))
    path.write_bytes(model)
    return path
