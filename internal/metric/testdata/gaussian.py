"""Writes gaussian.json: random images, their SSIM with Gaussian weights by scikit-image
and its gradient, which is a difference of scikit-image's own values.
Run: pip install numpy scikit-image; python gaussian.py
"""
import json
from importlib.metadata import version

import numpy as np
from skimage.metrics import structural_similarity


def ssim(a, b):
    return structural_similarity(a, b, data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)


rng = np.random.default_rng(5)
cases = []
for c, h, w in ((1, 11, 11), (3, 12, 15), (1, 28, 28)):
    a = rng.uniform(0, 1, (c, h, w)).astype(np.float32).astype(float)
    a[:, : h // 2] *= 0.125
    b = np.clip(a + rng.normal(0, 0.15, a.shape), 0, 1).astype(np.float32).astype(float)
    slope = []
    for _ in range(12):
        at = tuple(int(rng.integers(n)) for n in b.shape)
        moved = {}
        for step in (-1e-4, 1e-4):
            m = b.copy()
            m[at] += step
            moved[step] = ssim(a, m)
        slope.append([int(np.ravel_multi_index(at, b.shape)), (moved[1e-4] - moved[-1e-4]) / 2e-4])
    cases.append({"shape": [c, h, w], "a": list(a.ravel()), "b": list(b.ravel()), "ssim": float(ssim(a, b)), "slope": slope})
with open("gaussian.json", "w") as f:
    json.dump({"made_with": {p: version(p) for p in ("numpy", "scikit-image")}, "cases": cases}, f, separators=(",", ":"))
    f.write("\n")
