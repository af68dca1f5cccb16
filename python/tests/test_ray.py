"""Searches and compressions on a Ray cluster of three nodes (make test-ray)."""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

import moncae

os.environ.setdefault("RAY_worker_niceness", "0")  # a busy machine would starve the workers
pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

SMALL = "--seed 3 --population 6 --generations 3 --epochs 1 --finetune 1 --train-limit 400 --max-filters 8 --no-export --device cpu --checkpoint-every 1s".split()
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}


@pytest.fixture(scope="module")
def cluster():
    c = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        for _ in range(2):
            c.add_node(**NODE)
        c.wait_for_nodes()
        yield c
    finally:
        c.shutdown()


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """The run by one process, and how long it took."""
    folder = tmp_path_factory.mktemp("single")
    begin = time.monotonic()
    search(folder, "--jobs", "1").finish()
    return content(folder / "run"), time.monotonic() - begin


class Search(subprocess.Popen):
    def finish(self):
        _, said = self.communicate(timeout=600)
        assert self.returncode == 0, said

    def fail(self, code, line):
        _, said = self.communicate(timeout=600)
        assert self.returncode == code and said.strip().count("moncae: ") == 1 and line in said.splitlines()[-1], said


def search(folder, *words, **environment):
    command = ["moncae", "search", "--run", "run", *([] if "--resume" in words else SMALL), *words]
    return Search(command, cwd=folder, env={**os.environ, **environment}, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def content(run):
    files = [run / "front.json", *sorted(run.glob("candidates/*/*.safetensors"))]
    found = {str(f.relative_to(run)): f.read_bytes() for f in files}
    front = json.loads(found["front.json"])
    front.pop("seconds", None)
    return {**found, "front.json": front}


def done(run):
    journal = run / "journal.jsonl"
    return journal.read_bytes().count(b'"kind":"candidate"') if journal.exists() else 0


def wait_for(what, process=None, seconds=300):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it takes too long"
        if process is not None and process.poll() is not None:
            return False
        time.sleep(0.02)
    return True


def at_work(folder, name=b""):
    """The processes whose working directory is the folder, and whose command line has the name."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(place / "cwd") == str(folder) and name in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            pass  # it has ended
    return found


def kill_worker(folder, **_):
    for pid in at_work(folder, b"worker\0--device")[:1]:
        os.kill(pid, signal.SIGKILL)


def kill_node(cluster, **_):
    """A node is preempted, and another one comes."""
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    cluster.add_node(**NODE)


def kill_coordinator(process, **_):
    process.kill()


def stop_worker(folder):
    """It hangs: neither it nor its node is known to be gone."""
    pid = at_work(folder, b"worker\0--device")[0]
    os.kill(pid, signal.SIGSTOP)
    return pid


def check(folder, single):
    assert content(folder / "run") == single
    assert subprocess.run(["moncae", "doctor", "run"], cwd=folder, capture_output=True).returncode == 0
    assert wait_for(lambda: not at_work(folder), seconds=30), f"these outlive the search: {at_work(folder)}"


def test_a_worker_a_node_and_the_coordinator_are_killed(cluster, single, tmp_path):
    on_ray = f"--workers=ray:{cluster.address}"
    process = search(tmp_path, on_ray)
    for number, kill in ((2, kill_worker), (5, kill_node), (8, kill_coordinator)):
        assert wait_for(lambda n=number: done(tmp_path / "run") >= n, process)
        kill(folder=tmp_path, cluster=cluster, process=process)
    process.communicate()
    assert wait_for(lambda: not at_work(tmp_path), seconds=60), f"these outlive the coordinator: {at_work(tmp_path)}"
    search(tmp_path, on_ray, "--resume").finish()
    check(tmp_path, single[0])


def test_a_worker_hangs(cluster, single, tmp_path):
    process = search(tmp_path, f"--workers=ray:{cluster.address}", "--worker-timeout=0")
    assert wait_for(lambda: done(tmp_path / "run") >= 5, process)
    stopped = stop_worker(tmp_path)
    if wait_for(lambda: done(tmp_path / "run") >= 12, process) and stopped in at_work(tmp_path):
        os.kill(stopped, signal.SIGCONT)  # what it comes to is held against what another one came to
    process.finish()
    check(tmp_path, single[0])


@pytest.fixture
def kept(request):
    """Passes over a test that the file MONCAE_RAY_DONE names, and has it name those that pass."""
    done = pathlib.Path(os.environ.get("MONCAE_RAY_DONE") or os.devnull)
    if done.exists() and request.node.name in done.read_text().splitlines():
        pytest.skip("it passed before")
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed == failed:
        with done.open("a") as file:
            print(request.node.name, file=file)


@pytest.mark.parametrize("number", range(int(os.environ.get("MONCAE_RAY_KILLS") or 0)))
def test_kills_at_random_moments(kept, cluster, single, tmp_path, number):
    draw = random.Random(number)
    on_ray = f"--workers=ray:{cluster.address}"
    process = search(tmp_path, on_ray)
    wait_for((tmp_path / "run" / "run.json").exists, process)
    time.sleep(draw.uniform(0, single[1]))
    draw.choice((kill_worker, kill_node, kill_coordinator))(folder=tmp_path, cluster=cluster, process=process)
    _, said = process.communicate(timeout=600)
    assert process.returncode in (0, -signal.SIGKILL), said
    if process.returncode:
        search(tmp_path, on_ray, "--resume").finish()
    check(tmp_path, single[0])


def test_shards_are_those_of_one_process(cluster, tmp_path):
    run = moncae.search(tmp_path / "run", progress=False, population=4, generations=1, epochs=1, finetune=1, train_limit=400, seed=3)
    encoder = run.export("best-loss")[0] / "encoder.onnx"
    here = moncae.compress(encoder, "mnist-mini", tmp_path / "here", split="test", shard_rows=400)
    there = moncae.compress(encoder, "mnist-mini", tmp_path / "there", split="test", shard_rows=400, workers=f"ray:{cluster.address}")
    assert len(here) == len(there)
    names = sorted(p.name for p in (tmp_path / "here").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "there").iterdir()) and len(names) > 2
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


OTHER = """
import json, sys
hello = json.loads(%r)
hello.update(%s)
print(json.dumps(hello), flush=True)
for line in sys.stdin.buffer:
    message = json.loads(line)
    sys.stdin.buffer.read(sum(p["bytes"] for p in message.get("parts", ())))
    if "give" in message:
        print(json.dumps({"kept": message["give"]["key"]}), flush=True)
    else:
        print(json.dumps({"failed": {"id": message["task"]["id"], "error": "photos: no such folder", "refused": True}}), flush=True)
        sys.exit(2)
"""


@pytest.fixture
def node(cluster, tmp_path):
    """Adds a node with another program for a worker; gives its flags."""
    added = []

    def add(name, program):
        package = tmp_path / "other" / "moncae"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "_program.py").write_text(program)
        added.append(cluster.add_node(**NODE, resources={name: 1}, env_vars={"PYTHONPATH": str(package.parent), "PATH": "/usr/bin:/bin"}))
        return [f"--workers=ray:{cluster.address}", f"--worker-resources={name}=1,num_cpus=0"]

    yield add
    for one in added:
        cluster.remove_node(one)


def other_program(tmp_path, **changes):
    """A worker that is another one than the program's."""
    hello = subprocess.run(["moncae", "worker", "--device", "cpu"], input="", text=True, capture_output=True, check=True).stdout.splitlines()[0]
    script = tmp_path / "other-moncae"
    script.write_text(f"#!{sys.executable}\n" + OTHER % (hello, changes))
    script.chmod(0o755)
    return f"def program(): return {str(script)!r}\ndef _environment(): return None\n"


def test_another_version_on_a_node(node, tmp_path):
    flags = node("older", other_program(tmp_path, version="v0.0.1"))
    search(tmp_path, *flags).fail(2, "a worker is moncae v0.0.1, this is")


def test_data_that_a_node_does_not_see(node, tmp_path):
    flags = node("blind", other_program(tmp_path))
    search(tmp_path, *flags).fail(2, "): photos: no such folder")


def test_a_node_without_moncae(node, tmp_path):
    flags = node("bare", "raise ImportError('no such module')")
    search(tmp_path, *flags).fail(4, "its Python can't use moncae (no such module); there: pip install moncae")


def test_mixed_engines(cluster, node, digits, tmp_path):
    np.savez(tmp_path / "bars.npz", x_train=digits[0][:80], y_train=digits[1][:80])
    script = tmp_path / "by-ref"
    script.write_text(f"#!/bin/sh\ntee -a {tmp_path}/given | {shutil.which('moncae')} worker --device ref\n")
    script.chmod(0o755)
    node("odd", f"def program(): return {str(script)!r}\ndef _environment(): return None\n")
    words = f"--workers=ray:{cluster.address} --worker-slots=4 --data=bars.npz --max-layers=2 --reference=5,9".split()
    (tmp_path / "alike").mkdir()
    search(tmp_path / "alike", *words, f"--data={tmp_path}/bars.npz").fail(2, "workers have different engines")
    search(tmp_path, *words, "--mixed").finish()
    by_ref = (tmp_path / "given").read_bytes().count(b'"kind":"train"')
    assert 0 < by_ref < done(tmp_path / "run"), "both engines train"
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["repeatable"] is False and manifest["engine_class"]["engine"] == "mixed"
    search(tmp_path, "--resume", "--jobs=1").fail(2, "the run began on another engine (engine mixed, here onednn")


def test_a_cluster_that_wants_a_token(cluster, single, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = {"RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", f"--port={port}", "--num-cpus=1", "--include-dashboard=false", f"--object-store-memory={80 << 20}", "--block"]
    with open(tmp_path / "head.log", "w") as log:
        head = subprocess.Popen(command, env={**os.environ, **token, "RAY_AUTH_MODE": "token"}, stdout=log, stderr=log, start_new_session=True)
    try:
        health = [sys.executable, "-m", "ray.scripts.scripts", "health-check", f"--address=127.0.0.1:{port}"]
        assert wait_for(lambda: subprocess.run(health, env={**os.environ, **token, "RAY_AUTH_MODE": "token"}, capture_output=True).returncode == 0, head)
        search(tmp_path, f"--workers=ray:127.0.0.1:{port}", HOME=str(tmp_path)).fail(4, "if it wants a token, that has to be in ~/.ray/auth_token")
        search(tmp_path, f"--workers=ray:127.0.0.1:{port}", **token).finish()
    finally:
        os.killpg(head.pid, signal.SIGKILL)
        head.wait()
    check(tmp_path, single[0])
    (tmp_path / "open").mkdir()
    search(tmp_path / "open", f"--workers=ray:{cluster.address}", **token).finish()  # one that wants none
    check(tmp_path / "open", single[0])


def test_no_room_no_cluster_no_ray(cluster, tmp_path):
    search(tmp_path, f"--workers=ray:{cluster.address}", "--worker-resources=num_gpus=64").fail(2, "no node of the Ray cluster has")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "ray.py").write_text("raise ImportError('No module named ray')")
    search(tmp_path, "--workers=ray", PYTHONPATH=str(tmp_path / "none")).fail(4, 'pip install "moncae[ray]"')
    search(tmp_path, "--workers=ray:127.0.0.1:9").fail(4, "there is no Ray cluster at 127.0.0.1:9")
    search(tmp_path, "--workers=ray", MONCAE_PYTHON="/usr/bin/env").fail(4, "name another Python by MONCAE_PYTHON")


def strict(schema):
    """A schema of Kubernetes's that refuses unknown fields, as its server does."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


def test_the_kuberay_manifest_fits_its_schema(tmp_path):
    import jsonschema
    import yaml

    module = "github.com/ray-project/kuberay/ray-operator@v1.5.0"
    found = json.loads(subprocess.run(["go", "mod", "download", "-json", module], cwd=tmp_path, check=True, capture_output=True).stdout)
    crd = yaml.safe_load((pathlib.Path(found["Dir"]) / "config/crd/bases/ray.io_rayjobs.yaml").read_text())
    schema = next(v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"] if v["name"] == "v1")
    schema["properties"]["metadata"] = {"type": "object", "additionalProperties": True}
    job, volume = yaml.safe_load_all((pathlib.Path(__file__).parents[2] / "examples" / "kuberay.yaml").read_text())
    jsonschema.validate(job, strict(schema))
    claims = [v["persistentVolumeClaim"]["claimName"] for v in job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["volumes"]]
    assert claims == [volume["metadata"]["name"]]
    job["spec"]["rayClusterSpec"]["workerGroupSpec"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(job, strict(schema))
