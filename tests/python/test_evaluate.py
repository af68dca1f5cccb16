"""`moncae search --evaluate`, driven by optimisers that we didn't write."""

import json
import math
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONCAE = str(ROOT / "bin/moncae")
SMALL = ["--epochs", "1", "--batch", "32", "--max-layers", "3", "--max-filters", "8", "--train-limit", "320", "--jobs", "2"]
sys.path.insert(0, str(ROOT / "examples"))

from evaluator import Evaluator  # noqa: E402

EXAMPLES = [
    ("optuna_search.py", ["--trainings", "6", "--sampler", "tpe"], 6),
    ("optuna_search.py", ["--trainings", "6", "--sampler", "nsga2"], 6),
    ("pymoo_search.py", ["--population", "6", "--generations", "2"], 1),
]


@pytest.mark.parametrize(("script", "flags", "least"), EXAMPLES)
def test_example(tmp_path, script, flags, least):
    trials = tmp_path / "trials.jsonl"
    seeds = ["--seed", "12", "--validation-seed", "3"]
    command = [sys.executable, str(ROOT / "examples" / script), "--moncae", MONCAE, "--trials", str(trials), *flags, "--", *SMALL, *seeds]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header, *lines = [json.loads(line) for line in trials.read_text().splitlines()]
    assert [line["trial"] for line in lines] == list(range(len(lines))) and len(lines) >= least
    assert (header["seed"], header["validation_seed"]) == (12, 3)
    points = [tuple(line["objectives"].values()) for line in lines if line["objectives"]]
    assert all(line["steps"] <= 10 for line in lines) and 0 < lines[0]["seconds"]
    ended = [line["seconds"] for line in lines]
    assert ended == sorted(ended)  # since the search began
    compared = json.loads(subprocess.run([MONCAE, "compare", trials, "--json"], check=True, capture_output=True).stdout)
    assert compared["reference"] == header["reference"] and compared["groups"][0]["spent"]["trainings"] == len(lines)
    front = [p for p in points if not any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in points)]
    assert done.stdout.splitlines() == [f"loss {loss:.4f}  loc {loc:.4f}" for loss, loc in sorted(set(front))]


def draw(space, generator):
    """A network by the probabilities that the space gives."""
    params = {}
    for p in space["parameters"]:
        if "if" in p and not params[p["if"]]:
            continue
        if p["type"] == "float":
            params[p["name"]] = generator.uniform(*p["range"])
        else:
            params[p["name"]] = p["choices"][generator.choice(len(p["choices"]), p=p.get("probabilities"))]
    return params


def test_answers_depend_on_the_network_alone():
    import numpy as np

    answers = []
    for jobs in "1", "3":
        generator = np.random.default_rng(5)
        with Evaluator(*SMALL[:-1], jobs, moncae=MONCAE) as evaluator:
            known = {}
            while len(known) < 4:
                params = draw(evaluator.space, generator)
                described = evaluator.describe(params)
                if described["status"] == "refused":
                    continue
                exact = described["objectives"]
                assert exact["loc"] == pytest.approx(math.log10(math.prod(described["latent"])))
                assert exact["loc"] < evaluator.space["reference"][1]
                known[len(known)] = exact
                evaluator.submit(len(known) - 1, params)
            trained = [evaluator.result() for _ in known]
        for answer in trained:
            assert known[answer["id"]].items() <= answer["objectives"].items()
            del answer["seconds"]
        answers.append(sorted(trained, key=lambda a: a["id"]))
    assert answers[0] == answers[1]


def test_a_wrong_question_is_told():
    with Evaluator(*SMALL, moncae=MONCAE) as evaluator:
        with pytest.raises(ValueError, match="block0.filters is missing"):
            evaluator.describe({})
        evaluator.submit("x", {"latent.filters": 5})
        with pytest.raises(ValueError, match="block0.filters is missing"):
            evaluator.result()
    with pytest.raises(RuntimeError, match="exit code 2"):
        Evaluator("--data", "nowhere", moncae=MONCAE)
