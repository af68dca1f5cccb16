"""`moncae search` against Optuna over PyTorch, as a Python user would write it, at equal wall time on the same cores.

    make bench-search OUT=FOLDER [BENCH="--seeds 46 29 12 --sampler tpe"]

For each seed, moncae searches first, before finetuning; the time that it took is Optuna's. Optuna has a process a core, each
with one thread, over a journal file that they share. Data, validation split, space (without dropout), epochs, patience,
batch and loss are those of moncae's run; imports and the reading of data are not counted, and a network beyond the
reference or the limit of multiply-adds is refused without cost and told the reference, for samplers learn nothing from
failures. PyTorch runs eagerly (networks live too briefly for torch.compile, and tracing gains nothing), in float32 or by
autocast in bfloat16, with channels first or last, whatever is fastest on a middling network. FOLDER keeps runs and
trials, so that a second call goes on; `moncae compare` makes the figures.
"""
import argparse
import itertools
import json
import math
import multiprocessing
import os
import pathlib
import subprocess
import time

import numpy as np
import optuna
import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "silu": nn.SiLU}
RATES = {"adadelta": (1, 10), "adagrad": (0.02, 2), "sgd": (0.05, 5)}  # of the others: 0.002 to 0.2
OPTIMISERS = {
    "adam": lambda p, lr: torch.optim.Adam(p, lr, fused=True),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr, alpha=0.9),
    "adagrad": lambda p, lr: torch.optim.Adagrad(p, lr, initial_accumulator_value=0.1, fused=True),
    "adadelta": lambda p, lr: torch.optim.Adadelta(p, lr, rho=0.95),
    "sgd": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.9, fused=True),
}


