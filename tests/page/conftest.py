"""A real search on images whose names hold markup, and a real browser on its page."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONCAE = ROOT / "bin/moncae"
MARKUP = '<img src=x onerror=alert(1)>'
SMALL = ["--population", "8", "--generations", "3", "--epochs", "2", "--finetune", "2", "--finetune-trial", "0", "--max-layers", "2", "--seed", "46"]


def moncae(*words, cwd=ROOT):
    done = subprocess.run([MONCAE, *map(str, words)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Bars on 16×16, lying in one class, standing in the other, whose name is markup."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    draw = np.random.default_rng(46)
    for name, axis in ((MARKUP, 0), ("lying & flat", 1)):
        (folder / name).mkdir(parents=True)
        for i in range(150):
            image = np.zeros((16, 16), np.uint8)
            at, width = draw.integers(0, 12), draw.integers(2, 5)
            image[at:at + width] = draw.integers(120, 256)
            Image.fromarray(image if axis else image.T).save(folder / name / f'"{i}"<b>.png')
    return folder


@pytest.fixture(scope="session")
def runs(tmp_path_factory, photos):
    """A folder of two runs; the first one's name holds markup, a quote and a space."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("it's <b>bold &amp;", 46), ("second", 29)):
        moncae("search", "--data", photos, "--run", folder / name, *SMALL[:-1], seed, "--no-export")
    return folder


@pytest.fixture(scope="session")
def run(runs):
    return next(p for p in runs.iterdir() if "bold" in p.name)


@pytest.fixture(scope="session")
def report(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "report.html"
    moncae("report", run, "--out", out)
    return out


@pytest.fixture(scope="session")
def browser():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        if os.environ.get("MONCAE_REQUIRE_CHROMIUM"):
            pytest.fail("no chromium")
        pytest.skip("no chromium: apt-get install chromium, or name one in CHROMIUM")
    with sync_playwright() as p:
        b = p.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield b
        b.close()


class Tab:
    """A page that keeps what went wrong on it."""

    def __init__(self, context):
        self.page = context.new_page()
        self.faults, self.requests = [], []
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.faults.append(m.text))
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("dialog", lambda d: (self.faults.append("dialog: " + d.message), d.dismiss()))
        self.page.on("request", lambda r: r.url.startswith(("data:", "blob:")) or self.requests.append(r.url))

    def open(self, address):
        self.page.goto(address)
        self.page.wait_for_selector("html.scripted")
        return self.page


@pytest.fixture
def tab(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    t = Tab(context)
    yield t
    context.close()
    assert t.faults == []
