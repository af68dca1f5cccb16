"""Makes the data sets that searches are measured on, beside the built-in mnist-mini:

    python scripts/search_data.py --data FOLDER --out FOLDER

FOLDER of --data holds cifar10-jpeg.zip. cifar5k.npy are 5,000 of its training images, drawn with seed 0;
patches64.npy are the patches of 64×64 of scikit-learn's photographs, at full and at half size, every 32 pixels.
"""
import argparse
import io
import pathlib
import zipfile

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images


def cifar(folder: pathlib.Path, begin: int, end: int) -> list[np.ndarray]:
    with zipfile.ZipFile(folder / "cifar10-jpeg.zip") as z:
        names = sorted(n for n in z.namelist() if "/train/" in n and n.endswith(".jpg"))
        order = np.random.default_rng(0).permutation(len(names))
        return [np.asarray(Image.open(io.BytesIO(z.read(names[i]))).convert("RGB")) for i in order[begin:end]]


def patches() -> np.ndarray:
    found = []
    for photo in load_sample_images().images:
        for k in (1, 2):
            a = np.asarray(Image.fromarray(photo).resize((photo.shape[1] // k, photo.shape[0] // k), Image.BOX))
            found += [a[y : y + 64, x : x + 64] for y in range(0, a.shape[0] - 63, 32) for x in range(0, a.shape[1] - 63, 32)]
    return np.stack(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    np.save(a.out / "cifar5k.npy", np.stack(cifar(a.data, 0, 5000)))
    np.save(a.out / "patches64.npy", patches())


if __name__ == "__main__":
    main()
