"""How the package is imported and how it calls the program; also with pip install --target."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import moncae
from moncae import _program


def test_flags():
    assert _program.flags({"train_limit": np.int64(5), "loss": np.float32(0.5), "resume": True, "baselines": False, "seed": None, "data": pathlib.Path("a b"), "bound": ["loc<=2", "mse<=1"]}) == [
        "--train-limit=5", "--loss=0.5", "--resume=true", "--baselines=false", "--data=a b", "--bound=loc<=2", "--bound=mse<=1"]


def test_lists_are_one_value_of_what_is_no_list_of_flags():
    assert _program.flags({"image_size": (16, 32), "mean": np.array([0.25, 0.5]), "objectives": ["loss", "loc"], "worker_resources": {"num_cpus": 1, "memory": 2e9},
                           "seed": np.array(5), "init": [], "bound": ("loc<=2",)}) == [
        "--image-size=16x32", "--mean=0.25,0.5", "--objectives=loss,loc", "--worker-resources=num_cpus=1,memory=2000000000.0", "--seed=5", "--bound=loc<=2"]


@pytest.mark.parametrize("value", [{"mean": {"r": 1}}, {"mean": {1, 2}}, {"candidate": []}, {"candidate": iter(())}, {"mean": []}, {"worker_resources": {}}, {"worker_resources": [1]}], ids=str)
def test_flags_that_take_no_such_value(value):
    with pytest.raises(ValueError, match=next(iter(value))):
        _program.flags(value)
    with pytest.raises(ValueError, match="arrays of images can't stand here"):
        _program.flags({"data": np.zeros((2, 3, 3))})


def test_paths_that_begin_with_a_dash(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.path, "-x")
    assert [m.id for m in moncae.Run("-x").members] == [m.id for m in run.members]
    assert moncae.Run("-x").choose() == run.choose()
    assert moncae.Run("-x").report().name == "report.html"
    assert moncae.compare("-x", run)["groups"]
    assert moncae.data_info("-x/data.npz")["splits"] and len(moncae.load_images("-x/data.npz", limit=5)[0]) == 5


def test_importing_loads_little():
    heavy = ["sklearn", "pandas", "torch", "matplotlib", "onnxruntime", "tensorboard", "datasets", "polars"]
    code = f"import moncae, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_without_scikit_learn():
    code = """
import sys
sys.modules["sklearn"] = None
sys.meta_path.insert(0, type("None", (), {"find_spec": staticmethod(lambda name, *_: (_ for _ in ()).throw(ImportError(name)) if name.startswith("sklearn.") else None)}))
import importlib.util, pydoc
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "sklearn" else found(name, *more)
import moncae
from moncae import *
pydoc.render_doc(moncae)
print("Encoder" in dir(moncae), hasattr(moncae, "Encoder"), hasattr(moncae, "Serch"))
try:
    moncae.Encoder("x")
except moncae.MissingLibrary as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("False True False\nmoncae.Encoder needs scikit-learn (") and said.endswith("pip install scikit-learn\n")


def test_type_checkers_know_what_there_is(tmp_path):
    (tmp_path / "wrong.py").write_text("import moncae\nfrom moncae import Encoder, Serch\n\nmoncae.serch\n_: type[Encoder] = moncae.Encoder\n")
    done = subprocess.run([sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "wrong.py"], cwd=tmp_path, capture_output=True, text=True)
    if "No module named" in done.stderr:
        pytest.skip("no pyright")
    assert '"Serch" is unknown import symbol' in done.stdout and '"serch" is not a known attribute' in done.stdout and "2 errors" in done.stdout, done.stdout


def test_importing_asks_no_network():
    code = """
import sys
sys.addaudithook(lambda event, _: sys.exit(event) if event.startswith("socket.") else None)
import moncae
moncae.Autoencoder, moncae.search
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert subprocess.run([sys.executable, "-c", code + "import socket; socket.socket()"], capture_output=True, text=True).stderr.startswith("socket.")


def test_the_program_is_the_wheels():
    beside = pathlib.Path(moncae.__file__).resolve().parents[1] / "bin"
    assert pathlib.Path(_program.program()).parent in (pathlib.Path(sys.executable).parent, beside)
    assert _program.call("--version").split()[1] == moncae.__version__


def test_the_program_runs_the_library_that_python_imports(monkeypatch, tmp_path):
    import onnxruntime

    monkeypatch.chdir(tmp_path)  # a checkout has its own
    found = json.loads(_program.call("doctor", "--json"))["onnxruntime"]["path"]
    assert os.path.samefile(os.path.dirname(found), pathlib.Path(onnxruntime.__file__).parent / "capi")
