"""Training steps of moncae beside PyTorch's and TensorFlow's, on the same CPU and the same networks.

    python scripts/bench_peers.py --moncae bin/moncae --peer torch=PYTHON --peer tensorflow=PYTHON ARCH.json…

Each peer runs in its own Python, as its users would choose: every mode that bench_peers_torch.py or
bench_peers_tensorflow.py has, each as one process with all P cores and as P processes of one thread, side by side as
a search would. All ways have a first try; the fastest --keep of a peer then take turns with moncae (P candidates, one
thread each; float32 and, where the processor has it, bfloat16) for some rounds, because other users of a machine move
all of them. A round's ratio is to the fastest of the peer's ways in that round; figures are medians over the rounds.

Networks are built from the same arch.json, with Adam and binary cross-entropy, on images in [0, 1]; all measure whole
steps, from data in memory to the updated weights. With --limit avx2, all keep to the instructions of processors without
AVX-512. After the first --survey networks, ways that never came within --near of their peer's fastest get no more tries.
With --out, a line of JSON a network is kept there, and networks that it has are not measured again; a line that a kill
has cut off is. Standard library only.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


# What keeps each of them from instructions beyond a limit: oneDNN's variable holds for moncae's own kernels too, and
# ATen's for what torch.compile generates.
LIMITS = {
    "none": {},
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
}


class Way:
    """A peer's mode as one process or as many."""

    def __init__(self, peer, python, mode, threads, options):
        self.peer, self.python, self.mode, self.threads, self.options = peer, python, mode, threads, options
        self.servers, self.tried = [], 0

    def __str__(self):
        return f"{self.mode}, {self.options.cores // self.threads} × {self.threads}"

    def start(self, path):
        command = [self.python, os.path.join(HERE, f"bench_peers_{self.peer}.py"), path, self.mode, str(self.threads), str(self.options.batch), str(self.options.seconds)]
        environment = dict(os.environ, OMP_NUM_THREADS=str(self.threads), **LIMITS[self.options.limit])
        for _ in range(self.options.cores // self.threads):
            self.servers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment))
        for server in self.servers:
            self.read(server)

    def read(self, server):
        line = server.stdout.readline()
        if not line:
            self.stop()
            raise SystemExit(f"{self.peer} ended ({self}); run {' '.join(map(str, server.args))} to see why")
        return line

    def rate(self):
        for server in self.servers:
            server.stdin.write("\n")
            server.stdin.flush()
        return sum(float(self.read(server)) for server in self.servers)

    def stop(self):
        for server in self.servers:
            server.stdin.close()
            server.wait()
        self.servers = []


def modes(peer, python):
    code = f"import sys; sys.path.insert(0, {HERE!r}); import bench_peers_{peer} as p; print('\\n'.join(p.MODES))"
    return subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[:-1]


def ways(options):
    for given in options.peer:
        peer, python = given.split("=", 1)
        for mode in modes(peer, python):
            for threads in sorted({1, options.cores}):
                yield Way(peer, python, mode, threads, options)


