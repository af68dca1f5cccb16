"""moncae's trainings for an optimiser in Python: `moncae search --evaluate`, see docs/format/evaluate.md."""
from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import threading
import time
from queue import Queue


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The arguments of a script that has moncae train."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", help="file for a line of JSON each training")
    parser.add_argument("--moncae", default="moncae")
    parser.add_argument("flags", nargs="*", help="of moncae search, behind --")
    return parser


class Evaluator:
    """A `moncae search --evaluate` with the flags given, as a context manager.

    `space` is its answer to {"op": "space"}. `submit` has a network trained, `describe` tells what is known of it
    without, and `result` waits for the training that ends next.
    """

    def __init__(self, *flags: str, moncae: str = "moncae"):
        command = [moncae, "search", "--evaluate", *flags]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._trained: Queue = Queue()
        self._told: Queue = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.space = self._ask(op="space")
        except Exception:
            self.close()
            raise

    def _read(self) -> None:
        for line in self._process.stdout:
            answer = json.loads(line)
            (self._trained if "id" in answer else self._told).put(answer)  # only submit gives one
        for queue in (self._trained, self._told):
            queue.put(None)  # it has ended

    def _send(self, **question: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # what is awaited next says so
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()

    def _next(self, queue: Queue) -> dict:
        answer = queue.get()
        if answer is None:
            raise RuntimeError(f"moncae has ended with exit code {self._process.wait()}; its messages say why")
        if answer["status"] == "error":
            raise ValueError(answer["error"])
        return answer

    def _ask(self, **question: object) -> dict:
        self._send(**question)
        return self._next(self._told)

    def describe(self, params: dict) -> dict:
        return self._ask(op="describe", params=params)

    def submit(self, id: int | str, params: dict) -> None:
        self._send(op="evaluate", id=id, params=params)

    def result(self) -> dict:
        return self._next(self._trained)

    def point(self, answer: dict) -> list[float] | None:
        """The objectives in the space's order; None for a network without a score."""
        return [answer["objectives"][name] for name in self.space["names"]] if answer["status"] == "ok" else None

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # it may have ended before it read what was sent
            self._process.stdin.close()
        self._reader.join()
        self._process.wait()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Trials:
    """Writes a line for each training, for `moncae compare`: docs/format/trials.md."""

    def __init__(self, path: str | None):
        self._file = open(path, "w", encoding="utf-8") if path else None
        self.points: list[list[float]] = []
        self._count = 0
        self._began = time.monotonic()

    def add(self, evaluator: Evaluator, answer: dict) -> None:
        if answer["status"] == "refused":
            return  # nothing was trained
        point = evaluator.point(answer)
        if point:
            self.points.append(point)
        if self._file:
            if self._count == 0:
                common = {name: evaluator.space[name] for name in ("reference", "data", "seed", "validation_seed")}
                header = {"format": "moncae.trials", "version": 1, "objectives": evaluator.space["names"], **common}
                self._file.write(json.dumps(header) + "\n")
            named = dict(zip(evaluator.space["names"], point)) if point else None
            line = {"trial": self._count, "steps": answer["steps"], "seconds": round(time.monotonic() - self._began, 3), "objectives": named}
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        self._count += 1

    def front(self) -> list[tuple[float, ...]]:
        """The points that no other dominates, by the first objective."""
        points = {tuple(p) for p in self.points}
        return sorted(p for p in points if not any(all(a <= b for a, b in zip(q, p)) for q in points - {p}))
