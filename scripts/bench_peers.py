"""Training steps of moncae against TensorFlow's model.fit on the same CPU and the same networks.

    python scripts/bench_peers.py --moncae bin/moncae internal/arch/testdata/small.json internal/arch/testdata/medium.json

TensorFlow runs as a user would choose: one process with all P cores, or P processes with one thread each, side by
side, as a search would; the faster of the two is its figure. moncae runs P candidates side by side, one thread each.
Networks are built from the same arch.json, with batch 256, Adam and binary cross-entropy, on images in [0, 1]; all
measure whole steps, from data in memory to the updated weights. The ways take turns within every round, because other
users of a machine move all of them; the figures are medians over the rounds, and the ratio is the median of the
rounds' ratios. Needs numpy and tensorflow (or tensorflow-cpu).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

WAYS = "moncae", "one process", "processes"


def build(path):
    """The network as a Keras model that gives logits."""
    import keras
    from keras import layers

    arch = json.load(open(path))
    channels, height, width = arch["input"]
    x = image = layers.Input((height, width, channels))
    for stack in arch["encoder"], arch["decoder"]:
        values = [x]
        for layer in stack:
            kind = layer["kind"]
            if kind == "conv":
                x = layers.Conv2D(layer["filters"], layer["kernel"], layer["stride"], padding="same")(x)
            elif kind == "batch_norm":
                x = layers.BatchNormalization(epsilon=1e-3, momentum=0.9)(x)
            elif kind == "activation":
                x = layers.Activation(layer["activation"])(x)
            elif kind == "dropout":
                x = layers.Dropout(layer["rate"])(x)
            elif kind == "max_pool":
                x = layers.MaxPooling2D(2, padding="same")(x)
            elif kind == "upsample":
                x = layers.UpSampling2D(2)(x)
                odd = [side % 2 for side in layer["to"]]
                if any(odd):
                    x = layers.Cropping2D(((odd[0], 0), (odd[1], 0)))(x)
            elif kind == "add":
                x = layers.Add()([x, values[layer.get("from", 0)]])
            else:
                raise SystemExit(f"{path}: layer kind {kind} is unknown")
            values.append(x)
    model = keras.Model(image, x)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return model, (height, width, channels)


def serve(path, threads, batch, seconds):
    """A TensorFlow process: for every line on stdin, trains for about `seconds` and prints images a second."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    model, shape = build(path)

    def images(steps):
        return numpy.random.default_rng(1).random((steps * batch, *shape), dtype="f4")

    def fit(x):
        start = time.perf_counter()
        model.fit(x, x, batch_size=batch, epochs=1, verbose=0)
        return time.perf_counter() - start

    x = images(2)
    fit(x)  # traces and compiles
    x = images(max(2, int(2 * seconds / fit(x))))
    fit(x)
    print("ready", model.count_params(), flush=True)
    for _ in sys.stdin:
        print(len(x) / fit(x), flush=True)


class Server:
    def __init__(self, path, threads, options):
        own = ["--serve", str(threads), "--batch", str(options.batch), "--seconds", str(options.seconds), path]
        self.process = subprocess.Popen([sys.executable, __file__, *own], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit("the TensorFlow process ended; run this script with --serve 1 and one network to see why")
        return text

    def start(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def moncae(path, options):
    """The rate of P candidates side by side, one alone, and the number of parameters."""
    command = [options.moncae, "bench", "train", path, "--batch", str(options.batch), "--seconds", str(options.seconds), "--device", "cpu", "--json"]
    result = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)[0]
    return result["rates"][-1]["images_per_second"], result["rates"][0]["images_per_second"], result["params"]


def compare(path, options):
    alone = Server(path, options.cores, options)
    alone.line()
    many = [Server(path, 1, options) for _ in range(options.cores)]
    for server in many:
        server.line()
    rates, single = {way: [] for way in WAYS}, []
    for _ in range(options.rounds):
        rate, one, params = moncae(path, options)
        rates["moncae"].append(rate)
        single.append(one)
        for way, servers in ("one process", [alone]), ("processes", many):
            for server in servers:
                server.start()
            rates[way].append(sum(float(server.line()) for server in servers))
    for server in [alone, *many]:
        server.close()
    ratios = [m / max(a, b) for m, a, b in zip(*(rates[way] for way in WAYS))]
    row = {way: statistics.median(rates[way]) for way in WAYS}
    return {"network": os.path.basename(path), "params": params, "moncae alone": statistics.median(single), **row, "ratio": statistics.median(ratios), "ratios": ratios, "rates": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("networks", nargs="+", help="arch.json files")
    parser.add_argument("--moncae", default="bin/moncae")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement, about")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="print everything measured")
    parser.add_argument("--serve", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.networks[0], options.serve, options.batch, options.seconds)
    rows = [compare(path, options) for path in options.networks]
    if options.json:
        return print(json.dumps(rows, indent=1))
    p = options.cores
    print(f"images/s, batch {options.batch}, medians of {options.rounds} rounds")
    head = "network", "parameters", "moncae ×1", f"moncae ×{p}", f"TensorFlow, {p} threads", f"TensorFlow, {p} × 1 thread", "ratio"
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for r in rows:
        cells = [r["network"], str(r["params"]), *(f"{r[k]:.0f}" for k in ("moncae alone", *WAYS)), f"{r['ratio']:.2f} ({min(r['ratios']):.2f}–{max(r['ratios']):.2f})"]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
