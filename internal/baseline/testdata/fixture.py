"""Writes pca.json: digits of scikit-learn, the mean image's loss, and PCA's
reconstructions: of σ(a·x + b) and x clipped to [ε, 1 − ε], both fitted on the
training images, the one with the smaller BCE.
Run: pip install numpy scipy scikit-learn scikit-image; python fixture.py
"""
import base64
import json
from importlib.metadata import version

import numpy as np
from scipy.optimize import minimize
from skimage.metrics import structural_similarity
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

images = np.round(load_digits().images[:260] * (255 / 16)).astype(np.uint8).reshape(260, 64)
x = images.astype(np.float64) / 255
train, val = x[:200], x[200:]


def bce(z, t):
    return float(np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))))


def cross(p, t):
    return float(np.mean(-t * np.log(p) - (1 - t) * np.log1p(-p)))


def figures(train, k, val=val):
    pca = PCA(n_components=k, svd_solver="full").fit(train)
    back = lambda v: pca.inverse_transform(pca.transform(v))
    r = back(train)
    fit = minimize(lambda p: bce(p[0] * r + p[1], train), [4.0, -2.0], method="BFGS", options={"gtol": 1e-10})
    linked = bce(fit.x[0] * back(val) + fit.x[1], val)
    margin = min((2.0**-e for e in range(2, 25)), key=lambda e: cross(np.clip(r, e, 1 - e), train))
    cut = cross(np.clip(back(val), margin, 1 - margin), val)
    clipped = np.clip(back(val), 0, 1)
    mse = float(np.mean((clipped - val) ** 2))
    ssim = np.mean([structural_similarity(a.reshape(8, 8), b.reshape(8, 8), data_range=1) for a, b in zip(val, clipped)])
    return {"train": len(train), "values": k, "bce": min(linked, cut), "mse": mse, "psnr": -10 * np.log10(mse), "ssim": float(ssim)}


mean = np.clip(train.mean(0), 1e-4, 1 - 1e-4)
with open("pca.json", "w") as f:
    json.dump({
        "made_with": {p: version(p) for p in ("numpy", "scipy", "scikit-learn", "scikit-image")},
        "rows": 260, "train": 200, "shape": [1, 8, 8], "images": base64.b64encode(images.tobytes()).decode(),
        "mean_image": {"bce": float(np.mean(-val * np.log(mean) - (1 - val) * np.log1p(-mean))), "mse": float(np.mean((val - mean) ** 2))},
        "pca": [figures(train, 1), figures(train, 8), figures(train, 40), figures(train[:50], 12)],
        "pca_binary": [figures(np.round(train), 16, np.round(val))],
    }, f, separators=(",", ":"))
    f.write("\n")