class Block(nn.Module):
    """Convolution, batch norm, skip, activation."""

    def __init__(self, inside, outside, kernel, stride, norm, skip, activation, to=None):
        super().__init__()
        if to:  # transposed
            self.conv = nn.ConvTranspose2d(inside, outside, kernel, 2, padding=kernel // 2, output_padding=tuple(1 - side % 2 for side in to))
        else:
            self.conv = nn.Conv2d(inside, outside, kernel, stride, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(outside) if norm else nn.Identity()
        self.activation = ACTIVATIONS[activation]() if activation else nn.Identity()
        self.skip = skip and stride == 1 and inside == outside and not to

    def forward(self, x):
        y = self.norm(self.conv(x))
        return self.activation(y + x if self.skip else y)


class Refused(Exception):
    """A network that can't become a member of the front, or is too large."""


def network(params, image, blocks, most, pooled, transpose):
    """The autoencoder, its latent's values; the decoder mirrors the encoder. Sides from `pooled` pixels on are pooled; with
    `transpose`, transposed convolutions mirror those that move by 2 where the latent has four channels and more."""
    transpose = transpose and params["latent.filters"] >= 4
    active = [i for i in range(blocks) if i == 0 or params[f"block{i}.active"]]
    encoder, mirrors = [], []
    (channels, h, w), before, cost = image, 0, 0
    for n, i in enumerate(active):
        get = lambda name: params[f"block{i}.{name}"]
        pool = get("pool") if min(h, w) >= pooled else "none"
        last = n == len(active) - 1
        kernel, stride = get("kernel"), 1
        if pool == "stride":
            kernel, stride = max(kernel, 3), 2
        out = params["latent.filters"] if last else get("filters")
        encoder.append(Block(channels, out, kernel, stride, get("batch_norm"), get("skip"), params["latent.activation"] if last else get("activation")))
        if pool == "max":
            encoder.append(nn.MaxPool2d(2, ceil_mode=True))
        mirrors.append((max(get("filters"), before), kernel if pool == "stride" and transpose else get("kernel"), get("batch_norm"), get("skip"), get("activation"),
                        (h, w) if pool != "none" else None, pool == "stride" and transpose))
        small = ((h + 1) // 2, (w + 1) // 2) if pool != "none" else (h, w)
        at = small if stride == 2 else (h, w)
        cost += at[0] * at[1] * kernel**2 * channels * out
        channels, before, (h, w) = out, get("filters"), small
    values = channels * h * w
    decoder = []
    for out, kernel, norm, skip, activation, size, transposed in reversed(mirrors):
        decoder.append(Block(channels, out, kernel, 1, norm, skip, activation, size if transposed else None))
        cost += h * w * kernel**2 * channels * out
        if size and not transposed:
            decoder.append(nn.Upsample(size=size))
        h, w = size or (h, w)
        channels = out
    decoder.append(nn.Conv2d(channels, image[0], 3, padding=1))
    cost += h * w * 9 * channels * image[0]
    if values >= math.prod(image) or most and cost > most * image[1] * image[2]:
        raise Refused
    return nn.Sequential(*encoder, *decoder), values


def rate(params):
    low, high = RATES.get(params["optimizer"], (2e-3, 0.2))
    return low * (high / low) ** params["rate"]


def scheduler(name, optimiser, lr, steps):
    if name == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    if name == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=max(2, steps), pct_start=0.3, div_factor=25, final_div_factor=400, cycle_momentum=False)
    return None


def suggest(trial, parameters):
    params = {}
    for p in parameters:
        if "if" in p and not params[p["if"]]:
            continue
        if p["type"] == "float":
            params[p["name"]] = trial.suggest_float(p["name"], *p["range"])
        elif not p["name"].endswith("dropout"):
            params[p["name"]] = trial.suggest_categorical(p["name"], p["choices"])
    return params


def train(net, params, job, data, validation, deadline=math.inf):
    """The best validation loss and the steps; None once the time is over."""
    config, loss = job["config"], nn.BCEWithLogitsLoss() if job["config"]["loss"] == "bce" else lambda z, y: nn.functional.mse_loss(torch.sigmoid(z), y)
    batch = min(config["batch"], len(data))
    steps = len(data) // batch
    optimiser = OPTIMISERS[params["optimizer"]](net.parameters(), lr=rate(params))
    schedule = scheduler(params["schedule"], optimiser, rate(params), steps * config["epochs"])
    bf16, last = job["mode"]
    layout = torch.channels_last if last else torch.contiguous_format
    net.to(memory_format=layout)
    best, since, made = math.inf, 0, 0
    for _ in range(config["epochs"]):
        net.train()
        for rows in torch.randperm(len(data))[: steps * batch].view(steps, batch):
            x = data[rows].to(memory_format=layout)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                z = net(x)
            l = loss(z.float(), x)
            l.backward()
            optimiser.step()
            if schedule:
                schedule.step()
            made += 1
            if time.time() > deadline:
                return None
            if not torch.isfinite(l):
                return math.nan, made
        net.eval()
        with torch.no_grad():
            now = sum(float(loss(net(x), x)) * len(x) for x in validation.split(256)) / len(validation)
        best, since = (now, 0) if now < best else (best, since + 1)
        if config["patience"] and since >= config["patience"]:
            break
    return best, made


def images(job):
    data = torch.from_numpy(np.load(job["images"])["images"])
    return data[job["train"]].float() / 255, data[job["validation"]].float() / 255


def work(job, barrier, seed, sampler, out):
    """A process: trials until the time is over, a line each."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    data, validation = images(job)
    samplers = {"tpe": optuna.samplers.TPESampler, "nsga2": optuna.samplers.NSGAIISampler, "random": optuna.samplers.RandomSampler}
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(job["journal"]))
    study = optuna.create_study(study_name="search", storage=storage, directions=["minimize"] * 2, sampler=samplers[sampler](seed=seed), load_if_exists=True)
    barrier.wait()
    began = time.time()
    deadline = began + job["seconds"]
    with open(out, "w") as lines:
        while time.time() < deadline:
            trial = study.ask()
            params = suggest(trial, job["parameters"])
            try:
                net, values = network(params, job["image"], job["config"]["space"]["max_blocks"], job["config"]["max_flops"], job["pooled"], job["transpose"])
            except Refused:
                study.tell(trial, job["reference"])
                continue
            done = train(net, params, job, data, validation, deadline)
            if done is None:
                return
            loss, steps = done
            good = math.isfinite(loss) and loss < 1e3
            study.tell(trial, [loss, math.log10(values)] if good else None, state=optuna.trial.TrialState.COMPLETE if good else optuna.trial.TrialState.FAIL)
            point = {"loss": loss, "loc": math.log10(values)} if good else None
            print(json.dumps({"trial": trial.number, "steps": steps, "seconds": round(time.time() - began, 3), "objectives": point}), file=lines, flush=True)


def fastest(job):
    """The mode that trains a middling network fastest, 60 steps of each: whether in bfloat16, and whether with channels last."""
    torch.set_num_threads(1)
    params = {"optimizer": "adam", "rate": 0.5, "schedule": "constant", "latent.filters": 2, "latent.activation": ""}
    for i in range(2):
        params |= {f"block{i}.{k}": v for k, v in {"active": True, "filters": 8, "kernel": 3, "batch_norm": True, "activation": "relu", "pool": "max", "skip": False}.items()}
    data, validation = images(job)
    data = data[: 60 * job["config"]["batch"]]
    took = {}
    for mode in 2 * [*itertools.product((False, True), repeat=2)]:  # the first of each warms up
        net, _ = network(params, job["image"], 2, 0, job["pooled"], job["transpose"])
        begin = time.time()
        train(net, params, {"mode": mode, "config": {**job["config"], "epochs": 1}}, data, validation[:64])
        took[mode] = time.time() - begin
    return min(took, key=took.get)


def words(mode):
    return ", ".join(pair[on] for pair, on in zip((("float32", "bfloat16"), ("channels first", "channels last")), mode))


def moncae_search(o, run, seed):
    if not (run / "done").exists():
        command = [o.moncae, "search", "--run", run, "--jobs", o.cores, "--no-export"]
        command += ["--resume"] if (run / "run.json").exists() else ["--data", o.data, "--seed", seed, "--finetune", 0, *o.flags]
        subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
        (run / "done").touch()
    return json.loads((run / "run.json").read_text())


def job_of(o, run, manifest, seed):
    """What Optuna's processes need: the run's data, split, space and limits."""
    compared = json.loads(subprocess.run([o.moncae, "compare", run, "--json"], check=True, capture_output=True, text=True).stdout)
    config = manifest["config"]
    space = [o.moncae, "search", "--evaluate", "--data", o.data, "--max-layers", config["space"]["max_blocks"], "--max-filters", config["space"]["max_filters"], "--space", config["space"]["name"]]
    asked = subprocess.run([*map(str, space)], input='{"op":"space"}\n', check=True, capture_output=True, text=True).stdout
    folder = o.out / f"images-{seed}"
    folder.mkdir(exist_ok=True)
    subprocess.run([o.moncae, "data", "convert", o.data, "--split", "train", "--format", "npz", "--overwrite", "--out", folder / "train.npz"], check=True, capture_output=True)
    x = np.load(folder / "train.npz")["x_train"]
    x = x[:, None] if x.ndim == 3 else np.moveaxis(x, 3, 1)
    np.savez(folder / "images.npz", images=x)
    held = manifest["validation_ids"]
    rest = np.setdiff1d(np.arange(len(x)), held)
    if 0 < config["train_limit"] < len(rest):
        rest = np.random.default_rng(seed).choice(rest, config["train_limit"], replace=False)
    return {
        "config": config, "image": list(x.shape[1:]), "parameters": json.loads(asked)["parameters"], "images": str(folder / "images.npz"), "train": rest.tolist(), "validation": held,
        "seconds": compared["budgets"]["seconds"], "journal": str(folder / "optuna.journal"),
        "reference": manifest["reference"], "pooled": 2 if config["space"].get("to_pixel") else 3, "transpose": config["space"].get("transpose", False),
    }


def optuna_search(o, job, manifest, seed, trials):
    parts = [trials.with_suffix(f".{i}") for i in range(o.cores)]
    pathlib.Path(job["journal"]).unlink(missing_ok=True)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(o.cores)
    processes = [context.Process(target=work, args=(job, barrier, 1000 * seed + i, o.sampler, part)) for i, part in enumerate(parts)]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
        if p.exitcode:
            raise SystemExit(f"bench_search.py: a process of Optuna ended with exit code {p.exitcode}")
    header = {"format": "moncae.trials", "version": 1, "objectives": ["loss", "loc"], "reference": manifest["reference"], "seed": seed, "data": manifest["data"]["fingerprint"]}
    trials.write_text("".join([json.dumps(header) + "\n", *(part.read_text() for part in parts)]))
    for part in parts:
        part.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moncae", default="moncae")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--data", default="mnist-mini")
    parser.add_argument("--seeds", type=int, nargs="+", default=[46, 29, 12])
    parser.add_argument("--sampler", choices=["tpe", "nsga2", "random"], default="tpe")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("flags", nargs="*", help="of moncae search, behind --")
    o = parser.parse_args()
    o.out.mkdir(parents=True, exist_ok=True)
    groups = {"moncae": [], f"optuna-{o.sampler}": []}
    for seed in o.seeds:
        run, trials = o.out / f"moncae-{seed}", o.out / f"optuna-{o.sampler}-{seed}.jsonl"
        manifest = moncae_search(o, run, seed)
        if not trials.exists():
            job = job_of(o, run, manifest, seed)
            job["mode"] = fastest(job)
            print(f"seed {seed}: {job['seconds']:.1f} s each, PyTorch {torch.__version__} {words(job['mode'])}", flush=True)
            optuna_search(o, job, manifest, seed, trials)
        for paths, path in zip(groups.values(), (run, trials)):
            paths.append(str(path))
        subprocess.run([o.moncae, "compare", run, trials], check=True)
    named = [w for name, paths in groups.items() for w in ("--group", f"{name}={','.join(paths)}")]
    print("\nAll seeds", flush=True)
    subprocess.run([o.moncae, "compare", *named, "--svg", o.out / "compare.svg", "--overwrite"], check=True)


if __name__ == "__main__":
    main()
