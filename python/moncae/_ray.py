# pyright: basic, reportMissingImports=false
"""Workers on a Ray cluster: the bridge of docs/format/worker.md, as `python -m moncae._ray OPTIONS`.

The program starts it for --workers ray. An actor of the cluster is a worker: it runs
`moncae worker` on its node. What the program gives to workers is put into Ray's object
store once, which brings it to each node once; everything else are arguments and
results of the actors' methods. When standard input ends, so do the actors.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any


class Worker:
    """An actor: a process of `moncae worker` on a node.

    Ray pickles what is defined in __main__ by value: the node's package need not be of
    this version, so that the program can say that it isn't.
    """

    def __init__(self, args: list[str], folder: str) -> None:
        import collections
        import shutil
        import subprocess
        import threading

        import ray

        self.where = f"node {ray.util.get_node_ip_address()} ({ray.get_runtime_context().get_node_id()[:8]})"
        self.failure = ""
        self.said: Any = collections.deque(maxlen=40)
        environment: Any = None
        try:
            from moncae import _program

            program, environment = _program.program(), _program._environment()
        except Exception as error:  # it tells what to do, whatever it is
            program = shutil.which("moncae")
            if program is None:
                self.failure = f"its Python can't use moncae ({error}); there: pip install moncae"
                return
        try:
            self.process = subprocess.Popen(
                [program, *args], cwd=folder if os.path.isdir(folder) else None, env=environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        except OSError as error:
            self.failure = str(error)
            return
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            self.said.append(line.decode(errors="replace").strip())

    def hello(self) -> tuple[str, str, bytes]:
        """Where it is; why there is no worker, else ""; the worker's first line."""
        if self.failure:
            return self.where, self.failure, b""
        assert self.process.stdout is not None
        return self.where, "", self.process.stdout.readline()

    def send(self, line: bytes, *parts: Any) -> None:
        """Hands a message on; line b"" ends the worker's input. A worker that has gone
        is told by `receive`."""
        assert self.process.stdin is not None
        try:
            if not line:
                self.process.stdin.close()
                return
            self.process.stdin.write(line)
            for part in parts:
                self.process.stdin.write(memoryview(part))
            self.process.stdin.flush()
        except OSError:
            pass

    def receive(self) -> tuple[bytes, bytes]:
        """A message with its parts; b"" where no more will come."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        try:
            length = sum(part["bytes"] for part in json.loads(line).get("parts", ()))
        except ValueError:  # the program says what is wrong with it
            length = 0
        return line, self.process.stdout.read(length)

    def end(self) -> tuple[int, list[str]]:
        """The exit code, and the last that it said."""
        code = self.process.wait()
        self.listener.join(timeout=1)
        return code, [line for line in self.said if line]


class Place:
    """A worker of the program's, wherever it is at the time."""

    def __init__(self, bridge: "Bridge", connection: socket.socket) -> None:
        self.bridge = bridge
        self.connection = connection
        self.stream = connection.makefile("rb")
        self.id = int(json.loads(self.stream.readline())["launch"])
        self.killed = threading.Event()
        self.actor: Any = None
        self.where = ""
        self.lock = threading.Lock()
        bridge.places[self.id] = self

    def run(self) -> None:
        how, code = "the bridge failed", -1
        try:
            how, code = self.work()
        except OSError as error:  # the program has gone, or does without it
            how = str(error)
        finally:
            self.bridge.places.pop(self.id, None)
            self.kill()
            self.bridge.tell({"ended": {"id": self.id, "how": how, "code": code}})
            # What was sent stays to be read; no more can be written.
            self.connection.shutdown(socket.SHUT_WR)
            self.stream.close()
            self.connection.close()

    def work(self) -> tuple[str, int]:
        import ray

        hello = self.begin()
        if isinstance(hello, tuple):
            return hello
        sender = threading.Thread(target=self.send, daemon=True)
        try:
            first = json.loads(hello)
            first["where"] = self.where
            hello = json.dumps(first, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        except (ValueError, TypeError):
            pass  # the program says what is wrong with it
        self.connection.sendall(hello)
        sender.start()
        try:
            while True:
                line, parts = ray.get(self.actor.receive.remote())
                if not line:
                    break
                self.connection.sendall(line)
                self.connection.sendall(parts)
            return self.ending(*ray.get(self.actor.end.remote()))
        except ray.exceptions.RayError as error:
            return self.lost(error), -1

    def begin(self) -> "bytes | tuple[str, int]":
        """The worker's first line. It waits for a node that has room, and begins anew
        where that goes before."""
        import ray

        while True:
            with self.lock:
                if self.killed.is_set():
                    return "killed", -1
                self.actor = self.bridge.actor.remote(self.bridge.args, self.bridge.folder)
            try:
                self.where, failure, hello = ray.get(self.actor.hello.remote())
            except ray.exceptions.RayActorError:
                time.sleep(0.5)
                continue
            if failure:
                return f"{self.where}: {failure}", 4
            if not hello:
                return self.ending(*ray.get(self.actor.end.remote()))
            return hello

    def send(self) -> None:
        """Hands on what the program writes, one message after the other."""
        import ray

        try:
            for line in self.stream:
                message = json.loads(line)
                parts = [self.stream.read(part["bytes"]) for part in message.get("parts", ())]
                given = message.get("give")
                ray.get(self.actor.send.remote(line, *(self.bridge.kept(given["key"], parts) if given else parts)))
            ray.get(self.actor.send.remote(b""))
        except (ray.exceptions.RayError, OSError, ValueError):
            pass  # the receiving side tells how it ended

    def ending(self, code: int, said: list[str]) -> tuple[str, int]:
        last = next((line for line in said if line.startswith(("SIG", "fatal error:", "panic:", "runtime:"))), said[-1] if said else "")
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}" if code else "it ended"
        words = [f"{self.where}: {how}", last.removeprefix("moncae: ")]
        return ": ".join(word for word in words if word), code if code > 0 else -1

    def lost(self, error: Exception) -> str:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        why = next((line for line in lines if line.startswith(("The actor died", "The actor is dead"))), lines[0] if lines else type(error).__name__)
        return f"{self.where}: {why.rstrip('.')}"

    def kill(self) -> None:
        import ray

        with self.lock:
            self.killed.set()
            if self.actor is not None:
                ray.kill(self.actor)


