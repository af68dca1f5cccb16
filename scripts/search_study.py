"""Runs the study that docs/results.md reports: algorithms × data sets × seeds, and what `moncae compare` finds.

    make search-study OUT=FOLDER [STUDY="--algorithms ehvi random --seeds 46 29"]

Every search ends before finetuning; what stands behind -- are further flags of `moncae search`, for all of them. A
search that is done is skipped, one that was interrupted goes on, so that the same call finishes the study. Samplers of
Optuna (tpe, nsga2, named optuna-tpe and optuna-nsga2) drive `moncae search --evaluate` for as many trainings as the
others have. FOLDER gets a folder a data set: a run or a file of trials a search, compare.txt, compare.json, compare.svg.
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEEDS = [46, 29, 12, 8, 68, 44, 32, 91, 85, 61]  # the paper's
ALGORITHMS = ["ehvi", "moncae", "random", "nsga2", "sms-emoa", "optuna-tpe", "optuna-nsga2"]


def finished(run: pathlib.Path) -> bool:
    """Whether all generations are in the journal."""
    if not (run / "run.json").exists():
        return False
    wanted = json.loads((run / "run.json").read_text())["config"]["generations"]
    kinds = [json.loads(line)["kind"] for line in (run / "journal.jsonl").read_text().splitlines() if line.endswith("}")]
    return kinds.count("generation") == wanted


def search(o, run: pathlib.Path, algorithm: str, data: str, seed: int) -> None:
    if finished(run):
        return
    command = [o.moncae, "search", "--run", run, "--no-export"]
    if (run / "run.json").exists():
        command += ["--resume"]
    else:
        command += ["--data", data, "--algorithm", algorithm, "--seed", seed, "--finetune", 0, *o.plan, *o.flags]
    work(run, command)


def work(at: pathlib.Path, command: list) -> None:
    """Runs a command; what it says stands in a log beside its result."""
    with open(f"{at}.log", "a") as log:
        done = subprocess.run([*map(str, command)], stdout=subprocess.DEVNULL, stderr=log)
    if done.returncode:
        sys.exit(f"search_study.py: {at.name} ended with exit code {done.returncode}; {at}.log says why; the same call goes on")


def drive(o, trials: pathlib.Path, sampler: str, data: str, seed: int, trainings: int) -> None:
    """Optuna over our engine; its trials appear when they are complete."""
    if trials.exists():
        return
    part = trials.with_suffix(".part")
    part.unlink(missing_ok=True)
    command = [sys.executable, ROOT / "examples/optuna_search.py", "--moncae", o.moncae, "--sampler", sampler, "--sampler-seed", seed, "--trainings", trainings, "--trials", part]
    work(trials, [*command, "--", "--data", data, "--seed", seed, *o.flags])
    part.rename(trials)


def trained(run: pathlib.Path) -> int:
    """How many trainings a run has."""
    records = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    return sum(r["kind"] == "candidate" and "network" in r["data"]["event"] for r in records)


def study(o, data: str) -> None:
    folder = o.out / pathlib.Path(data).stem
    folder.mkdir(parents=True, exist_ok=True)
    own = [a for a in o.algorithms if not a.startswith("optuna-")]
    for seed in o.seeds:
        for algorithm in own:
            print(f"{folder.name}: {algorithm}, seed {seed}", flush=True)
            search(o, folder / f"{algorithm}-{seed}", algorithm, data, seed)
        most = max((trained(folder / f"{a}-{seed}") for a in own), default=o.trainings)
        for algorithm in [a for a in o.algorithms if a not in own]:
            print(f"{folder.name}: {algorithm}, seed {seed}", flush=True)
            drive(o, folder / f"{algorithm}-{seed}.jsonl", algorithm.removeprefix("optuna-"), data, seed, most)
    groups = []
    for algorithm in o.algorithms:
        ending = "" if algorithm in own else ".jsonl"
        groups += ["--group", f"{algorithm}=" + ",".join(str(folder / f"{algorithm}-{seed}{ending}") for seed in o.seeds)]
    compare = [o.moncae, "compare", *groups, "--overwrite"]
    text = subprocess.run([*compare, "--svg", folder / "compare.svg"], check=True, capture_output=True, text=True).stdout
    (folder / "compare.txt").write_text(text)
    (folder / "compare.json").write_text(subprocess.run([*compare, "--json"], check=True, capture_output=True, text=True).stdout)
    print(f"\n{folder.name}\n{text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moncae", default="moncae")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data-sets", nargs="+", default=["mnist-mini"], help="names or paths, as --data of moncae search takes them")
    parser.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=ALGORITHMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--plan", default="", help="flags of moncae search that plan a search, which Optuna's don't have: --plan='--population 8 --generations 3'")
    parser.add_argument("--trainings", type=int, default=80, help="of Optuna's searches, where no other is there to count by")
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    o = parser.parse_args(words[:at])
    o.flags, o.plan = words[at + 1 :], o.plan.split()
    for data in o.data_sets:
        study(o, data)


if __name__ == "__main__":
    main()
