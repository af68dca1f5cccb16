#!/usr/bin/env python3
"""Make .mat files in SVHN's layout: X[h, w, c, n] = 64·n + 16·c + 4·h + w + 1.

    python make.py        # scipy 1.x, numpy 2.x
"""
import pathlib

import numpy as np
from scipy.io import savemat

OUT = pathlib.Path(__file__).parent
h, w, c, n = np.mgrid[0:4, 0:3, 0:3, 0:3]
x = (64 * n + 16 * c + 4 * h + w + 1).astype(np.uint8)
y = np.array([[1], [10], [9]], np.uint8)
savemat(OUT / "train_32x32.mat", {"X": x, "y": y}, do_compression=True)
savemat(OUT / "test_32x32.mat", {"X": x, "other": "text", "y": y.astype(float)})
savemat(OUT / "bad-labels.mat", {"X": x, "y": y[:2]})
savemat(OUT / "fractions.mat", {"X": x / 255})
savemat(OUT / "words.mat", {"X": x.astype(np.uint16)})
savemat(OUT / "bad-values.mat", {"X": x + 12.0, "y": y})
savemat(OUT / "bad-names.mat", {"fea": np.zeros((3, 4)), "gnd": y, "info": {"a": [1, "b"]}})