class Bridge:
    """All places, and the program's two pipes."""

    def __init__(self, options: dict[str, Any], out: int) -> None:
        import ray

        self.args: list[str] = options["args"]
        self.folder: str = options["folder"]
        self.out, self.lock = out, threading.Lock()
        self.places: dict[int, Place] = {}
        self.refs: dict[str, list[Any]] = {}
        self.need = {name: amount for name, amount in options["resources"].items() if amount}
        known = {name: options["resources"][name] for name in ("num_cpus", "num_gpus", "memory") if name in options["resources"]}
        other = {name: amount for name, amount in options["resources"].items() if name not in known}
        # A thread each for what comes and what goes, which keeps the order.
        for name, group in {"send": "in", "receive": "out", "end": "out", "hello": "out"}.items():
            setattr(Worker, name, ray.method(concurrency_group=group)(getattr(Worker, name)))
        remote = ray.remote(concurrency_groups={"in": 1, "out": 1})(Worker)
        self.actor = remote.options(max_restarts=0, resources=other or None, **known)

    def room(self) -> int:
        """How many workers the nodes have place for."""
        import ray

        names = {"num_cpus": "CPU", "num_gpus": "GPU"}
        room = 0
        for node in ray.nodes():
            if node["Alive"]:
                there = node["Resources"]
                room += min((int(there.get(names.get(name, name), 0) / amount + 1e-9) for name, amount in self.need.items()), default=1)
        return room

    def kept(self, key: str, parts: list[bytes]) -> list[Any]:
        """Objects of the store with these bytes, the same for all workers."""
        import numpy as np
        import ray

        with self.lock:
            if key not in self.refs:
                self.refs[key] = [ray.put(np.frombuffer(part, np.uint8)) for part in parts]
            return self.refs[key]

    def tell(self, line: dict[str, Any]) -> None:
        with self.lock:
            os.write(self.out, json.dumps(line).encode() + b"\n")

    def accept(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            place = Place(self, connection)
            threading.Thread(target=place.run, daemon=True).start()

    def obey(self) -> None:
        """Does what the program asks for, until it ends."""
        for line in sys.stdin:
            place = self.places.get(json.loads(line)["kill"])
            if place is not None:
                place.kill()


def is_port(address: str) -> bool:
    host, colon, port = address.rpartition(":")
    return bool(colon) and port.isdigit() and "/" not in host


def use_token(address: str) -> None:
    """Has Ray show its token to a cluster that wants one.

    Ray does so by itself only for a cluster that it finds. With a token shown to one
    that wants none, actors never begin: so the cluster is asked first, before this
    process imports Ray, which reads the environment then.
    """
    places = [os.environ.get("RAY_AUTH_TOKEN_PATH") or os.devnull, os.path.expanduser("~/.ray/auth_token")]
    there = os.environ.get("RAY_AUTH_TOKEN") or any(os.path.isfile(place) for place in places)
    if not there or "RAY_AUTH_MODE" in os.environ or not is_port(address):
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60).stderr
    except subprocess.TimeoutExpired:
        return  # connecting says what is wrong
    if "AuthenticationError" in said:
        os.environ["RAY_AUTH_MODE"] = "token"


