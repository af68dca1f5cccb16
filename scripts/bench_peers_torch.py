"""PyTorch's side of bench_peers.py: trains one network whenever a line comes on stdin, and prints images a second.

    python scripts/bench_peers_torch.py ARCH.json MODE THREADS BATCH SECONDS

A mode is three words with a comma between: eager or compile, f32 or bf16 (autocast), contiguous or channels_last.
"""

import itertools
import json
import sys
import time

MODES = [",".join(words) for words in itertools.product(("eager", "compile"), ("f32", "bf16"), ("contiguous", "channels_last"))]


def build(path):
    """The network as a module that gives logits, and its input's shape."""
    from torch import nn

    arch = json.load(open(path))
    activations = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "silu": nn.SiLU}

    def module(layer, channels):
        kind = layer["kind"]
        if kind == "conv":
            return nn.Conv2d(channels, layer["filters"], layer["kernel"], layer["stride"], padding=layer["kernel"] // 2)
        if kind == "conv_transpose":
            even = [1 - side % 2 for side in layer["to"]]
            return nn.ConvTranspose2d(channels, layer["filters"], layer["kernel"], 2, padding=layer["kernel"] // 2, output_padding=even)
        if kind == "batch_norm":
            return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)
        if kind == "activation":
            return activations[layer["activation"]]()
        if kind == "dropout":
            return nn.Dropout(layer["rate"])
        if kind == "max_pool":
            return nn.MaxPool2d(2, ceil_mode=True)
        if kind == "upsample":
            return nn.Upsample(scale_factor=2)
        if kind == "add":
            return nn.Identity()
        raise SystemExit(f"{path}: layer kind {kind} is unknown")

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            channels = arch["input"][0]
            self.stacks = nn.ModuleList()
            for stack in arch["encoder"], arch["decoder"]:
                self.stacks.append(nn.ModuleList())
                for layer in stack:
                    self.stacks[-1].append(module(layer, channels))
                    channels = layer.get("filters", channels)

        def forward(self, x):
            for stack, layers in zip((arch["encoder"], arch["decoder"]), self.stacks):
                values = [x]
                for layer, f in zip(stack, layers):
                    x = f(x)
                    if layer["kind"] == "upsample":
                        height, width = layer["to"]
                        x = x[:, :, x.shape[2] - height :, x.shape[3] - width :]
                    elif layer["kind"] == "add":
                        x = x + values[layer.get("from", 0)]
                    values.append(x)
            return x

    return Network(), arch["input"]


def main(path, mode, threads, batch, seconds):
    import torch

    if mode not in MODES:
        raise SystemExit(f"mode {mode} is none of {MODES}")
    how, precision, layout = mode.split(",")
    layout = getattr(torch, layout + "_format") if layout == "contiguous" else torch.channels_last
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network, shape = build(path)
    network = network.to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def loss(x):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
            logits = network(x)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), x)

    if how == "compile":
        loss = torch.compile(loss)

    def fit(x):
        start = time.perf_counter()
        for i in range(0, len(x), batch):
            optimizer.zero_grad()
            loss(x[i : i + batch]).backward()
            optimizer.step()
        return time.perf_counter() - start

    def images(steps):
        return torch.rand(steps * batch, *shape).to(memory_format=layout)

    x = images(2)
    fit(x)
    x = images(max(2, int(2 * seconds / fit(x))))
    fit(x)
    print("ready", sum(p.numel() for p in network.parameters()), flush=True)
    for _ in sys.stdin:
        print(len(x) / fit(x), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
