"""Writes optimizers.json: what Keras' optimisers make of fixed gradients.

    pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    KERAS_BACKEND=jax python optimizers.py
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np

RULES = {
    "adam": (keras.optimizers.Adam, {}, 0.01),
    "rmsprop": (keras.optimizers.RMSprop, {}, 0.01),
    "adagrad": (keras.optimizers.Adagrad, {}, 0.05),
    "adadelta": (keras.optimizers.Adadelta, {}, 1.0),
    "sgd": (keras.optimizers.SGD, {"momentum": 0.9}, 0.1),
}
STEPS, VALUES = 20, 6

rng = np.random.default_rng(1)
start = rng.normal(size=VALUES).astype(np.float32)
# Gradients of very different sizes, one of them 0.
scales = np.array([1, 1e-1, 1e-3, 1e-6, 10, 0])
gradients = (rng.normal(size=(STEPS, VALUES)) * scales).astype(np.float32)

doc = {
    "made_with": {"keras": keras.__version__, "jax": jax.__version__, "numpy": np.__version__},
    "start": start.tolist(),
    "gradients": gradients.tolist(),
    "rules": {},
}
for name, (make, options, rate) in RULES.items():
    optimizer = make(learning_rate=rate, **options)
    w = keras.Variable(start)
    optimizer.build([w])
    rates = [rate * (1 + i % 3) for i in range(STEPS)]
    steps = []
    for r, g in zip(rates, gradients):
        optimizer.learning_rate = r
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        steps.append(np.asarray(w.value).tolist())
    doc["rules"][name] = {"rates": rates, "weights": steps}

out = pathlib.Path(__file__).with_name("optimizers.json")
out.write_text(json.dumps(doc) + "\n")
