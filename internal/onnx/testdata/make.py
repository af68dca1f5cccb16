"""Makes the models that the Go tests of this folder read. hashes.json says with which onnx.

    python make.py    # writes next to itself
"""
import hashlib
import json
import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(1)
hashes = {}


def save(name, graph, imports=(), **kw):
    domains = [h.make_opsetid("", 13)] + [h.make_opsetid(d, 1) for d in imports]
    m = h.make_model(graph, opset_imports=domains, ir_version=8 if imports else 7, **kw)
    m.metadata_props.add(key="note", value="made by onnx")
    with open(os.path.join(here, name), "wb") as f:
        f.write(m.SerializeToString(deterministic=True))
    hashes[name] = hashlib.sha256(m.graph.SerializeToString(deterministic=True)).hexdigest()


x = h.make_tensor_value_info("image", T.FLOAT, ["N", 1, 4, 4])
y = h.make_tensor_value_info("latent", T.FLOAT, ["N", 2, 2, 2])
w = nh.from_array(rng.standard_normal((2, 1, 3, 3)).astype(np.float32), "w")
b = h.make_tensor("b", T.FLOAT, [2], [0.25, -0.5])  # float_data, where w has raw_data
conv = h.make_node("Conv", ["image", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
pool = h.make_node("MaxPool", ["c"], ["latent"], kernel_shape=[2, 2], strides=[2, 2])
save("encoder.onnx", h.make_graph([conv, pool], "encoder", [x], [y], [w, b]))

# The same, and the initializers are inputs too, as IR versions before 4 had it.
wi = [h.make_tensor_value_info(t.name, T.FLOAT, list(t.dims)) for t in (w, b)]
save("listed.onnx", h.make_graph([conv, pool], "encoder", [x] + wi, [y], [w, b]))

# Weights in a file beside the model's, as PyTorch writes them; and pointers that lie.
rng_bytes = rng.standard_normal(20).astype(np.float32).tobytes()
with open(os.path.join(here, "weights.data"), "wb") as f:
    f.write(rng_bytes)


def elsewhere(**keys):
    e = onnx.TensorProto(name="w", data_type=T.FLOAT, dims=[2, 1, 3, 3], data_location=T.EXTERNAL)
    for key, value in keys.items():
        e.external_data.add(key=key, value=value)
    return h.make_graph([conv, pool], "encoder", [x], [y], [e, b])


save("external.onnx", elsewhere(location="weights.data", offset="8", length="72"))
loaded = onnx.load(os.path.join(here, "external.onnx"))  # with the weights
hashes["external.onnx"] = hashlib.sha256(loaded.graph.SerializeToString(deterministic=True)).hexdigest()
save("refused_external.onnx", elsewhere(location="../../secret"))
save("refused_missing.onnx", elsewhere(location="elsewhere.data"))
save("refused_short.onnx", elsewhere(location="weights.data", offset="16", length="72"))
save("refused_lie.onnx", elsewhere(location="weights.data", offset="-1"))

# A subgraph that uses a name from outside, and a function.
one = h.make_graph([h.make_node("MaxPool", ["c"], ["o"], kernel_shape=[2, 2], strides=[2, 2])], "then", [], [h.make_tensor_value_info("o", T.FLOAT, None)])
cond = h.make_tensor("cond", T.BOOL, [], [True])
branch = h.make_node("If", ["cond"], ["latent"], then_branch=one, else_branch=one)
save("subgraph.onnx", h.make_graph([conv, branch], "g", [x], [y], [w, b, cond]))

fn = h.make_function("local", "Halve", ["a"], ["b"], [h.make_node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2])], [h.make_opsetid("", 13)])
halve = h.make_node("Halve", ["c"], ["latent"], domain="local")
save("function.onnx", h.make_graph([conv, halve], "g", [x], [y], [w, b]), functions=[fn], imports=["local"])

# Refused: a sparse tensor.
sparse = h.make_sparse_tensor(h.make_tensor("w", T.FLOAT, [1], [1.0]), h.make_tensor("", T.INT64, [1], [0]), [2, 1, 3, 3])
save("refused_sparse.onnx", h.make_graph([conv, pool], "encoder", [x], [y], [b], sparse_initializer=[sparse]))

with open(os.path.join(here, "hashes.json"), "w") as f:
    json.dump({"onnx": onnx.__version__, "graphs": hashes}, f, indent=1)
    f.write("\n")
