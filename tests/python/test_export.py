"""Exports, read by onnx and run by ONNX Runtime's Python package."""

import hashlib
import json
import re
import subprocess
import sys

import numpy as np
import onnx
import onnx.shape_inference
import onnxruntime as ort
import pytest

KINDS = ["encoder", "decoder", "autoencoder"]


def run(path, feed):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0]


def close(got, want, tolerance):
    assert got.shape == want.shape and got.dtype == np.float32
    worst = np.abs(got - want).max()
    assert worst <= tolerance * max(1, np.abs(want).max()), worst


@pytest.mark.parametrize("kind", KINDS + ["head", "pipeline"])
def test_is_valid_onnx(export, kind):
    model = onnx.load(export.folder / f"{kind}.onnx")
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    for value in list(inferred.graph.input) + list(inferred.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        batch = value.type.tensor_type.shape.dim[0]
        assert batch.dim_param == "N" and not batch.HasField("dim_value")
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    assert "auto_pad" not in {a.name for n in model.graph.node for a in n.attribute}
    assert all(n.op_type != "Dropout" for n in model.graph.node)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_gives_the_recorded_values(export, kind, batch):
    given, x, _, want = export.values(kind)
    close(run(export.folder / f"{kind}.onnx", {given: x[:batch]}), want[:batch], 1e-4)


def test_batches_beyond_the_recorded(export):
    x = np.tile(export.images, (52, 1, 1, 1))  # 260
    want = np.tile(export.latents, (52, 1, 1, 1))
    close(run(export.folder / "encoder.onnx", {"image": x}), want, 1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_float16_is_half_the_size_and_near(export16, kind):
    path = export16.folder / f"{kind}.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    given, x, _, want = export16.values(kind)
    close(run(path, {given: x}), want, 1e-2)
    whole = onnx.load(str(path).replace("float16", "float32"))
    size = lambda m: sum(len(t.raw_data) for t in m.graph.initializer if "weight" in t.name)
    assert size(model) * 2 == size(whole)


def test_head_and_pipeline(export):
    want = np.load(export.folder / "logits.npy").reshape(len(export.images), -1)
    close(run(export.folder / "head.onnx", {"latent": export.latents}), want, 1e-4)
    close(run(export.folder / "pipeline.onnx", {"image": export.images}), want, 1e-4)


def test_metadata_and_hashes(export):
    models = {k: onnx.load(export.folder / f"{k}.onnx") for k in KINDS}
    graph_hash = {k: hashlib.sha256(m.graph.SerializeToString(deterministic=True)).hexdigest() for k, m in models.items()}
    meta = {k: {p.key: p.value for p in m.metadata_props} for k, m in models.items()}
    assert meta["encoder"]["moncae.pair"] == graph_hash["decoder"]
    assert meta["decoder"]["moncae.pair"] == graph_hash["encoder"]
    arch = json.loads(meta["encoder"]["moncae.arch"])
    assert arch["input"] == export.image_shape
    assert meta["encoder"]["moncae.run"] == "vectors"
    certificate = json.loads((export.folder / "export.json").read_text())
    assert {f["model"]: f["hash"] for f in certificate["files"]} == graph_hash
    assert json.loads((export.folder / "arch.json").read_text())["arch"] == arch


def test_bytes_are_those_that_onnx_writes(export):
    for kind in KINDS:
        path = export.folder / f"{kind}.onnx"
        assert onnx.load(path).SerializeToString(deterministic=True) == path.read_bytes()


def test_certificate_names_every_runtime(export):
    checks = json.loads((export.folder / "export.json").read_text())["checks"]
    assert [c["model"] for c in checks] == KINDS + ["encoder"]
    for c in checks:
        assert c.get("skipped") or c["largest_difference"] <= c["tolerance"]
    assert not any("skipped" in c for c in checks[:3])


def test_card_example_runs_as_it_is(export):
    card = (export.folder / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", card, re.S).group(1)
    out = subprocess.run([sys.executable, "-c", code], cwd=export.folder, capture_output=True, text=True, check=True).stdout
    assert f"latent {(8, *export.latent_shape)} float32" in out and "psnr" in out

    np.save(export.folder / "given.npy", export.images)
    done = subprocess.run([sys.executable, "-", "given.npy"], input=code, cwd=export.folder, capture_output=True, text=True, check=True)
    mse = float(np.mean((export.outputs - export.images) ** 2))
    assert f"mse {mse:.5f}" in done.stdout
