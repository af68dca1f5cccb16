"""Fixtures: the installed wheel, and one small run that all tests read."""

import importlib.metadata
import pathlib

import numpy as np
import pytest

import moncae

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "moncae"
SMALL = {"population": 4, "generations": 2, "epochs": 1, "finetune": 1, "seed": 3}


def pytest_sessionstart():
    assert pathlib.Path(moncae.__file__).parent != SOURCE, "the tests are for the installed wheel, not for the source tree"
    assert moncae.__version__ == importlib.metadata.version("moncae")


@pytest.fixture(scope="session")
def digits():
    """600 grey images of 12×12 with a bar at one of four places, and their labels."""
    rng = np.random.default_rng(46)
    labels = rng.integers(0, 4, 600)
    images = rng.integers(0, 60, (600, 12, 12), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3 * label : 3 * label + 3] = 220
    return images, labels


@pytest.fixture(scope="session")
def told():
    return []


@pytest.fixture(scope="session")
def run(tmp_path_factory, digits, told):
    return moncae.search(
        tmp_path_factory.mktemp("runs") / "bars", *digits, progress=False,
        on_candidate=lambda c: told.append(("candidate", c["id"])), on_generation=lambda g: told.append(("generation", g["generation"])), **SMALL,
    )


@pytest.fixture(scope="session")
def model(run):
    return run["best-loss"]
