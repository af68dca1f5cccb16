#!/usr/bin/env python3
"""Choose mnist-mini, the data set that moncae has built in.

5,000 training and 1,000 test images of MNIST, stratified: from every digit its
share (Hamilton's method, ties to the smaller digit), drawn without replacement
by Python's Mersenne Twister with seed 20240229, in the order of the originals.
The files are gzip IDX with a zero time stamp, so they come out the same each time.

    scripts/mnist_mini.py MNIST_FOLDER internal/dataset/mini

MNIST_FOLDER holds the four files of MNIST, gzip. Needs Python 3.8, nothing else.
MNIST is by Y. LeCun and C. Cortes, licensed CC BY-SA 3.0.
"""
import gzip
import pathlib
import random
import struct
import sys

SEED = 20240229
SIZES = {"train": 5000, "t10k": 1000}


def read(folder, split):
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as f:
        magic, n, h, w = struct.unpack(">4I", f.read(16))
        assert (magic, h, w) == (0x803, 28, 28), "not MNIST's images"
        images = f.read()
    with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz") as f:
        magic, m = struct.unpack(">2I", f.read(8))
        assert (magic, m) == (0x801, n), "not MNIST's labels"
        labels = f.read()
    assert len(images) == n * 784 and len(labels) == n, "a file is cut off"
    return images, labels


def choose(labels, total, rng):
    rows = {c: [i for i, l in enumerate(labels) if l == c] for c in range(10)}
    quota = {c: len(r) * total // len(labels) for c, r in rows.items()}
    by_remainder = sorted(rows, key=lambda c: (-(len(rows[c]) * total % len(labels)), c))
    for c in by_remainder[: total - sum(quota.values())]:
        quota[c] += 1
    return sorted(i for c in rows for i in rng.sample(rows[c], quota[c]))


def write(path, header, data):
    path.write_bytes(gzip.compress(header + data, compresslevel=9, mtime=0))


def main(mnist, out):
    rng = random.Random(SEED)
    out.mkdir(parents=True, exist_ok=True)
    for split, total in SIZES.items():
        images, labels = read(mnist, split)
        rows = choose(labels, total, rng)
        write(out / f"{split}-images-idx3-ubyte.gz", struct.pack(">4I", 0x803, total, 28, 28),
              b"".join(images[784 * i : 784 * i + 784] for i in rows))
        write(out / f"{split}-labels-idx1-ubyte.gz", struct.pack(">2I", 0x801, total),
              bytes(labels[i] for i in rows))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
