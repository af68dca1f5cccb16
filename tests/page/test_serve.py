"""`moncae serve`: a list of runs, a comparison, a run that goes on, and who may see them."""

import contextlib
import json
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from conftest import MONCAE, ROOT, moncae


@contextlib.contextmanager
def serving(*words):
    process = subprocess.Popen([MONCAE, "serve", "--address", "127.0.0.1:0", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        yield re.search(r"http://\S+", line)[0].rstrip("/")
    finally:
        process.terminate()
        assert process.wait(20) in (0, 130)


def until(page, expression, argument=None, seconds=120):
    """Asks from outside: the page's policy forbids what wait_for_function does."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(200)


def test_a_list_and_a_comparison(tab, runs):
    with serving(runs) as address:
        page = tab.page
        page.goto(address)
        names = page.eval_on_selector_all("tbody a", "all => all.map(a => a.textContent)")
        assert sorted(names) == sorted(p.name for p in runs.iterdir())
        for box in page.query_selector_all("input[type=checkbox]"):
            box.check()
        page.click("button")
        page.wait_for_selector("html.scripted")
        text = page.inner_text("body")
        assert "seed" in text and "46" in text and "29" in text
        assert page.evaluate("data.runs.length") == 2
        held_against_compare(page, runs)
        page.goto(address)
        page.click("tbody a >> nth=0")
        page.wait_for_selector("html.scripted")
        assert page.query_selector_all("#rows tr")
        assert all(r.startswith(address) for r in tab.requests)


def held_against_compare(page, runs):
    """The page's curves, attainment and tables are those that `moncae compare` prints."""
    names = page.evaluate("data.runs.map(r => r.name)")
    printed = moncae("compare", *(runs / n for n in names))
    said = json.loads(moncae("compare", *(runs / n for n in names), "--json"))
    text = " ".join(page.inner_text("body").split())
    for line in printed.splitlines():
        if "─" not in line and line.strip():
            assert " ".join(line.split()) in text
    mine = {r["name"]: r["curves"] for g in said["groups"] for r in g["runs"]}
    assert {r["name"]: r["curves"] for r in page.evaluate("data.runs")} == mine
    for axis in ("trainings", "steps", "seconds"):
        page.select_option("#choose-progress", axis)
        drawn = page.evaluate("charts.get('progress').getOption().series.map(s => [s.name, s.data])")
        assert {name: points for name, points in drawn} == {name: curves[axis] for name, curves in mine.items()}
    assert page.is_visible("#attained canvas")
    page.click("#attained summary")
    page.wait_for_selector("#attained tbody tr")  # the table is made when it is opened
    assert len(page.query_selector_all("#attained tbody tr")) == sum(len(next(s for s in g["attainment"] if s["runs"] == (len(g["runs"]) + 1) // 2)["points"]) for g in said["groups"])


def test_a_run_goes_on_without_reload(tab, photos, tmp_path):
    run = tmp_path / "live"
    search = subprocess.Popen([MONCAE, "search", "--data", photos, "--run", run, "--no-export", "--epochs", "60", "--population", "6", "--generations", "3", "--max-layers", "2", "--seed", "5",
                               "--finetune", "2", "--finetune-trial", "0", "--patience", "0"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for line in search.stderr:  # the first generation's line
            if line.startswith("generation 1/"):
                break
        with serving(run) as address:
            page = tab.page
            page.goto(address + "/")
            page.wait_for_selector("html.scripted")
            page.evaluate("window.marker = 1")
            before = page.evaluate("data.trainings.length")
            until(page, "n => data.trainings.length > n", before)
            assert page.evaluate("$('live-bar').value") > 0
            assert search.wait(240) == 0
            until(page, "$('live-text').textContent.includes('finished')")
            until(page, "!data.run.subtitle.includes('not finished')")
            assert page.evaluate("window.marker") == 1
    finally:
        search.kill()
        search.wait()


def test_other_host_names_are_refused(run):
    with serving(run) as address:
        request = urllib.request.Request(address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 403
