"""Writes hypervolume.json: random points, their hypervolume and exclusive
contributions by moocore and pymoo, and their non-dominated ranks and NSGA-II
survivors by pymoo. Run: pip install numpy pymoo moocore; python fixture.py
"""
import json
from importlib.metadata import version

import moocore
import numpy as np
from pymoo.indicators.hv import HV
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

rng = np.random.default_rng(7)


def case(name, points, ref):
    hv = float(moocore.hypervolume(points, ref=ref))
    assert abs(hv - HV(ref_point=ref)(points)) <= 1e-9 * max(1, hv)
    alone = [hv - float(moocore.hypervolume(np.delete(points, i, 0), ref=ref)) if len(points) > 1 else hv
             for i in range(len(points))]
    fronts = NonDominatedSorting().do(points)
    first = points[fronts[0]]
    crowding = [None if np.isinf(d) else float(d) for d in calc_crowding_distance(first)]
    return {"name": name, "points": points.tolist(), "reference": ref.tolist(), "hypervolume": hv,
            "contributions": alone, "fronts": [sorted(int(i) for i in f) for f in fronts],
            "crowding": crowding}


def sphere(n, d):
    x = np.abs(rng.normal(size=(n, d)))
    return 1 - x / np.linalg.norm(x, axis=1, keepdims=True)


cases = []
for d, n in ((2, 30), (3, 20), (5, 12)):
    cases.append(case(f"uniform {d}", rng.uniform(0, 1, (n, d)), np.full(d, 1.0)))
    cases.append(case(f"sphere {d}", sphere(n, d), np.full(d, 1.1)))
    cases.append(case(f"some beyond the reference {d}", rng.uniform(0, 1, (n, d)), np.full(d, 0.7)))
    cases.append(case(f"grid with ties {d}", rng.integers(0, 4, (n, d)).astype(float), np.full(d, 4.0)))

with open("hypervolume.json", "w") as f:
    made = {p: version(p) for p in ("numpy", "pymoo", "moocore")}
    json.dump({"made_with": made, "cases": cases}, f, indent=None, separators=(",", ":"))
    f.write("\n")
