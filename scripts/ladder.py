"""What a search has to beat: networks that people would begin with, one a latent size, trained as a search trains.

    python scripts/ladder.py --trials ladder.jsonl -- --data mnist-mini --seed 46

Strided 3×3 convolutions with 8, 16, 32, … filters, batch norm and silu, Adam on one cycle; the latent's channels and the
number of blocks are from RUNGS. What comes after -- are flags of `moncae search`. `moncae compare` reads the trials.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "examples"))

from evaluator import Evaluator, Trials, arguments

# Blocks, and channels of the latent: 1×1×1 to 4×7×7 where images are 28×28.
RUNGS = [(5, 1), (5, 2), (5, 3), (5, 4), (5, 6), (5, 8), (4, 3), (4, 4), (4, 6), (4, 8), (3, 3), (3, 4), (3, 8), (3, 12), (2, 4)]


def network(space: list[dict], blocks: int, channels: int) -> dict:
    """A value for each of the space's parameters but those of blocks that are not active."""
    most = max(c for p in space if p["name"] == "block0.filters" for c in p["choices"])
    params: dict = {"latent.filters": channels, "latent.activation": "", "optimizer": "adam", "rate": 0.65, "schedule": "one_cycle"}
    for name in (p["name"] for p in space if p["name"].startswith("block")):
        block, field = int(name.split(".")[0].removeprefix("block")), name.split(".")[1]
        if field == "active":
            params[name] = block < blocks
        elif block < blocks:
            params[name] = {"filters": min(8 * 2**block, most), "kernel": 3, "batch_norm": True, "activation": "silu", "dropout": 0, "pool": "stride", "skip": False}[field]
    return params


def main() -> None:
    a = arguments(__doc__).parse_args()
    with Evaluator(*a.flags, moncae=a.moncae) as evaluator:
        trials = Trials(a.trials)
        for i, rung in enumerate(RUNGS):
            evaluator.submit(i, network(evaluator.space["parameters"], *rung))
        for _ in RUNGS:
            answer = evaluator.result()
            print("×".join(map(str, answer.get("latent", []))), answer.get("objectives", answer["status"]), flush=True)
            trials.add(evaluator, answer)


if __name__ == "__main__":
    main()
