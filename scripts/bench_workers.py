"""Holds a search by two worker processes against one with two jobs in one process.

Run: python3 scripts/bench_workers.py --moncae bin/moncae [--rounds 3] [--rate 1000] [--most 1.05]

Each round searches both ways, in turn, in new folders; wall-clock and processor times are medians
over rounds. The fronts must be equal. First, tasks that take no time are counted. A figure beyond
its bar is exit code 1.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ways = {"--jobs 2": ["--jobs", "2"], "--workers local:2": ["--workers", "local:2"]}


def search(moncae, run, way, preset):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    words = [moncae, "search", "--run", run, "--data", "mnist-mini", "--no-export", "--device", "cpu", *preset, *way]
    subprocess.run(words, check=True, capture_output=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1000, help="results a second, at least")
    parser.add_argument("--most", type=float, default=1.05, help="of the time in one process, at most")
    parser.add_argument("--search", default="--seed 46", help="flags of the search")
    o = parser.parse_args()
    moncae = os.path.abspath(o.moncae)
    text = subprocess.run([moncae, "bench", "workers", "--device", "cpu", "--json"], check=True, capture_output=True).stdout
    b = json.loads(text)
    print(f"{b['tasks']} tasks that take no time: {b['results_per_second']:.0f} results a second, heap {min(b['heap_bytes']) >> 20} to {max(b['heap_bytes']) >> 20} MiB")
    walls, cpus = {w: [] for w in ways}, {w: [] for w in ways}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(o.rounds):
            fronts = set()
            for name, way in ways.items():
                run = os.path.join(folder, f"{i}{name.replace(' ', '')}")
                wall, cpu = search(moncae, run, way, o.search.split())
                walls[name].append(wall)
                cpus[name].append(cpu)
                fronts.add(pathlib.Path(run, "front.json").read_bytes())
            if len(fronts) != 1:
                sys.exit("the fronts differ")
    for name in ways:
        print(f"{name}: {statistics.median(walls[name]):.1f} s, {statistics.median(cpus[name]):.1f} s of processors")
    here, there = ways
    ratio = statistics.median(b / a for a, b in zip(walls[here], walls[there]))
    print(f"by workers it takes {ratio:.3f} of the time in one process (of processors {statistics.median(b / a for a, b in zip(cpus[here], cpus[there])):.3f})")
    if ratio > o.most or b["results_per_second"] < o.rate:
        sys.exit(1)


if __name__ == "__main__":
    main()
