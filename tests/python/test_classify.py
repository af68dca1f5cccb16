"""The figures of `classify`, computed again by scikit-learn, ONNX Runtime and pyarrow."""

import gzip
import json
import os
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime as ort
import pyarrow as pa
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = [0, 1, 2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Latents of the built-in digits by an untrained encoder, and what classify made of them."""
    out = tmp_path_factory.mktemp("classify")
    env = dict(os.environ, MONCAE_CLASSIFY_VECTORS=str(out))
    tags = ["-tags", "onednn"] if (ROOT / ".deps/onednn/include").is_dir() else []
    command = ["go", "test", *tags, "./classify", "-run", "^TestWriteVectors$", "-count=1", "-v"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    if "--- SKIP" in done.stdout:
        pytest.skip(done.stdout)
    return out


def latents(path):
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    column = table.column("latent").combine_chunks()
    x = column.to_numpy_ndarray() if hasattr(column, "to_numpy_ndarray") else np.stack(column.to_pylist())
    return x.astype(np.float64), table.column("label").to_numpy()


def report(folder, name):
    return json.loads((folder / name / "report.json").read_text())


def logits(model, name, x):
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {name: x.astype(np.float32)})[0].astype(np.float64)


def images(folder):
    return np.load(folder / "images.npy").reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)


def test_linear_head_is_multinomial_logistic_regression(folder):
    x, y = latents(folder / "train.arrow")
    test, truth = latents(folder / "test.arrow")
    x, test = x.reshape(len(x), -1), test.reshape(len(test), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(x, y)
    want = model.score(test, truth)
    nats = log_loss(truth, model.predict_proba(test))
    for seed in SEEDS:
        r = report(folder, f"linear{seed}")
        assert abs(r["accuracy"] - want) <= 0.005
        # Values that hardly vary in training are divided by more than their deviation.
        assert r["cross_entropy"] == pytest.approx(nats, rel=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_follow_from_head_onnx(folder, seed):
    test, truth = latents(folder / "test.arrow")
    r = report(folder, f"linear{seed}")
    z = logits(folder / f"linear{seed}" / "head.onnx", "latent", test)
    said = z.argmax(1)
    assert r["rows"] == len(truth)
    assert r["accuracy"] == pytest.approx((said == truth).mean(), abs=1.01 / len(truth))
    assert np.abs(np.array(r["confusion"]) - confusion_matrix(truth, said)).sum() <= 2
    p = np.exp(z - z.max(1, keepdims=True))
    assert r["cross_entropy"] == pytest.approx(log_loss(truth, p / p.sum(1, keepdims=True)), rel=1e-4)
    precision, recall, _, support = precision_recall_fscore_support(truth, said)
    assert [c["support"] for c in r["per_class"]] == support.tolist()
    np.testing.assert_allclose([c["precision"] for c in r["per_class"]], precision, atol=0.02)
    np.testing.assert_allclose([c["recall"] for c in r["per_class"]], recall, atol=0.02)


@pytest.mark.parametrize("seed", SEEDS)
def test_pipeline_onnx_gives_the_same_accuracy(folder, seed):
    _, truth = latents(folder / "test.arrow")
    path = folder / f"linear{seed}" / "pipeline.onnx"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    right = (logits(path, "image", images(folder)).argmax(1) == truth).sum()
    r = report(folder, f"linear{seed}")
    assert abs(right - r["accuracy"] * r["rows"]) <= 1
    assert abs(right - r["pipeline"]["accuracy"] * r["rows"]) <= 1


def test_models_name_their_classes(folder):
    m = onnx.load(folder / "linear0" / "head.onnx")
    meta = {p.key: p.value for p in m.metadata_props}
    assert json.loads(meta["moncae.classes"]) == [str(i) for i in range(10)]
    assert meta["moncae.head"] == "linear"


def test_pca_baseline_is_scikit_learns(folder):
    _, truth = latents(folder / "test.arrow")
    r = report(folder, "linear0")
    base = r["baselines"]["pca"]
    test = images(folder).reshape(len(truth), -1)
    train = train_images()
    pca = PCA(base["values"], svd_solver="full").fit(train)
    _, y = latents(folder / "train.arrow")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(pca.transform(train), y)
    assert abs(model.score(pca.transform(test), truth) - base["accuracy"]) <= 0.005


def train_images():
    """The built-in training images, as the encoder's own input: through IDX bytes."""
    found = sorted((ROOT / "internal/dataset/mini").glob("*train*images*"))
    if not found:
        pytest.skip("the built-in set's files are elsewhere")
    raw = found[0].read_bytes()
    raw = gzip.decompress(raw) if found[0].suffix == ".gz" else raw
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784) / 255.0


def test_member_table_agrees_with_the_single_run(folder):
    table = report(folder, "members")
    member = table["members"][0]
    one = report(folder, "linear0")
    assert member["accuracy"] == one["accuracy"]
    assert member["bytes"] == 4 * member["values"]
    assert member["accuracy_per_byte"] == pytest.approx(member["accuracy"] / member["bytes"])
