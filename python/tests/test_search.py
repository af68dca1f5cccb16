import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import jupyter_client.manager
import numpy as np
import pandas
import pytest

import moncae
from moncae import _program
from conftest import SMALL


def test_front_is_the_programs_own(run):
    document = json.loads((run.path / "front.json").read_text())
    table = run.front
    assert isinstance(table, pandas.DataFrame)
    assert list(table.index) == [m["id"] for m in document["members"]]
    assert list(table["bce"]) == [m["bce"] for m in document["members"]]
    assert [m.latent for m in run.members] == [tuple(m["latent"]) for m in document["members"]]


def test_callbacks_hear_the_journal(run, told):
    journal = [json.loads(line) for line in open(run.path / "journal.jsonl")]
    wanted = [(r["kind"], r["data"]["event"].get("id", r["data"]["event"].get("generation"))) for r in journal if r["kind"] in ("candidate", "generation")]
    assert told == wanted


def test_an_array_searches_as_its_file_does(run, digits, tmp_path):
    np.savez(tmp_path / "bars.npz", x_train=digits[0], y_train=digits[1])
    subprocess.run(["moncae", "search", "--run", tmp_path / "run", "--data", tmp_path / "bars.npz", *(f"--{k}={v}" for k, v in SMALL.items())],
                   check=True, capture_output=True)
    theirs, mine = (json.loads((p / "front.json").read_text()) for p in (tmp_path / "run", run.path))
    assert theirs["members"] == mine["members"]


def test_val_of_a_dict_chooses(digits, tmp_path):
    splits = {"train": slice(0, 400), "val": slice(400, 500), "test": slice(500, 600)}
    data = {name: (digits[0][rows], digits[1][rows]) for name, rows in splits.items()}
    found = moncae.search(tmp_path / "run", data, validation="val", progress=False, **SMALL)
    assert json.loads((tmp_path / "run/run.json").read_text())["validation_ids"] == list(range(100))
    member = next(m for m in found.members if m.id in found)
    assert found[member.id].error(data["val"][0]).mean() == pytest.approx(member.mse, rel=1e-4)


def test_a_bad_value_is_the_programs_line(tmp_path):
    with pytest.raises(ValueError, match="population of 0"):
        moncae.search(tmp_path / "run", population=0)
    with pytest.raises(ValueError, match="unknown flag: --populaton"):
        moncae.search(tmp_path / "run", populaton=4)
    assert not (tmp_path / "run").exists()


def test_denoise_and_time_are_the_programs(digits, tmp_path):
    with pytest.raises(ValueError, match="--time 3s is too short"):
        moncae.search(tmp_path / "run", *digits, time="3s")
    with pytest.raises(ValueError, match="--epochs can't be given with --time"):
        moncae.search(tmp_path / "run", *digits, time="10m", epochs=3)
    with pytest.raises(ValueError, match="denoise"):
        moncae.search(tmp_path / "run", *digits, denoise=-1)
    found = moncae.search(tmp_path / "run", *digits, progress=False, denoise=0.2, reference="9,9", **SMALL)
    assert json.loads((found.path / "run.json").read_text())["config"]["denoise"] == 0.2


def test_an_existing_run_is_kept(run):
    with pytest.raises(ValueError, match="holds a run already"):
        moncae.search(run.path, **SMALL)