def moncae(path, precision, options):
    """The rate of P candidates side by side and the number of parameters; None where the processor lacks the precision."""
    command = [options.moncae, "bench", "train", path, "--batch", str(options.batch), "--seconds", str(options.seconds), "--device", "cpu", "--precision", precision, "--json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, **LIMITS[options.limit]))
    if ran.returncode == 2 and "is not one of this engine's" in ran.stderr:
        return None, 0
    if ran.returncode:
        raise SystemExit(ran.stderr)
    result = json.loads(ran.stdout)[0]
    return result["rates"][-1]["images_per_second"], result["params"]


def hopeless(rows, options):
    """The ways, as rows name them, that were far from the fastest of their peer in all of the first networks."""
    rows = rows[: options.survey]
    if len(rows) < options.survey:
        return set()
    share = {}
    for row in rows:
        for name, rate in row["tried"].items():
            fastest = max(r for n, r in row["tried"].items() if n.split()[0] == name.split()[0])
            share[name] = max(share.get(name, 0), rate / fastest)
    return {name for name, best in share.items() if best < options.near}


def compare(path, options, without):
    kept = {}
    for way in ways(options):
        if f"{way.peer} {way}" in without:
            continue
        way.start(path)
        way.tried = way.rate()
        way.stop()
        kept.setdefault(way.peer, []).append(way)
        print(f"{os.path.basename(path)}: {way.peer} {way}: {way.tried:.0f} images/s", file=sys.stderr)
    row = {"network": os.path.basename(path), "tried": {f"{w.peer} {w}": w.tried for all in kept.values() for w in all}}
    kept = {peer: sorted(all, key=lambda w: -w.tried)[: options.keep] for peer, all in kept.items()}
    for all in kept.values():
        for way in all:
            way.start(path)
    rates, best = {}, {}
    for _ in range(options.rounds):
        for precision in "f32", "bf16":
            rate, params = moncae(path, precision, options)
            if rate:
                rates.setdefault(precision, []).append(rate)
                row["params"] = params
        for peer, all in kept.items():
            measured = {str(way): way.rate() for way in all}
            best.setdefault(peer, []).append(max(measured.items(), key=lambda item: item[1]))
    for all in kept.values():
        for way in all:
            way.stop()
    row["moncae"], row["peers"] = rates, {}
    for peer, rounds in best.items():
        figures = [rate for _, rate in rounds]
        row["peers"][peer] = {"way": statistics.mode(way for way, _ in rounds), "rates": figures, "ratios": {p: [a / b for a, b in zip(r, figures)] for p, r in rates.items()}}
    return row


def table(rows, options):
    peers, precisions = list(rows[0]["peers"]), list(rows[0]["moncae"])
    limit = "" if options.limit == "none" else f", at most {options.limit}"
    print(f"images/s, batch {options.batch}, {options.cores} cores{limit}, medians of {options.rounds} rounds; ratios of {' and '.join(precisions)} with the least and the largest")
    head = ["network", "parameters", *(f"moncae {p}" for p in precisions)]
    for peer in peers:
        head += [f"{peer}'s best", *(f"{p} to it" for p in precisions)]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for row in rows:
        cells = [row["network"], str(row["params"]), *(f"{statistics.median(row['moncae'][p]):.0f}" for p in precisions)]
        for peer in peers:
            of = row["peers"][peer]
            cells.append(f"{statistics.median(of['rates']):.0f} ({of['way']})")
            cells += [f"{statistics.median(r):.2f} ({min(r):.2f}–{max(r):.2f})" for r in (of["ratios"][p] for p in precisions)]
        print("| " + " | ".join(cells) + " |")
    for peer in peers:
        for p in precisions:
            medians = [statistics.median(row["peers"][peer]["ratios"][p]) for row in rows]
            print(f"{p} to {peer}'s best: geometric mean {math.exp(statistics.fmean(map(math.log, medians))):.2f}, least {min(medians):.2f}, of {len(rows)} networks")


def finished(path):
    """The finished networks of a file, cut after the last whole line."""
    if not path or not os.path.exists(path):
        return []
    with open(path, "rb+") as f:
        lines = f.read().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):
            f.truncate(sum(map(len, lines[:-1])))
            lines.pop()
    return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="+", help="arch.json files")
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--peer", action="append", required=True, metavar="NAME=PYTHON", help="torch or tensorflow, and the Python that has it")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=int, default=2, help="ways of a peer that take turns with moncae")
    parser.add_argument("--survey", type=int, default=3, help="networks on which every way is tried")
    parser.add_argument("--near", type=float, default=0.8, help="share of the fastest's rate from which on a way stays")
    parser.add_argument("--seconds", type=float, default=2, help="length of each measurement, about")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--limit", choices=LIMITS, default="none", help="instructions that all are kept to")
    parser.add_argument("--out", help="file that finished networks are kept in")
    options = parser.parse_args()
    settings = [options.batch, options.rounds, options.keep, options.survey, options.near, options.seconds, options.cores, sorted(p.split("=")[0] for p in options.peer)]
    if options.limit != "none":
        settings.append(options.limit)
    done = {}
    for row in finished(options.out):
        if row["settings"] == settings:
            done[row["network"]] = row
    for path in options.networks:
        name = os.path.basename(path)
        if name in done:
            continue
        done[name] = dict(compare(path, options, hopeless(list(done.values()), options)), settings=settings)
        if options.out:
            with open(options.out, "a") as f:
                f.write(json.dumps(done[name]) + "\n")
    table([done[os.path.basename(path)] for path in options.networks], options)


if __name__ == "__main__":
    main()
