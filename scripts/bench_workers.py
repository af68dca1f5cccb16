"""Holds a search by two worker processes against one with two jobs in one process.

Run: python3 scripts/bench_workers.py --moncae bin/moncae [--workers local:2] [--rounds 3] [--rate 1000] [--most 1.05]

Each round searches both ways, in turn, in new folders; wall-clock and processor times are medians
over rounds. The fronts must be equal. First, tasks that take no time are counted. A figure beyond
its bar is exit code 1. With --workers ray:local the start-up of Ray is told apart, and counts for
nothing: times are those of the journal, and processor times those from its first record on.
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
import threading
import time

EVERY = 0.5  # seconds between two looks at processor times


def search(moncae, run, way, preset):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command(moncae, run, way, preset), check=True, capture_output=True)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.0


def command(moncae, run, way, preset):
    return [moncae, "search", "--run", run, "--data", "mnist-mini", "--no-export", "--device", "cpu", *preset, *way]


def search_apart(moncae, run, way, preset):
    """The same without what comes before the journal's first record, and with the processor times
    of all that the search started, its own children or not."""
    begin = time.perf_counter()
    process = subprocess.Popen(command(moncae, run, way, preset), env={**os.environ, "MONCAE_BENCH_RUN": run}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = []
    reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
    reader.start()
    journal = pathlib.Path(run, "journal.jsonl")
    spent, first = {}, None
    while process.poll() is None:
        spent.update(processors(f"MONCAE_BENCH_RUN={run}".encode()))
        if first is None and journal.exists() and b'"session"' in journal.read_bytes():
            first = sum(spent.values()), time.perf_counter() - begin
        time.sleep(EVERY)
    reader.join()
    if process.returncode:
        sys.exit(said[0].decode())
    records = [json.loads(line[line.index("{"):]) for line in journal.read_text().splitlines()]
    wall = max(r["data"].get("elapsed", 0) for r in records if isinstance(r.get("data"), dict))
    return wall, sum(spent.values()) - first[0], first[1]


def processors(marker):
    """Seconds of processors, by process, of those that have the marker in their environment."""
    found = {}
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if marker in (place / "environ").read_bytes():
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                found[place.name, fields[19]] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass  # it has ended
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--workers", default="local:2", help="where they are")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1000, help="results a second, at least")
    parser.add_argument("--most", type=float, default=1.05, help="of the time in one process, at most")
    parser.add_argument("--search", default="--seed 46", help="flags of the search")
    o = parser.parse_args()
    moncae = os.path.abspath(o.moncae)
    on_ray = o.workers.startswith("ray")
    ways = {"--jobs 2": ["--jobs", "2"], f"--workers {o.workers}": ["--workers", o.workers, *(["--worker-slots", "2"] if on_ray else [])]}
    rate = None if on_ray else count(moncae)
    walls, cpus = {w: [] for w in ways}, {w: [] for w in ways}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(o.rounds):
            fronts = set()
            for number, (name, way) in enumerate(ways.items()):
                run = os.path.join(folder, f"{i}-{number}")
                wall, cpu, begun = (search_apart if on_ray else search)(moncae, run, way, o.search.split())
                print(f"{name}: {wall:.1f} s, {cpu:.1f} s of processors" + (f", after {begun:.1f} s to begin" if on_ray else ""), flush=True)
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
    if ratio > o.most or rate is not None and rate < o.rate:
        sys.exit(1)


def count(moncae):
    text = subprocess.run([moncae, "bench", "workers", "--device", "cpu", "--json"], check=True, capture_output=True).stdout
    b = json.loads(text)
    print(f"{b['tasks']} tasks that take no time: {b['results_per_second']:.0f} results a second, heap {min(b['heap_bytes']) >> 20} to {max(b['heap_bytes']) >> 20} MiB")
    return b["results_per_second"]


if __name__ == "__main__":
    main()
