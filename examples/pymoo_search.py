"""pymoo's NSGA-II over mixed variables chooses, moncae trains:

    python examples/pymoo_search.py --population 16 --generations 5 -- --data mnist-mini --seed 46

What comes after -- are flags of `moncae search`. Networks that can't become a member of the front aren't trained, and
get the reference point.
"""
from __future__ import annotations

import numpy as np
from pymoo.algorithms.moo.nsga2 import RankAndCrowdingSurvival
from pymoo.core.mixed import MixedVariableGA
from pymoo.core.problem import Problem
from pymoo.core.variable import Choice, Real
from pymoo.optimize import minimize

from evaluator import Evaluator, Trials, arguments


def variable(parameter: dict) -> Real | Choice:
    if parameter["type"] == "float":
        return Real(bounds=tuple(parameter["range"]))
    return Choice(options=range(len(parameter["choices"])))  # by number, for an option may be of any type


class Autoencoders(Problem):
    def __init__(self, evaluator: Evaluator, trials: Trials):
        self.evaluator, self.trials = evaluator, trials
        space = evaluator.space
        super().__init__(vars={p["name"]: variable(p) for p in space["parameters"]}, n_obj=len(space["names"]))

    def params(self, x: dict) -> dict:
        values: dict = {}
        for p in self.evaluator.space["parameters"]:
            if "if" in p and not values[p["if"]]:
                continue
            v = x[p["name"]]
            values[p["name"]] = min(float(v), p["range"][1] - 1e-9) if p["type"] == "float" else p["choices"][int(v)]
        return values

    def _evaluate(self, X, out, *_, **__) -> None:
        for i, x in enumerate(X):
            self.evaluator.submit(i, self.params(x))
        F = np.tile(self.evaluator.space["reference"], (len(X), 1)).astype(float)
        for _ in X:
            answer = self.evaluator.result()
            self.trials.add(self.evaluator, answer)
            point = self.evaluator.point(answer)
            if point:
                F[answer["id"]] = point
        out["F"] = F


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--population", type=int, default=16)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--optimizer-seed", type=int, default=46)
    a = parser.parse_args()
    with Evaluator(*a.flags, moncae=a.moncae) as evaluator:
        trials = Trials(a.trials)
        algorithm = MixedVariableGA(pop_size=a.population, survival=RankAndCrowdingSurvival())
        minimize(Autoencoders(evaluator, trials), algorithm, ("n_gen", a.generations), seed=a.optimizer_seed)
    for point in trials.front():
        print("  ".join(f"{name} {value:.4f}" for name, value in zip(evaluator.space["names"], point)))


if __name__ == "__main__":
    main()
