#!/usr/bin/env python3
"""Make the arrays of this folder: value k of the uint8 images is 7·k mod 256.

    python make.py        # numpy 2.x
"""
import pathlib

import numpy as np

OUT = pathlib.Path(__file__).parent
n = (np.arange(6 * 3 * 4 * 3) * 7 % 256).astype(np.uint8)
nhwc = n.reshape(6, 3, 4, 3)
grey = n.reshape(18, 3, 4)
labels = np.arange(18) % 5
for dtype in ("u1", "i8", ">u2", "<i4"):
    np.save(OUT / f"grey-{dtype.strip('<>')}.npy", grey.astype(dtype))
for dtype in ("f2", "<f4", ">f8"):
    np.save(OUT / f"grey-{dtype.strip('<>')}.npy", (grey / 255).astype(dtype))
np.save(OUT / "grey-b1.npy", grey > 127)
np.save(OUT / "nhwc.npy", nhwc)
np.save(OUT / "nchw.npy", np.ascontiguousarray(nhwc.transpose(0, 3, 1, 2)))
np.savez(OUT / "keras.npz", x_train=grey[:12], y_train=labels[:12].astype(np.uint8), x_test=grey[12:], y_test=labels[12:].reshape(6, 1))
np.savez_compressed(OUT / "whole.npz", images=nhwc, labels=labels[:6].astype("i8"), extra=np.zeros(3))
np.save(OUT / "single.npy", np.resize(n, (12, 12, 3)))
np.savez(OUT / "narrow.npz", x=np.resize(n, (12, 12, 3)), y=np.arange(12))  # a label an image: 12 images
np.save(OUT / "symmetric.npy", (grey / 127.5 - 1).astype("f4"))
np.save(OUT / "deep.npy", grey.astype("u2") * 16)
np.save(OUT / "bad-nan.npy", np.full((2, 3, 4), np.nan))
np.save(OUT / "bad-fortran.npy", np.asfortranarray(grey))
np.save(OUT / "bad-range.npy", grey.astype("f4"))
np.save(OUT / "bad-negative.npy", grey.astype("i2") - 1)
np.save(OUT / "bad-objects.npy", np.array([{}], dtype=object), allow_pickle=True)
np.save(OUT / "bad-complex.npy", grey.astype("c16")[:1])
np.save(OUT / "bad-flat.npy", n.reshape(18, 12))
np.savez(OUT / "bad-count.npz", x=grey, y=labels[:5])
np.savez(OUT / "names.npz", foo=grey, bar=labels)
np.savez(OUT / "measures.npz", x=grey, y=labels / 2)
