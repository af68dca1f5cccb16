"""Makes the data sets that searches are measured on, beside the built-in mnist-mini:

    make search-data OUT=FOLDER [MONCAE_DATA=FOLDER]

patches64.npy are patches of 64×64 of the colour photographs that come with scikit-image and scikit-learn, at full and
at half size, none overlapping another of its size: a few hundred. cifar5k.npy are 5,000 training images of CIFAR-10,
drawn with seed 0 from the file cifar10-jpeg.zip of MONCAE_DATA; without that folder it is left out.
"""
import argparse
import io
import pathlib
import zipfile

import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_images

SIDE = 64
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket")


def cifar(folder: pathlib.Path, begin: int, end: int) -> np.ndarray:
    with zipfile.ZipFile(folder / "cifar10-jpeg.zip") as z:
        names = sorted(n for n in z.namelist() if "/train/" in n and n.endswith(".jpg"))
        order = np.random.default_rng(0).permutation(len(names))
        return np.stack([np.asarray(Image.open(io.BytesIO(z.read(names[i]))).convert("RGB")) for i in order[begin:end]])


def photographs() -> list[np.ndarray]:
    """Those that are files of the packages: nothing is downloaded."""
    folder = pathlib.Path(skimage.data.__file__).parent
    files = [next(folder.glob(f"{name}.*")) for name in PHOTOGRAPHS]
    return [np.asarray(Image.open(f).convert("RGB")) for f in files] + list(load_sample_images().images)


def patches() -> np.ndarray:
    found = []
    for photo in photographs():
        for k in (1, 2):
            a = np.asarray(Image.fromarray(photo).resize((photo.shape[1] // k, photo.shape[0] // k), Image.BOX))
            corners = [(y, x) for y in range(0, a.shape[0] - SIDE + 1, SIDE) for x in range(0, a.shape[1] - SIDE + 1, SIDE)]
            found += [a[y : y + SIDE, x : x + SIDE] for y, x in corners]
    return np.stack(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="folder with cifar10-jpeg.zip")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    np.save(a.out / "patches64.npy", patches())
    if a.data:
        np.save(a.out / "cifar5k.npy", cifar(a.data, 0, 5000))


if __name__ == "__main__":
    main()
