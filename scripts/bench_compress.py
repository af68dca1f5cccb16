"""From a folder of images to a file of latents: moncae against a straightforward Python loop.

    python scripts/bench_compress.py --moncae bin/moncae --encoder export/knee/encoder.onnx --images photos/

Both sides do the same work on the same images, in turn, for some rounds, each as a process of its own: read and
decode every file, scale to [0, 1], run the encoder in batches of the same size, and write id, latent, label and path
as an Arrow file. The Python side is Pillow, onnxruntime with its default threads (all cores) and pyarrow. Both files
are compared: from PNG files the latents are equal bit for bit (largest_difference 0); JPEG decoders differ by up to 3
of 255 grey levels, and the latents by what the encoder makes of that. What is printed is JSON: images a second and peak memory, medians over the rounds,
and the median of the rounds' ratios. Needs numpy, pillow, onnxruntime and pyarrow.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time


def loop(encoder, folder, out, batch):
    """The loop that one writes without moncae."""
    import numpy as np
    import onnxruntime
    import pyarrow as pa
    from PIL import Image

    session = onnxruntime.InferenceSession(encoder, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    classes = sorted({p.parent.name for p in paths})
    number = {c: i for i, c in enumerate(classes)}
    writer = None
    for start in range(0, len(paths), batch):
        part = paths[start : start + batch]
        pixels = np.stack([np.asarray(Image.open(p).convert("RGB")) for p in part])
        x = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        z = session.run(None, {name: x})[0]
        record = pa.record_batch({
            "id": pa.array(range(start, start + len(part)), pa.int64()),
            "latent": pa.FixedShapeTensorArray.from_numpy_ndarray(z),
            "label": pa.array([number[p.parent.name] for p in part], pa.int64()),
            "path": [p.relative_to(folder).as_posix() for p in part],
        })
        writer = writer or pa.ipc.new_file(out, record.schema)
        writer.write_batch(record)
    writer.close()


def timed(command, env):
    """Seconds and peak memory in bytes of a command."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed with {process.returncode}")
    return time.monotonic() - start, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def values(path):
    import numpy as np
    import pyarrow as pa

    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return np.concatenate([c.to_numpy_ndarray() for c in table["latent"].chunks]), table["path"].to_pylist()


def compare(folder, args, env):
    import numpy as np

    ours, theirs = folder / "moncae.arrow", folder / "python.arrow"
    commands = {
        "moncae": [args.moncae, "compress", "--encoder", args.encoder, "--data", args.images, "--split", "all",
                   "--decoder", "none", "--batch", str(args.batch), "--device", "cpu", "--out", str(ours)],
        "python": [sys.executable, __file__, "--loop", str(theirs), "--encoder", args.encoder, "--images", args.images,
                   "--batch", str(args.batch)],
    }
    seconds, memory = {k: [] for k in commands}, {k: [] for k in commands}
    for round_ in range(args.rounds + 1):
        for name, command in commands.items():
            s, m = timed(command, env)
            if round_:  # the first fills the caches
                seconds[name].append(s)
                memory[name].append(m)
    a, b = values(ours), values(theirs)
    if a[1] != b[1]:
        sys.exit("the two files hold other images, or another order")
    return {
        "images": len(a[0]),
        "batch": args.batch,
        "cores": os.cpu_count(),
        "largest_difference": float(np.abs(a[0] - b[0]).max()),
        "largest_value": float(np.abs(b[0]).max()),
        "images_per_second": {k: len(a[0]) / statistics.median(v) for k, v in seconds.items()},
        "peak_bytes": {k: statistics.median(v) for k, v in memory.items()},
        "times_faster": statistics.median(p / m for p, m in zip(seconds["python"], seconds["moncae"])),
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--moncae", default="bin/moncae")
    p.add_argument("--encoder", required=True)
    p.add_argument("--images", required=True, help="a folder of JPEG or PNG files of one size")
    p.add_argument("--batch", type=int, default=256)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--loop", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.loop:
        loop(args.encoder, args.images, args.loop, args.batch)
        return
    import onnxruntime

    # One library for both sides, so that bits can be compared.
    env = dict(os.environ, MONCAE_ONNXRUNTIME=str(pathlib.Path(onnxruntime.__file__).parent / "capi"))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(compare(pathlib.Path(folder), args, env), indent=2))


if __name__ == "__main__":
    main()
