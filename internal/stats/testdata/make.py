"""Writes stats.json beside this script: rank tests by scipy.stats.mannwhitneyu and
quantiles by numpy.quantile, with their defaults, and tests of pairs by
scipy.stats.wilcoxon: exact, of all signs where some differences are equally large, and
by the normal limit where there are many.

    python internal/stats/testdata/make.py
"""

import json
import pathlib

import numpy as np
import scipy
from scipy.stats import PermutationMethod, mannwhitneyu, wilcoxon

draw = np.random.default_rng(46)
tests, quantiles = [], []
for n, m in [(1, 1), (1, 9), (3, 3), (3, 7), (8, 8), (8, 30), (9, 9), (10, 10), (10, 8), (40, 25)]:
    for shift in (0, 0.5, 3):
        for digits in (6, 1, 0):  # many, some and mostly equal values
            a, b = draw.normal(shift, 1, n).round(digits), draw.normal(0, 1, m).round(digits)
            done = mannwhitneyu(a, b)
            tests.append({"a": a.tolist(), "b": b.tolist(), "u": float(done.statistic), "p": float(done.pvalue)})
done = mannwhitneyu([1, 1, 1], [1, 1])
tests.append({"a": [1, 1, 1], "b": [1, 1], "u": float(done.statistic), "p": float(done.pvalue)})
for n in (1, 2, 3, 10, 11):
    values = draw.normal(0, 1, n)
    quantiles += [{"values": values.tolist(), "q": q, "value": float(np.quantile(values, q))} for q in (0, 0.25, 0.5, 0.75, 1)]
pairs = []
for n, digits, method in [
    *((n, 9, "exact") for n in (1, 2, 5, 7, 10, 30, 50)),
    *((n, digits, PermutationMethod(n_resamples=np.inf)) for n in (4, 9, 16) for digits in (1, 0)),
    *((n, digits, "asymptotic") for n in (51, 90) for digits in (9, 1)),
]:
    for shift in (0, 1):
        d = draw.normal(shift, 1, n).round(digits)
        kept = d[d != 0]
        if len(kept) == 0 or method == "asymptotic" and len(kept) <= 50:
            continue
        done = wilcoxon(kept, method=method)
        positive = float(wilcoxon(kept, alternative="greater", method=method).statistic)
        pairs.append({"differences": d.tolist(), "w": positive, "p": float(done.pvalue)})
made = {"made_by": {"numpy": np.__version__, "scipy": scipy.__version__}, "tests": tests, "pairs": pairs, "quantiles": quantiles}
pathlib.Path(__file__).with_name("stats.json").write_text(json.dumps(made, indent=None, separators=(",", ":")) + "\n")