def test_damage_has_its_own_exception(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    journal = tmp_path / "run" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"kind":"candidate"', b'"kind":"candidats"', 1))
    with pytest.raises(moncae.DamagedFile, match="journal.jsonl: line"):
        _ = moncae.Run(tmp_path / "run").front


def test_a_missing_library_is_an_import_error(run, tmp_path):
    with pytest.raises(ImportError, match="libonnxruntime"):
        run.export(out=tmp_path, onnxruntime=tmp_path)


def test_an_interrupt_leaves_a_run_that_can_be_resumed(run, digits, tmp_path):
    stop = threading.Event()

    def interrupt(_):
        if not stop.is_set():
            stop.set()
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            moncae.search(tmp_path / "run", *digits, progress=False, on_candidate=interrupt, **SMALL)
    finally:
        signal.signal(signal.SIGINT, before)
    resumed = moncae.search(tmp_path / "run", resume=True, progress=False)
    assert (resumed.path / "front.json").read_bytes() == (run.path / "front.json").read_bytes()


def test_an_interrupt_before_the_first_event_leaves_the_images(run, digits, tmp_path, monkeypatch):
    def interrupt(_):
        while not (tmp_path / "run" / "run.json").exists():
            time.sleep(0.001)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_program.Process, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            moncae.search(tmp_path / "run", *digits, progress=False, **SMALL)
    resumed = moncae.search(tmp_path / "run", resume=True, progress=False)
    assert (resumed.path / "front.json").read_bytes() == (run.path / "front.json").read_bytes()


def test_another_ones_run_gets_no_images(run, digits, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    (tmp_path / "run" / "data.npz").unlink()
    with pytest.raises(ValueError, match="holds a run already"):
        moncae.search(tmp_path / "run", *digits, **SMALL)
    assert not (tmp_path / "run" / "data.npz").exists()


def test_a_notebooks_interrupt_leaves_a_run_that_can_be_resumed(run, digits, tmp_path):
    np.savez(tmp_path / "bars.npz", x=digits[0], y=digits[1])
    kernel = jupyter_client.manager.KernelManager(transport="ipc")  # a bare system may lack even a loopback
    kernel.start_kernel()
    client = kernel.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=300)
        client.execute(
            f"""import moncae, numpy, time
def pause(candidate):
    print("trained", flush=True)
    time.sleep(600)
bars = numpy.load({os.fspath(tmp_path / "bars.npz")!r})
moncae.search({os.fspath(tmp_path / "run")!r}, bars["x"], bars["y"], progress=False, on_candidate=pause, **{SMALL})"""
        )
        while "trained" not in client.get_iopub_msg(timeout=300)["content"].get("text", ""):
            pass
        kernel.interrupt_kernel()
        assert client.get_shell_msg(timeout=300)["content"]["ename"] == "KeyboardInterrupt"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
    resumed = moncae.search(tmp_path / "run", resume=True, progress=False)
    assert (resumed.path / "front.json").read_bytes() == (run.path / "front.json").read_bytes()


def test_progress_in_a_bar(digits, tmp_path, capsys):
    moncae.search(tmp_path / "run", *digits, progress=True, **SMALL)
    shown = capsys.readouterr().err
    assert "generation 2/2" in shown and "hypervolume" in shown


def test_pictures_and_pages(run, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    axes = run.plot()
    assert list(axes.lines[0].get_xdata()) == [m.values for m in run.members]
    page = run._repr_html_()
    assert page.count("data:image/png;base64,") == 2 and all(f"<td>{m.id}</td>" in page for m in run.members)
    shutil.copytree(run.path, tmp_path / "moved")
    for words in (["front", "--gallery", tmp_path / "g.png"], ["finetune", "--epochs", "1"]):
        subprocess.run(["moncae", words[0], tmp_path / "moved", *words[1:]], check=True, capture_output=True)  # by the images in the run
    (tmp_path / "moved" / "data.npz").unlink()  # as on another machine
    page = moncae.Run(tmp_path / "moved")._repr_html_()
    assert "no gallery: " in page and "data.npz" in page and all(f"<td>{m.id}</td>" in page for m in run.members)
    assert "<html" in run.report(tmp_path / "page.html").read_text()


@pytest.fixture
def copy(run, digits, tmp_path):
    """A run without exports of its own."""
    shutil.copytree(run.path, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "export", ignore_errors=True)
    return moncae.Run(tmp_path / "copy")


def test_an_autoencoder_has_the_runs_weights(copy, digits, monkeypatch):
    ids = {"knee": copy.export("knee")[0].name, "best-loss": copy.export("best-loss")[0].name}
    calls, export = [], moncae.Run.export
    monkeypatch.setattr(moncae.Run, "export", lambda *words: calls.append(words) or export(*words))
    for word, member in ids.items():
        assert copy[word].files == copy[member].files == (copy.path / "export" / member / "encoder.onnx", copy.path / "export" / member / "decoder.onnx")
    assert not calls  # what is there is opened

    wanted = copy["knee"].encode(digits[0][:9])
    export(copy, "knee", dtype="float16")
    np.testing.assert_array_equal(copy["knee"].encode(digits[0][:9]), wanted)
    assert len(calls) == 1
    (copy.path / "export" / ids["knee"] / "decoder.onnx").write_bytes(b"damaged")
    np.testing.assert_array_equal(copy[ids["knee"]].encode(digits[0][:9]), wanted)
    kept = copy.path.parent / "kept"
    shutil.copytree(copy.path / "export", kept)
    subprocess.run(["moncae", "finetune", copy.path, "--epochs", "2", "--candidate", ids["knee"]], check=True, capture_output=True)
    shutil.rmtree(copy.path / "export")
    shutil.copytree(kept, copy.path / "export")  # as if they were exported before
    tuned = copy[ids["knee"]]
    assert len(calls) == 3 and not np.array_equal(tuned.encode(digits[0][:9]), wanted)
    shutil.rmtree(copy.path / "export")  # the next look exports anew
    assert tuned.error(digits[0]).mean() == pytest.approx(copy[ids["knee"]].error(digits[0]).mean())


def test_several_at_once_open_one_export(copy, digits):
    code = f"import moncae; print(moncae.Run({os.fspath(copy.path)!r})['knee'].files[0])"
    others = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        mine = {os.fspath(model.files[0]) for model in pool.map(copy.__getitem__, ["knee"] * 3)}
    assert {other.communicate()[0].strip() for other in others} == mine and len(mine) == 1


def test_ids_of_the_front(run):
    ids = [m.id for m in run.members]
    assert list(run) == ids and ids[0] in run and "g9-9" not in run and "knee" not in run
    with pytest.raises(ValueError, match="several autoencoders"):
        run["all"]
    with pytest.raises(TypeError, match="a candidate's id"):
        run[0]
    with pytest.raises(ValueError, match="g9-9"):
        run["g9-9"]


def test_nothing_is_exported_of_no_candidates(run, tmp_path):
    for nothing in ([], (), (m.id for m in run.members if m.values < 0)):
        with pytest.raises(ValueError, match="candidate is empty"):
            run.export(nothing, tmp_path / "out")
    with pytest.raises(ValueError, match="candidate is empty"):
        moncae.classify(run, out=tmp_path / "head", candidate=[])
    assert not (tmp_path / "out").exists()


def test_pictures_are_drawn_again(run, tmp_path):
    for draw in (run.picture, run.gallery):
        draw(tmp_path / "picture.svg", overwrite=True)
        with pytest.raises(ValueError, match="picture.svg"):
            draw(tmp_path / "picture.svg")
        assert draw(tmp_path / "picture.svg", overwrite=True).exists()


def test_a_run_that_has_only_begun(copy):
    lines = (copy.path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (copy.path / "journal.jsonl").write_bytes(b"".join(lines[:4]))
    (copy.path / "front.json").unlink()
    page = copy._repr_html_()
    assert "2 candidates so far" in page and "no generation has finished yet" in page
    assert list(copy) == []


def test_plotting_without_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(moncae.MissingLibrary, match="pip install matplotlib"):
        run.plot()


def test_choosing_is_the_programs(run):
    said = subprocess.run(["moncae", "choose", run.path, "--for", "knee"], check=True, capture_output=True, text=True).stdout
    assert run.choose("knee") == said.strip()
    smallest = run.members[0]
    assert run.choose(max_values=smallest.values) == smallest.id
    with pytest.raises(ValueError, match="no member keeps --min-psnr 99"):
        run.choose(min_psnr=99)


def test_comparing_runs(run, digits, tmp_path):
    other = moncae.search(tmp_path / "other", *digits, progress=False, **{**SMALL, "algorithm": "random"})
    document = moncae.compare(groups={"ours": [run.path], "random": str(other.path)})
    assert [group["name"] for group in document["groups"]] == ["ours", "random"]
    finals = {group["name"]: group["final"]["median"] for group in document["groups"]}
    assert (document["pairs"][0]["test"]["trainings"]["effect"] > 0.5) == (finals["ours"] > finals["random"])
    assert [group["runs"][0]["seed"] for group in moncae.compare(run.path, other.path)["groups"]] == [SMALL["seed"]] * 2
