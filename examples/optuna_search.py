"""Optuna chooses, moncae trains:

    python examples/optuna_search.py --trainings 80 --sampler tpe -- --data mnist-mini --seed 46

What comes after -- are flags of `moncae search`. Networks that can't become a member of the front are known before a
training, so they are asked for again and cost nothing.
"""
from __future__ import annotations

import optuna

from evaluator import Evaluator, Trials, arguments

SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "nsga2": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}
REFUSED = 1000  # times in a row, after which the space is taken to hold no network that is allowed


def suggest(trial: optuna.Trial, parameters: list[dict]) -> dict:
    """Values for the parameters; those of inactive blocks are left out."""
    params: dict = {}
    for p in parameters:
        if "if" in p and not params[p["if"]]:
            continue
        if p["type"] == "float":
            low, high = p["range"]
            params[p["name"]] = min(trial.suggest_float(p["name"], low, high), high - 1e-9)
        else:
            params[p["name"]] = trial.suggest_categorical(p["name"], p["choices"])
    return params


def ask(study: optuna.Study, evaluator: Evaluator) -> tuple[optuna.Trial, dict]:
    """The sampler's next network that is worth a training."""
    for _ in range(REFUSED):
        trial = study.ask()
        params = suggest(trial, evaluator.space["parameters"])
        described = evaluator.describe(params)
        if described["status"] == "ok":
            return trial, params
        study.tell(trial, evaluator.space["reference"])  # not FAIL: samplers learn nothing from that, and ask for its like for ever
    raise SystemExit(f"{REFUSED} networks in a row were refused, the last one because {described['error']}")


def search(evaluator: Evaluator, study: optuna.Study, trainings: int, trials: Trials) -> None:
    waiting: dict[int, optuna.Trial] = {}
    asked = 0
    while asked < trainings or waiting:
        while asked < trainings and len(waiting) < evaluator.space["jobs"]:
            trial, params = ask(study, evaluator)
            evaluator.submit(trial.number, params)
            waiting[trial.number] = trial
            asked += 1
        answer = evaluator.result()
        trials.add(evaluator, answer)
        point = evaluator.point(answer)
        study.tell(waiting.pop(answer["id"]), point or evaluator.space["reference"])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--trainings", type=int, default=80)
    parser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
    parser.add_argument("--sampler-seed", type=int, default=46)
    a = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with Evaluator(*a.flags, moncae=a.moncae) as evaluator:
        study = optuna.create_study(directions=["minimize"] * len(evaluator.space["names"]), sampler=SAMPLERS[a.sampler](a.sampler_seed))
        trials = Trials(a.trials)
        search(evaluator, study, a.trainings, trials)
    for point in trials.front():
        print("  ".join(f"{name} {value:.4f}" for name, value in zip(evaluator.space["names"], point)))


if __name__ == "__main__":
    main()
