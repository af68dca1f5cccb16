"""Searches with the flags of an earlier commit's default preset, by that commit's binary and by this one, in turn.

    python3 scripts/bench_before.py --before .deps/before/moncae --moncae bin/moncae --out .deps/bench-before.jsonl

Both search the built-in digits with the same seeds, finetuning included. Told are the ratios of wall-clock and of
processor times (medians over the seeds, with the least and the largest) and the mean difference of the fronts'
hypervolumes, on the validation images and to one reference point. Finished searches are kept in --out: called again,
those are passed over. With --held a ratio or difference beyond its bar is exit code 1. Standard library only.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

# The default preset of commit 797867f, all of it.
FLAGS = """--preset quick --space extended --max-layers 4 --max-filters 16 --max-flops 2000 --algorithm moncae --objectives loss,loc
--population 16 --generations 5 --spread 8 --epochs 3 --patience 1 --batch 32 --loss bce --precision auto --train-limit 0
--validation 0.1 --finetune 16 --finetune-trial 4 --finetune-scope sizes""".split()


def search(binary, seed):
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "run")
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        ran = subprocess.run([binary, "search", "--data", "mnist-mini", "--device", "cpu", "--no-export", *FLAGS, "--seed", str(seed), "--run", run], capture_output=True, text=True)
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if ran.returncode:
            sys.exit(ran.stderr)
        with open(os.path.join(run, "front.json")) as f:
            front = json.load(f)
    return {
        "wall": wall,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "reference": front["reference"],
        "hypervolume": front["hypervolume"],
        "members": len(front["members"]),
    }


def finished(path):
    """The finished searches of a file, cut after the last whole line."""
    if not os.path.exists(path):
        return {}
    with open(path, "rb+") as f:
        lines = f.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            f.truncate(sum(map(len, lines[:-1])))
            lines.pop()
    rows = map(json.loads, lines)
    return {(row["side"], row["seed"], row["binary"]): row for row in rows}


def told(binary):
    stat = os.stat(binary)
    return f"{stat.st_size} {stat.st_mtime_ns}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--before", required=True, help="the earlier commit's binary")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", required=True, help="file that finished searches are kept in")
    parser.add_argument("--faster", type=float, default=1.4, help="least ratio of the median wall-clock times")
    parser.add_argument("--worse", type=float, default=0.005, help="most that the mean hypervolume may fall")
    parser.add_argument("--held", action="store_true", help="exit with 1 where a bar is not reached")
    options = parser.parse_args()
    binaries = {"before": options.before, "now": options.moncae}
    done = finished(options.out)
    pairs = []
    for seed in range(1, options.seeds + 1):
        pair = {}
        for side in ("before", "now") if seed % 2 else ("now", "before"):
            key = side, seed, told(binaries[side])
            if key not in done:
                done[key] = dict(search(binaries[side], seed), side=side, seed=seed, binary=key[2])
                with open(options.out, "a") as f:
                    f.write(json.dumps(done[key]) + "\n")
            pair[side] = done[key]
        if any(abs(a - b) > 1e-6 for a, b in zip(pair["before"]["reference"], pair["now"]["reference"])):
            sys.exit(f"seed {seed}: the reference points differ: {pair['before']['reference']} and {pair['now']['reference']}")
        pairs.append(pair)
        print(f"seed {seed}: {pair['before']['wall']:.1f} s and {pair['now']['wall']:.1f} s, hypervolumes {pair['before']['hypervolume']:.4f} and {pair['now']['hypervolume']:.4f}", flush=True)
    faster = 0
    for what in "wall", "processor":
        ratios = [p["before"][what] / p["now"][what] for p in pairs]
        print(f"{what} time: {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")
        faster = faster or statistics.median(ratios)
    difference = statistics.fmean(p["now"]["hypervolume"] - p["before"]["hypervolume"] for p in pairs)
    print(f"hypervolume: {difference:+.4f} in the mean, of {statistics.fmean(p['before']['hypervolume'] for p in pairs):.4f}")
    if options.held and (faster < options.faster or difference < -options.worse):
        sys.exit(1)


if __name__ == "__main__":
    main()
