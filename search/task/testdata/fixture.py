"""Writes ridge.json: scikit-learn's ridge regression from standardised values to
one-hot classes. Run: pip install numpy scikit-learn; python fixture.py
"""
import json
from importlib.metadata import version

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(5)
cases = []
for n, d in ((30, 4), (12, 20)):
    x, v = rng.normal(2, 3, (n, d)), rng.normal(2, 3, (5, d))
    x[:, 1] = v[:, 1] = 7  # doesn't vary
    labels = rng.integers(0, 3, n)
    scaler = StandardScaler().fit(x)
    model = Ridge(alpha=1e-2 * n).fit(scaler.transform(x), np.eye(3)[labels])
    cases.append({"x": x.tolist(), "v": v.tolist(), "labels": labels.tolist(), "scores": model.predict(scaler.transform(v)).tolist()})
with open("ridge.json", "w") as f:
    json.dump({"made_with": {p: version(p) for p in ("numpy", "scikit-learn")}, "cases": cases}, f, separators=(",", ":"))
    f.write("\n")
