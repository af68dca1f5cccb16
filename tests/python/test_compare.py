"""`moncae compare`, computed again: from the journals, by scipy, numpy and a hypervolume of boxes."""

import itertools
import json
import math
import pathlib
import re
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import PermutationMethod, mannwhitneyu, wilcoxon

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONCAE = ROOT / "bin/moncae"
AXES = ["trainings", "steps", "seconds"]
SEEDS = [1, 2, 3]
SMALL = "--population 4 --generations 2 --epochs 9 --batch 16 --max-layers 2 --max-filters 8 --no-export --finetune 1 --finetune-trial 0".split()


def moncae(*words, cwd=None):
    done = subprocess.run([MONCAE, *map(str, words)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs of two algorithms with finetuning, and trials of which some fail and some are equal."""
    out = tmp_path_factory.mktemp("compare")
    moncae("data", "convert", "mnist-mini", "--limit", "180", "--split", "train", "--format", "npz", "--out", out / "digits.npz")
    for algorithm, seed in itertools.product(["random", "nsga2"], SEEDS):
        moncae("search", "--data", out / "digits.npz", "--run", out / f"{algorithm}-{seed}", "--algorithm", algorithm, "--seed", seed, *SMALL)
    draw = np.random.default_rng(46)
    for seed in SEEDS:
        with open(out / f"drawn-{seed}.jsonl", "w") as f:
            print(json.dumps({"format": "moncae.trials", "version": 1, "seed": seed}), file=f)
            order = draw.permutation(12)
            for trial in order:
                point = {"loss": round(draw.uniform(0.1, 0.4), 1), "loc": round(draw.uniform(0.5, 3.2), 1), "size": 7}
                line = {"trial": int(trial), "steps": int(draw.integers(0, 30)), "seconds": round(draw.uniform(0, 9), 3), "objectives": None if draw.uniform() < 0.2 else point}
                print(json.dumps(line), file=f)
    return out


def run_trials(path):
    """(steps, seconds, point or None) of a run's trainings as they were bred, and its reference."""
    manifest = json.loads((path / "run.json").read_text())
    trials, begun = {}, 0.0
    elapsed = 0.0
    for line in (path / "journal.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "session":
            begun += elapsed
        elapsed = record["data"].get("elapsed", 0.0)
        event = record["data"].get("event", {})
        if record["kind"] == "candidate" and "network" in event:
            result = event.get("result")
            point = result and (result["objectives"]["loss"], result["objectives"]["loc"])
            trials[event["generation"], event["index"]] = (event["steps"], begun + elapsed, point)
    return [trials[k] for k in sorted(trials)], manifest["reference"], manifest["seed"]


def file_trials(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()][1:]
    return [(t["steps"], t["seconds"], t["objectives"] and (t["objectives"]["loss"], t["objectives"]["loc"])) for t in sorted(lines, key=lambda t: t["trial"])]


def volume(points, reference):
    """The hypervolume by adding up the cells of the grid that the points span, exactly: equal fronts tie, whatever else was trained."""
    points = [tuple(map(Fraction, p)) for p in points if p and all(a < b for a, b in zip(p, reference))]
    reference = tuple(map(Fraction, reference))
    cuts = [sorted({p[k] for p in points} | {reference[k]}) for k in range(len(reference))]
    total = Fraction(0)
    for cell in itertools.product(*(range(len(c) - 1) for c in cuts)):
        low = [cuts[k][i] for k, i in enumerate(cell)]
        if any(all(a <= b for a, b in zip(p, low)) for p in points):
            total += math.prod(cuts[k][i + 1] - cuts[k][i] for k, i in enumerate(cell))
    return float(total)


class Search:
    def __init__(self, trials, reference, seed):
        self.trials, self.reference, self.seed = trials, reference, seed

    def spent(self, axis):
        """Of each trial, what was spent when it was over; trials in the axis' order."""
        trials = sorted(self.trials, key=lambda t: t[1]) if axis == "seconds" else self.trials
        if axis == "seconds":
            return [(t[1], t) for t in trials]
        each = [1 if axis == "trainings" else t[0] for t in trials]
        return list(zip(itertools.accumulate(each), trials))

    def total(self, axis):
        return self.spent(axis)[-1][0]

    def at(self, axis, budget=math.inf):
        return volume([t[2] for at, t in self.spent(axis) if at <= budget], self.reference)

    def reach(self, axis, wanted):
        return next((at for at, _ in self.spent(axis) if self.at(axis, at) >= wanted - 1e-12), math.inf)


@pytest.fixture(scope="module")
def searches(folder):
    groups = {name: [Search(*run_trials(folder / f"{name}-{seed}")) for seed in SEEDS] for name in ("random", "nsga2")}
    groups["drawn"] = [Search(file_trials(folder / f"drawn-{seed}.jsonl"), mine.reference, seed) for seed, mine in zip(SEEDS, groups["random"])]
    return groups


WORDS = ["--group", "random=random-1,random-2,random-3", "--group", "nsga2=nsga2-*", "--group", "drawn=drawn-*.jsonl"]


@pytest.fixture(scope="module")
def compared(folder):
    return json.loads(moncae("compare", *WORDS, "--json", cwd=folder))


def same(a, b):
    assert a == pytest.approx(b, rel=1e-9, abs=1e-12)


def test_hypervolumes_at_equal_budgets(searches, compared):
    everyone = [s for group in searches.values() for s in group]
    for axis in AXES:
        same(compared["budgets"][axis], min(s.total(axis) for s in everyone))
    for group in compared["groups"]:
        assert group["final"]["median"] > 0  # else the test shows nothing
        mine = searches[group["name"]]
        for said, s in zip(group["runs"], mine, strict=True):
            assert (said["seed"], said["reference"]) == (s.seed, s.reference)
            assert said["failed"] == sum(t[2] is None for t in s.trials)
            same(said["final"], s.at("trainings"))
            for axis in AXES:
                same(said["spent"][axis], s.total(axis))
                same(said["at_budget"][axis], s.at(axis, compared["budgets"][axis]))
                for at, v in said["curves"][axis]:
                    same(v, s.at(axis, at))
                    assert v == 0 or at == s.total(axis) or s.at(axis, np.nextafter(at, -1)) < v
        for axis, d in [*group["at_budget"].items(), ("final", group["final"])]:
            values = [s.at("trainings") if axis == "final" else s.at(axis, compared["budgets"][axis]) for s in mine]
            same([d["median"], d["mean"], *d["quartiles"]], [np.median(values), np.mean(values), *np.quantile(values, [0.25, 0.75])])


def test_rank_tests(searches, compared):
    assert len(compared["pairs"]) == 3
    for pair in compared["pairs"]:
        a, b = searches[pair["a"]], searches[pair["b"]]
        for axis in AXES:
            x, y = ([s.at(axis, compared["budgets"][axis]) for s in g] for g in (a, b))
            want = mannwhitneyu(x, y)
            got = pair["test"][axis]
            same([got["u"], got["p"], got["effect"]], [want.statistic, want.pvalue, want.statistic / 9])
            assert pair["better"][axis] == sum(i > j for i, j in zip(x, y)) and pair["seeds"] == 3
            differ = np.array([i - j for i, j in zip(x, y) if abs(i - j) > 1e-12])
            got = pair["paired"][axis]
            want = wilcoxon(differ, method=PermutationMethod(n_resamples=np.inf)).pvalue if len(differ) > 1 else 1  # one pair or none says nothing
            same(got["p"], want)
            assert got["pairs"] == len(differ) and got["exact"]


def test_when_others_ends_are_reached(searches, compared):
    assert len(compared["reaches"]) == 6
    for r in compared["reaches"]:
        mine, theirs = searches[r["group"]], searches[r["of"]]
        wanted = np.median([s.at("trainings") for s in theirs])
        same(r["hypervolume"], wanted)
        assert r["reached"] == sum(s.at("trainings") >= wanted - 1e-12 for s in mine)
        for axis in AXES:
            want = np.median([s.reach(axis, wanted) if wanted > 0 else 0 for s in mine])
            if math.isinf(want):
                assert r["spent"][axis] is None and r["share"][axis] is None
            else:
                same([r["spent"][axis], r["share"][axis]], [want, want / np.median([s.total(axis) for s in theirs])])


def test_attainment(searches, compared):
    """A point is attained by as many searches as have one that is nowhere worse."""
    for group in compared["groups"]:
        mine = searches[group["name"]]
        sets = [[t[2] for t in s.trials if t[2] and all(a < b for a, b in zip(t[2], s.reference))] for s in mine]
        attained = lambda p: sum(any(q[0] <= p[0] and q[1] <= p[1] for q in points) for points in sets)
        assert [f["runs"] for f in group["attainment"]] == [1, 2, 3]
        for surface in group["attainment"]:
            k, corners = surface["runs"], surface["points"]
            for x, y in corners:
                assert attained((x, y)) >= k and attained((np.nextafter(x, 0), y)) < k and attained((x, np.nextafter(y, 0))) < k
            for p in itertools.chain(*sets):  # nothing attained lies beyond the surface
                if attained(p) >= k:
                    assert any(x <= p[0] and y <= p[1] for x, y in corners)


def test_one_reference_for_all(folder, searches):
    c = json.loads(moncae("compare", *WORDS, "--reference", "0.5,3.5", "--json", cwd=folder))
    assert c["reference"] == [0.5, 3.5]
    for group in c["groups"]:
        for said, s in zip(group["runs"], searches[group["name"]], strict=True):
            same(said["final"], volume([t[2] for t in s.trials], [0.5, 3.5]))


def test_three_objectives(folder):
    draw = np.random.default_rng(29)
    points = draw.uniform(0, 1.2, (30, 3))
    with open(folder / "three.jsonl", "w") as f:
        print(json.dumps({"format": "moncae.trials", "version": 1, "objectives": ["a", "b", "c"], "reference": [1, 1, 1]}), file=f)
        for i, p in enumerate(points):
            print(json.dumps({"trial": i, "steps": 1, "seconds": i, "objectives": dict(zip("abc", p))}), file=f)
    c = json.loads(moncae("compare", "three.jsonl", "--json", cwd=folder))
    same(c["groups"][0]["runs"][0]["final"], volume([tuple(p) for p in points], [1, 1, 1]))
    assert c["groups"][0]["attainment"] is None and c["pairs"] == [] and c["objectives"] == ["a", "b", "c"]


def test_the_tables_say_the_same(folder, compared):
    text = moncae("compare", *WORDS, cwd=folder)
    assert "from before finetuning" in text and max(map(len, text.splitlines())) <= 80
    tables = [[re.split(r"\s{2,}", line.strip()) for line in part.splitlines()[3:]] for part in text.split("\n\n")[:5]]
    cell = lambda row, n: row[n].strip()
    for row, g in zip(tables[0], compared["groups"], strict=True):
        figures = [*(g["at_budget"][a]["median"] for a in AXES), g["final"]["median"], g["final"]["mean"]]
        assert row == [g["name"], "3", *(f"{v:.4f}" for v in figures)]
    for row, g in zip(tables[1], compared["groups"], strict=True):
        assert float(row[1]) == pytest.approx(g["spent"]["trainings"], abs=0.05) and float(row[3]) == pytest.approx(g["spent"]["steps"], abs=0.05)
    for row, p in zip(tables[2], compared["pairs"], strict=True):
        assert row[:2] == [p["a"], p["b"]]
        for i, axis in enumerate(AXES):
            assert [cell(row, 2 + 2 * i), cell(row, 3 + 2 * i)] == [f"{p['test'][axis]['p']:.4f}", f"{p['test'][axis]['effect']:.2f}"]
    for row, p in zip(tables[3], compared["pairs"], strict=True):
        assert row == [p["a"], p["b"], *(cell for a in AXES for cell in (f"{p['paired'][a]['p']:.4f}", f"{p['better'][a]}/3"))]
    for row, r in zip(tables[4], compared["reaches"], strict=True):
        assert row[:4] == [r["group"], r["of"], f"{r['hypervolume']:.4f}", f"{r['reached']}/3"]
