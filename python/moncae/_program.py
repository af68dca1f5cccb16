"""Runs the program, and makes an exception of its exit code."""

from __future__ import annotations

import collections
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from . import errors

REPEATED = ("bound", "candidate", "group", "init")
"""Flags that can be given several times."""

MAPPINGS = ("worker-resources",)
"""Flags of names and values."""

Flag = str | int | float | bool | os.PathLike[str] | Iterable[Any] | None


def program() -> str:
    """The program of the wheel that this package came with, else the one on PATH."""
    name = "moncae.exe" if sys.platform == "win32" else "moncae"
    package = pathlib.Path(__file__).resolve().parent
    places = [
        package.parent / "bin" / name,  # pip install --target
        pathlib.Path(sysconfig.get_path("scripts")) / name,
        pathlib.Path(sysconfig.get_path("scripts", f"{os.name}_user")) / name,
    ]
    for place in places:
        if place.is_file():
            return str(place)
    found = shutil.which(name)
    if found is None:
        raise errors.MissingLibrary(f"the program {name} was not found; install moncae's wheel anew; looked at: {', '.join(map(str, places))}, PATH")
    return found


def flags(values: dict[str, Flag]) -> list[str]:
    """Words of the command line: train_limit=500 is --train-limit 500.

    None is left out, True is --flag=true. A list repeats the flags that can be
    repeated (REPEATED); for the others it is one value, as in mean=[0.1, 0.2, 0.3],
    image_size=(16, 32) or a dict for worker_resources.

    Raises:
        ValueError: an empty list, where that is no value; a dict or a set for a flag
            that takes none.
    """
    words: list[str] = []
    for given, value in values.items():
        name = given.rstrip("_").replace("_", "-")
        if value is None:
            continue
        if getattr(value, "ndim", 1) == 0 and isinstance(value, Iterable):
            array: Any = value
            value = array.item()
        if isinstance(value, str | os.PathLike) or not isinstance(value, Iterable):
            words.append(f"--{name}={_text(value)}")
            continue
        if isinstance(value, Mapping) != (name in MAPPINGS) or isinstance(value, set | frozenset):
            raise ValueError(f"{given} is a {type(value).__name__}, which it doesn't take")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        found = [f"{key}={_text(one)}" for key, one in value.items()] if isinstance(value, Mapping) else [_text(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
        if not found and (name == "candidate" or name not in REPEATED):
            raise ValueError(f"{given} is empty: give one at least, or leave it out")
        joined = found if name in REPEATED else ["x".join(found) if name == "image-size" else ",".join(found)]
        words += [f"--{name}={one}" for one in joined]
    return words


def _text(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str | os.PathLike) and getattr(value, "ndim", 1) > 0:  # pyright: ignore[reportUnknownArgumentType]
        raise ValueError(f"{type(value).__name__} within a value: names, paths and numbers are wanted; arrays of images can't stand here")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return str(value).lower() if isinstance(value, bool) else os.fspath(value) if isinstance(value, os.PathLike) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def word(path: str | os.PathLike[str]) -> str:
    """A path as a word of its own, which is no flag even where it begins with a dash."""
    text = os.fspath(path)
    return os.path.join(".", text) if text.startswith("-") else text


def call(*words: str | os.PathLike[str]) -> str:
    """Runs the program and gives what it printed."""
    with Process(words) as process:
        return process.finish()


def call_json(*words: str | os.PathLike[str]) -> Any:
    """Runs a command with --json and gives the document."""
    return json.loads(call(*words, "--json"))


class Process:
    """A running program. Leaving the block interrupts one that hasn't ended, and
    waits until it has saved its state.

    `events`, where they are wanted, is called with each event's kind and data, in
    this thread, while `finish` waits.
    """

    def __init__(self, words: Iterable[str | os.PathLike[str]], events: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        command = [program(), *(os.fspath(word) for word in words)]
        self._events = events
        self._lines: collections.deque[str] = collections.deque(maxlen=40)
        self._skipped: list[str] = []
        settings: dict[str, Any] = {"env": _environment()}
        reader = writer = -1
        if events is not None:
            reader, writer = os.pipe()
            command.append(f"--events={_pass_on(writer, settings)}")
        if sys.platform == "win32":
            settings["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            settings["process_group"] = 0  # an interrupt of the terminal reaches Python alone, which passes it on
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace", **settings
            )
        except BaseException:
            if reader >= 0:
                os.close(reader)
            raise
        finally:
            if writer >= 0:
                os.close(writer)
        self._reader = os.fdopen(reader, "rb") if reader >= 0 else None
        self._out: list[str] = []
        assert self._process.stdout is not None and self._process.stderr is not None
        self._threads = [
            threading.Thread(target=_drain, args=(self._process.stdout, self._out.append), daemon=True),
            threading.Thread(target=_drain, args=(self._process.stderr, self._heard), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        if self._reader is not None:
            self._reader.close()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def finish(self) -> str:
        """Waits for the end; gives what was printed, or raises by the exit code. Images
        that were skipped as unreadable are a warning."""
        if self._reader is not None and self._events is not None:
            for line in self._reader:
                event = json.loads(line)
                self._events(event["kind"], event["data"])
        code = self._process.wait()
        for thread in self._threads:
            thread.join()
        if code != 0:
            raise errors.of_exit(code, reason(self._lines))
        if self._skipped:
            warnings.warn("images were skipped: " + "; ".join(self._skipped), stacklevel=2)
        return "".join(self._out)

    def _heard(self, line: str) -> None:
        """Keeps what the program says on stderr, and of it the images that it left out."""
        self._lines.append(line)
        if line.startswith(("moncae: skipped ", "moncae: … and ")):
            self._skipped.append(line.strip().removeprefix("moncae: ").removeprefix("skipped "))


def reason(lines: Iterable[str]) -> str:
    """The program's own last word, without its name."""
    words = [line.strip() for line in lines]
    for line in reversed(words):
        if line.startswith("moncae: "):
            return line.removeprefix("moncae: ")
    return "\n".join(words)


def _environment() -> dict[str, str]:
    """This process's environment, and in it this Python, and the ONNX Runtime that it
    would import: the program may lie in another folder than the packages."""
    found = importlib.util.find_spec("onnxruntime")
    folders = list(found.submodule_search_locations or []) if found else []
    given = {"MONCAE_ONNXRUNTIME": os.path.join(folders[0], "capi")} if folders else {}
    return {"MONCAE_PYTHON": sys.executable, **given, **os.environ}


def _drain(stream: IO[str], to: Callable[[str], None]) -> None:
    with stream:
        for line in stream:
            to(line)


def _pass_on(writer: int, settings: dict[str, Any]) -> int:
    """Lets the program inherit a descriptor; gives the number that it has there."""
    if sys.platform == "win32":
        import msvcrt

        handle = msvcrt.get_osfhandle(writer)  # pyright: ignore
        os.set_handle_inheritable(handle, True)  # pyright: ignore
        settings["close_fds"] = False
        return handle  # pyright: ignore
    settings["pass_fds"] = (writer,)
    return writer
