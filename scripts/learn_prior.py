"""Learns search/surrogate/prior.json: what a search expects of a training before it has seen one.

    make prior        (an hour of a core; .deps/prior holds the runs, and the next call goes on with them)

Searches of three data sets, none of which docs/results.md measures a search on: scikit-learn's
digits (1,797 of 8×8), CIFAR-10 images scaled to 16×16 (2,500 that the 5,000 of scripts/search_data.py
don't hold), and patches of 24×24 from scikit-learn's two photographs. Random networks say what to
keep away from, those that a search has come to say what good ones differ by; so the prior depends on
the prior before it. internal/tools/learnprior fits it to them.
"""
import argparse
import pathlib
import subprocess

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from search_data import cifar

EPOCHS = {"digits": 6, "cifar16": 5, "patches24": 6}  # some 400 to 700 steps
SEARCHES = [("random", 101), ("ehvi", 101), ("ehvi", 102)]


def images(name: str, data: pathlib.Path) -> np.ndarray:
    if name == "digits":
        return (load_digits().images * 255 / 16).astype(np.uint8)
    if name == "cifar16":
        return np.stack([np.asarray(Image.fromarray(i).resize((16, 16), Image.BOX)) for i in cifar(data, 5000, 7500)])
    patches = []
    for photo in load_sample_images().images:
        for k in (1, 2):
            a = np.asarray(Image.fromarray(photo).resize((photo.shape[1] // k, photo.shape[0] // k), Image.BOX))
            patches += [a[y : y + 24, x : x + 24] for y in range(0, a.shape[0] - 23, 24) for x in range(0, a.shape[1] - 23, 24)]
    return np.stack(patches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder of cifar10-jpeg.zip")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(".deps/prior"))
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    runs = []
    for name, epochs in EPOCHS.items():
        source = a.work / f"{name}.npy"
        if not source.exists():
            np.save(source, images(name, a.data))
        for algorithm, seed in SEARCHES:
            run = a.work / f"{name}-{algorithm}-{seed}"
            flags = ["--data", source, "--algorithm", algorithm, "--seed", seed, "--epochs", epochs, "--finetune", 0, "--precision", "f32"]
            if (run / "run.json").exists():
                flags = ["--resume"]
            subprocess.run([a.moncae, "search", "--run", run, "--no-export", *map(str, flags)], check=True)
            runs.append(str(run))
    learn = ["go", "run", "-tags", "onednn", "./internal/tools/learnprior", *runs]
    learned = subprocess.run(learn, check=True, capture_output=True).stdout
    pathlib.Path("search/surrogate/prior.json").write_bytes(learned)


if __name__ == "__main__":
    main()