def connect(address: str) -> str:
    """Connects to the cluster; gives why it can't be, else ""."""
    import ray

    settings: dict[str, Any] = {"log_to_driver": False, "namespace": "moncae"}
    if address == "local":
        settings["include_dashboard"] = False
    whole = address or os.environ.get("RAY_ADDRESS") or "auto"
    host, _, port = whole.rpartition(":")
    token = ""
    try:
        if is_port(whole):  # Ray itself tries for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=20).close()
            token = "; if it wants a token, that has to be in ~/.ray/auth_token or RAY_AUTH_TOKEN here"
        ray.init(address=whole, **settings)
    except (OSError, RuntimeError, ValueError) as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        place = f"at {address}" if address else "here"
        return f"there is no Ray cluster {place}: start one with `ray start --head`, name one with --workers ray:HOST:PORT, or use this machine alone by --workers ray:local ({reason}){token}"
    return ""


def main() -> None:
    options = json.loads(sys.argv[1])
    out = os.dup(1)
    os.dup2(2, 1)  # what libraries print is for people

    def fail(error: str, code: int) -> None:
        os.write(out, json.dumps({"failed": {"error": error, "code": code}}).encode() + b"\n")
        sys.exit(code)

    use_token(options["address"] or os.environ.get("RAY_ADDRESS", ""))
    try:
        import ray
    except ImportError as error:
        fail(f'Ray is not installed for {sys.executable} ({error}): pip install "moncae[ray]"', 4)
        return
    problem = connect(options["address"])
    if problem:
        fail(problem, 4)
    bridge = Bridge(options, out)
    room = options["slots"] or bridge.room()
    if room == 0:
        fail(f"no node of the Ray cluster has {bridge.need} for a worker: ask for less by --worker-resources, or give --worker-slots to wait for nodes that have", 2)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(options["socket"])
    listener.listen(128)
    threading.Thread(target=bridge.accept, args=(listener,), daemon=True).start()
    bridge.tell({"ready": {"slots": room}})
    bridge.obey()
    late = threading.Timer(10, os._exit, (1,))
    late.daemon = True
    late.start()
    ray.shutdown()
    os._exit(0)  # threads that wait for actors would wait still


if __name__ == "__main__":
    main()
