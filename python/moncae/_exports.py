"""The exports in a run's folder: which candidate a word means, and whether its export is of the weights that the run has now."""

from __future__ import annotations

import hashlib
import json
import math
import pathlib
from typing import Any

from ._models import Autoencoder
from .errors import MoncaeError

FIGURES = ("bce", "mse", "psnr", "ssim")


def front(run: pathlib.Path) -> list[dict[str, Any]]:
    """The members in front.json; none where no generation has ended yet."""
    file = run / "front.json"
    return json.loads(file.read_text(encoding="utf-8"))["members"] if file.is_file() else []


def trained(run: pathlib.Path) -> int:
    """How many candidates the journal has."""
    try:
        with (run / "journal.jsonl").open("rb") as lines:
            return sum(b'"kind":"candidate"' in line for line in lines)
    except OSError:
        return 0


def meant(run: pathlib.Path, candidate: str) -> str | None:
    """The id of a candidate: knee and best-loss as `moncae export` takes them; None
    where the program has to say it."""
    if candidate not in ("knee", "best-loss"):
        return candidate
    members = front(run)
    if candidate == "knee":
        return _knee(members, json.loads((run / "run.json").read_text(encoding="utf-8"))["objectives"])
    if not all("loss" in m["objectives"] for m in members):
        return None
    return min(members, key=lambda m: m["objectives"]["loss"], default={"id": None})["id"]


def _knee(members: list[dict[str, Any]], objectives: list[str]) -> str | None:
    """The member with the smallest sum of objectives, each scaled to [0, 1] over the front."""
    sums = [0.0] * len(members)
    for name in objectives:
        values = [float("inf") if m["objectives"].get(name) is None else m["objectives"][name] for m in members]
        span = max(values, default=0) - min(values, default=0)
        if 0 < span < math.inf:
            sums = [total + (value - min(values)) / span for total, value in zip(sums, values, strict=True)]
    return members[sums.index(min(sums))]["id"] if members else None


def current(run: pathlib.Path, candidate: str) -> Autoencoder | None:
    """The export of a candidate in the run's folder, where it is whole, of float32
    and of the candidate's weights, which its figures tell; else None."""
    result, folder = _result(run, candidate), run / "export" / candidate
    if result is None:
        return None
    try:
        said = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        if said["dtype"] != "float32" or any(hashlib.sha256((folder / name).read_bytes()).hexdigest() != said["sha256"][name] for name in ("encoder.onnx", "decoder.onnx")):
            return None
        model = Autoencoder.load(folder)
        metrics = json.loads(model.metadata["moncae.metrics"])
        same = metrics["epochs"] == result["epochs"] and all(metrics.get(name) == result["figures"].get(name) for name in FIGURES)
        mine = model.metadata["moncae.run"] == json.loads((run / "run.json").read_text(encoding="utf-8"))["run"]
        return model if same and mine else None
    except (OSError, ValueError, LookupError, TypeError, MoncaeError):
        return None  # a new export replaces it, or says what is wrong


def _result(run: pathlib.Path, candidate: str) -> dict[str, Any] | None:
    """What the journal says last of a candidate's weights: its search's training, or a finetuning that made them better."""
    found: dict[str, Any] | None = None
    mark = json.dumps(candidate).encode()
    with (run / "journal.jsonl").open("rb") as lines:
        for line in lines:
            if mark not in line:
                continue
            try:
                record = json.loads(line)
                event = record["data"].get("event", record["data"])
                if record["kind"] in ("candidate", "finetune") and event["id"] == candidate:
                    found = event.get("result") or found
            except (ValueError, LookupError):
                continue  # of a line under way; the program judges damage
    return found
