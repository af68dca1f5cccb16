"""Writes ssim.json: random images and their SSIM by scikit-image.
Run: pip install numpy scikit-image; python fixture.py
"""
import json
from importlib.metadata import version

import numpy as np
from skimage.metrics import structural_similarity

rng = np.random.default_rng(3)
cases = []
for c, h, w, win in ((1, 9, 11, 7), (3, 8, 8, 7), (1, 28, 28, 7), (1, 6, 9, 5), (2, 3, 7, 3)):
    a = rng.uniform(0, 1, (c, h, w)).astype(np.float32)
    a[:, : h // 2] *= 0.1
    b = np.clip(a + rng.normal(0, 0.15, a.shape), 0, 1).astype(np.float32)
    s = structural_similarity(a.astype(float), b.astype(float), data_range=1, channel_axis=0, win_size=win)
    cases.append({"shape": [c, h, w], "a": [float(v) for v in a.ravel()], "b": [float(v) for v in b.ravel()], "ssim": float(s)})
with open("ssim.json", "w") as f:
    json.dump({"made_with": {p: version(p) for p in ("numpy", "scikit-image")}, "cases": cases}, f, separators=(",", ":"))
    f.write("\n")
