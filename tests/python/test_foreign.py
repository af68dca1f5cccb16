"""Encoders that aren't moncae's: compress against ONNX Runtime in Python, to the bit."""

import json
import os
import pathlib
import re
import shlex
import subprocess

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pytest
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SIDES = {"C": 3, "H": 12, "W": 10}
ROWS = 41


@pytest.fixture(scope="module")
def moncae(tmp_path_factory):
    """Runs the program, and gives its JSON or what it says on stderr."""
    program = tmp_path_factory.mktemp("bin") / "moncae"
    tags = ["-tags", "onednn"] if (ROOT / ".deps/onednn/include").is_dir() else []
    subprocess.run(["go", "build", *tags, "-o", program, "./cmd/moncae"], cwd=ROOT, check=True)
    env = dict(os.environ, MONCAE_ONNXRUNTIME=str(pathlib.Path(onnxruntime.__file__).parent / "capi"))

    def run(*words, fails=None, cwd=None):
        done = subprocess.run([str(program), *map(str, words)], env=env, cwd=cwd, capture_output=True, text=True)
        if fails is not None:
            assert done.returncode == fails and done.stderr.count("\n") == 1, (done.returncode, done.stderr)
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of PNG files in two classes, and the training pixels in moncae's order, NCHW."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(3)
    pixels = []
    for i in range(ROWS + 10):
        image = rng.integers(0, 256, (SIDES["H"], SIDES["W"], SIDES["C"]), np.uint8)
        name = root / ("train" if i < ROWS else "test") / "ab"[i % 2] / f"{i:03}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(name)
        pixels.append((str(name), image.transpose(2, 0, 1)))
    pixels = [p for name, p in sorted(pixels, key=lambda pair: pair[0]) if "train" in name]
    return root, np.stack(pixels)


class Net:
    """A convolution of stride 2 and a ReLU, with what a test changes about it."""

    def __init__(self, opset=17, inputs=T.FLOAT, sides=("N", 3, 12, 10), out=("N", 4, 6, 5)):
        rng = np.random.default_rng(5)
        self.opset, self.sides, self.out, self.inputs = opset, sides, out, inputs
        self.weights = [
            nh.from_array(rng.standard_normal((4, 3, 3, 3)).astype(np.float32) / 4, "w"),
            nh.from_array(rng.standard_normal(4).astype(np.float32), "b"),
        ]
        self.before, self.after, self.x, self.more = [], [], "x", []

    def save(self, path, **how):
        conv = h.make_node("Conv", [self.x, "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
        last = "latent" if not self.after else "z"
        nodes = [*self.before, conv, h.make_node("Relu", ["c"], [last]), *self.after]
        shape = lambda s: list(s) if s is not None else None
        graph = h.make_graph(
            nodes, "g", [h.make_tensor_value_info("x", self.inputs, shape(self.sides))],
            [h.make_tensor_value_info("latent", T.FLOAT, shape(self.out)), *self.more], self.weights)
        model = h.make_model(graph, opset_imports=[h.make_opsetid("", self.opset)], ir_version=8)
        onnx.save_model(model, path, **how)
        return path


def test_the_how_to(moncae, tmp_path, torch_python):
    """docs/how-to/own-encoder.md: its blocks run as they stand, in order."""
    page = (ROOT / "docs/how-to/own-encoder.md").read_text()
    blocks = re.findall(r"^```(python|sh)\n(.*?)^```$", page, re.M | re.S)
    assert [kind for kind, _ in blocks] == ["python", "sh", "sh", "python", "sh"]
    for kind, text in blocks:
        if kind == "python":
            done = subprocess.run([torch_python, "-c", text], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            continue
        for line in text.splitlines():
            words = shlex.split(line)
            assert words[0] == "moncae"
            moncae(*words[1:], cwd=tmp_path)
    by_flags, by_model = (latents(tmp_path / name) for name in ("test.arrow", "says.arrow"))
    np.testing.assert_array_equal(by_flags[0], by_model[0])
    assert by_flags[0].shape == (1000, 8, 1, 1) and np.load(tmp_path / "back.npy").shape == (1000, 1, 28, 28)


def latents(path):
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return table.column("latent").combine_chunks().to_numpy_ndarray(), table.schema.metadata


def runtime(model, x, output="latent", batch=8):
    """What ONNX Runtime makes of x, batch by batch, a thread, the last batch padded for models of one size."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name, fixed = session.get_inputs()[0].name, session.get_inputs()[0].shape[0]
    parts = []
    for at in range(0, len(x), batch):
        part = x[at : at + batch]
        whole = np.concatenate([part, np.zeros((fixed - len(part), *part.shape[1:]), part.dtype)]) if isinstance(fixed, int) and fixed > 0 else part
        parts.append(session.run([output], {name: whole})[0][: len(part)])
    return np.concatenate(parts)


def unit(x):
    return x.astype(np.float32) / np.float32(255)


def normal(x):
    shape = (1, 3, 1, 1)
    return (unit(x) - np.array(MEAN, np.float32).reshape(shape)) / np.array(STD, np.float32).reshape(shape)


def compress(moncae, model, data, tmp_path, *flags):
    out = tmp_path / "z.arrow"
    report = moncae("compress", "--encoder", model, "--data", data[0], "--out", out, "--batch", 8, "--device", "cpu", "--overwrite", "--json", *flags)
    assert report["rows"] == ROWS
    return latents(out)[0], report


def csv(numbers):
    return ",".join(map(str, numbers))


NORMAL = ["--mean", csv(MEAN), "--std", csv(STD)]


def test_weights_beside_the_model(moncae, data, tmp_path):
    """PyTorch's default: model.onnx and model.onnx.data. The hash is that of onnx.load."""
    import hashlib

    model = Net().save(tmp_path / "model.onnx", save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    got, _ = compress(moncae, model, data, tmp_path)
    np.testing.assert_array_equal(got, runtime(model, unit(data[1])))
    said = latents(tmp_path / "z.arrow")[1][b"moncae.encoder"].decode()
    assert said == hashlib.sha256(onnx.load(model).graph.SerializeToString(deterministic=True)).hexdigest()
    (tmp_path / "model.onnx.data").rename(tmp_path / "elsewhere")
    says = moncae("compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow", fails=2)
    assert "model.onnx.data, which isn't there" in says


@pytest.mark.parametrize("flags, prepare", [
    ([], unit), (["--scale", "raw"], lambda x: x.astype(np.float32)), (NORMAL, normal),
    (["--scale", "symmetric"], lambda x: x.astype(np.float32) / np.float32(127.5) - np.float32(1)),
    (["--mean", "0.5", "--std", "0.25"], lambda x: (unit(x) - np.float32(0.5)) / np.float32(0.25)),
])
def test_values(moncae, data, tmp_path, flags, prepare):
    model = Net().save(tmp_path / "m.onnx")
    got, _ = compress(moncae, model, data, tmp_path, *flags)
    np.testing.assert_array_equal(got, runtime(model, prepare(data[1])))


def test_several_outputs(moncae, data, tmp_path):
    net = Net()
    net.after = [h.make_node("Identity", ["z"], ["latent"]), h.make_node("Exp", ["z"], ["spread"])]
    net.more = [h.make_tensor_value_info("spread", T.FLOAT, ["N", 4, 6, 5])]
    model = net.save(tmp_path / "vae.onnx")
    says = moncae("compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow", fails=2)
    assert "latent [N×4×6×5], spread [N×4×6×5]" in says and "--output latent" in says
    for output in ("latent", "spread"):
        got, _ = compress(moncae, model, data, tmp_path, "--output", output)
        np.testing.assert_array_equal(got, runtime(model, unit(data[1]), output))
    assert "--output mu" in moncae("compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow", "--output", "mu", fails=2)


def test_float16(moncae, data, tmp_path):
    net = Net(inputs=T.FLOAT16)
    net.before, net.x = [h.make_node("Cast", ["x"], ["x32"], to=T.FLOAT)], "x32"
    model = onnx.load(net.save(tmp_path / "m.onnx"))
    model.graph.node.append(h.make_node("Cast", ["latent"], ["half"], to=T.FLOAT16))
    model.graph.output[0].CopyFrom(h.make_tensor_value_info("half", T.FLOAT16, ["N", 4, 6, 5]))
    onnx.save(model, tmp_path / "m.onnx")
    got, _ = compress(moncae, tmp_path / "m.onnx", data, tmp_path, *NORMAL)
    want = runtime(tmp_path / "m.onnx", normal(data[1]).astype(np.float16), "half")
    assert want.dtype == np.float16
    np.testing.assert_array_equal(got, want.astype(np.float32))


def test_bytes(moncae, data, tmp_path):
    net = Net(inputs=T.UINT8)
    net.before, net.x = [h.make_node("Cast", ["x"], ["f"], to=T.FLOAT), h.make_node("Div", ["f", "most"], ["unit"])], "unit"
    net.weights.append(nh.from_array(np.float32(255), "most"))
    model = net.save(tmp_path / "m.onnx")
    got, _ = compress(moncae, model, data, tmp_path)
    np.testing.assert_array_equal(got, runtime(model, data[1]))
    assert "uint8" in moncae("compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow", *NORMAL, fails=2)


@pytest.mark.parametrize("out", [("N", 4, "h", "w"), None, ("N", 4, 6, 5)])
def test_open_sides(moncae, data, tmp_path, out):
    model = Net(sides=("N", 3, "H", "W"), out=out).save(tmp_path / "m.onnx")
    got, report = compress(moncae, model, data, tmp_path, "--image-size", "12x10")
    assert report["latent"] == [4, 6, 5]
    np.testing.assert_array_equal(got, runtime(model, unit(data[1])))


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_fixed_batch(moncae, data, tmp_path, size):
    model = Net(sides=(size, 3, 12, 10), out=(size, 4, 6, 5)).save(tmp_path / "m.onnx")
    got, report = compress(moncae, model, data, tmp_path)
    assert report["batch"] == size
    np.testing.assert_array_equal(got, runtime(model, unit(data[1]), batch=size))


def test_a_batch_fixed_inside(moncae, data, tmp_path):
    net = Net(out=("N", 120))
    net.after = [h.make_node("Reshape", ["z", "flat"], ["latent"])]
    net.weights.append(nh.from_array(np.array([1, 120], np.int64), "flat"))
    model = net.save(tmp_path / "m.onnx")
    got, report = compress(moncae, model, data, tmp_path)
    np.testing.assert_array_equal(got[:, :, 0, 0], runtime(model, unit(data[1]), batch=1))
    assert report["batch"] == 1 and any("one image a run" in note for note in report["notes"])


@pytest.mark.parametrize("flags", [[], ["--images", "nhwc"]])
def test_channels_last(moncae, data, tmp_path, flags):
    net = Net(sides=("N", 12, 10, 3), out=("N", 6, 5, 4))
    net.before, net.x = [h.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2])], "first"
    net.after = [h.make_node("Transpose", ["z"], ["latent"], perm=[0, 2, 3, 1])]
    model = net.save(tmp_path / "m.onnx")
    got, report = compress(moncae, model, data, tmp_path, *NORMAL, *flags)
    want = runtime(model, normal(data[1]).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(got, want.transpose(0, 3, 1, 2))
    assert report["latent"] == [4, 6, 5]
    says = moncae("compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow", "--images", "nchw", fails=2)
    assert "12 channels" in says


def test_all_values_in_a_row(moncae, data, tmp_path):
    net = Net(sides=("N", 360))
    net.before, net.x = [h.make_node("Reshape", ["x", "sides"], ["image"])], "image"
    net.weights.append(nh.from_array(np.array([-1, 3, 12, 10], np.int64), "sides"))
    model = net.save(tmp_path / "m.onnx")
    got, _ = compress(moncae, model, data, tmp_path)
    np.testing.assert_array_equal(got, runtime(model, unit(data[1]).reshape(ROWS, -1)))


@pytest.mark.parametrize("opset", [11, 13, 15, 17, 18, 20, 21])
def test_opsets_and_the_pipeline(moncae, data, tmp_path, opset):
    """classify's pipeline.onnx takes what the encoder takes, and gives the head's classes."""
    model = Net(opset=opset).save(tmp_path / "m.onnx")
    compress(moncae, model, data, tmp_path, *NORMAL)
    got, about = latents(tmp_path / "z.arrow")
    test = tmp_path / "test.arrow"
    moncae("compress", "--encoder", model, "--data", data[0], "--split", "test", "--out", test, *NORMAL)
    out = tmp_path / "head"
    words = ["classify", "--train", tmp_path / "z.arrow", "--encoder", model, "--out", out, "--head", "linear", "--data", data[0], "--json"]
    report = moncae(*words, "--test", test)
    assert report["pipeline"]["rows_that_differ"] == 0
    logits = runtime(out / "pipeline.onnx", normal(data[1]), "logits")
    head = runtime(out / "head.onnx", got, "logits")
    np.testing.assert_allclose(logits, head, atol=1e-4)
    moncae("compress", "--encoder", model, "--data", data[0], "--split", "test", "--out", test, "--overwrite")
    assert "prepared differently" in moncae(*words, "--overwrite", "--test", test, fails=2)
    pipeline = {p.key: p.value for p in onnx.load(out / "pipeline.onnx").metadata_props}
    assert json.loads(pipeline["moncae.preprocess"])["mean"] == MEAN == json.loads(about[b"moncae.preprocess"])["mean"]


def test_the_decoder_undoes_the_values(moncae, data, tmp_path):
    """A decoder of normalised images: what decompress writes is undone, by the latents' metadata alone."""
    model = Net().save(tmp_path / "m.onnx")
    compress(moncae, model, data, tmp_path, *NORMAL)
    rng = np.random.default_rng(6)
    w = nh.from_array(rng.standard_normal((4, 3, 2, 2)).astype(np.float32) / 4, "w")
    node = h.make_node("ConvTranspose", ["z", "w"], ["image"], kernel_shape=[2, 2], strides=[2, 2])
    graph = h.make_graph([node], "g", [h.make_tensor_value_info("z", T.FLOAT, ["N", 4, 6, 5])], [h.make_tensor_value_info("image", T.FLOAT, ["N", 3, "H", "W"])], [w])
    decoder = tmp_path / "d.onnx"
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8), decoder)
    moncae("decompress", "--decoder", decoder, "--in", tmp_path / "z.arrow", "--out", tmp_path / "x.npy", "--float", "--batch", 8)
    want = runtime(decoder, latents(tmp_path / "z.arrow")[0], "image")
    shape = (1, 3, 1, 1)
    want = want * np.array(STD, np.float32).reshape(shape) + np.array(MEAN, np.float32).reshape(shape)
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), want, atol=1e-6)


def test_resuming_needs_no_flags_again(moncae, data, tmp_path):
    model = Net(sides=("N", 3, "H", "W"), out=("N", 4, "h", "w")).save(tmp_path / "m.onnx")
    shards = tmp_path / "shards"
    words = ["compress", "--encoder", model, "--data", data[0], "--out", shards, "--shard-rows", 10]
    moncae(*words, *NORMAL, "--image-size", "6x8")
    whole = {p.name: p.read_bytes() for p in shards.iterdir()}
    manifest = json.loads(whole["_manifest.json"])
    manifest["shards"], manifest["rows"] = manifest["shards"][:2], 20
    for name in sorted(whole):  # as an interruption behind the second shard leaves it
        if name not in ("part-00000.arrow", "part-00001.arrow"):
            (shards / name).unlink()
    (shards / "_partial.json").write_text(json.dumps(manifest))
    assert "mean" in moncae(*words, "--resume", "--mean", "0.5", "--std", "0.5", fails=2)
    moncae(*words, "--resume")
    assert {p.name: p.read_bytes() for p in shards.iterdir()} == whole


def test_contradictions_are_refused(moncae, data, tmp_path):
    model = Net().save(tmp_path / "m.onnx")
    words = ["compress", "--encoder", model, "--data", data[0], "--out", tmp_path / "n.arrow"]
    assert "exclude each other" in moncae(*words, *NORMAL, "--scale", "raw", fails=2)
    assert "belong together" in moncae(*words, "--mean", "0.5", fails=2)
    assert "above 0" in moncae(*words, "--mean", "0.5", "--std", "0", fails=2)
    assert "2 numbers" in moncae(*words, "--mean", "0.5,0.5", "--std", "1", fails=2)
    assert "no list of numbers" in moncae(*words, "--mean", "imagenet", "--std", "1", fails=2)
    own = onnx.load(model)
    own.metadata_props.add(key="moncae.preprocess", value=json.dumps({"image_size": [12, 10], "resize": "none", "channels": 3, "mean": MEAN, "std": STD}))
    onnx.save(own, tmp_path / "says.onnx")
    says = moncae("compress", "--encoder", tmp_path / "says.onnx", "--data", data[0], "--out", tmp_path / "n.arrow", "--scale", "raw", fails=2)
    assert "says itself what it takes" in says
    got, _ = compress(moncae, tmp_path / "says.onnx", data, tmp_path)
    np.testing.assert_array_equal(got, runtime(model, normal(data[1])))
    assert json.loads(latents(tmp_path / "z.arrow")[1][b"moncae.preprocess"])["mean"] == MEAN


def test_other_latents_each_time_are_told(moncae, data, tmp_path):
    def notes(change):
        net = Net()
        change(net)
        return " ".join(compress(moncae, net.save(tmp_path / "m.onnx"), data, tmp_path)[1]["notes"])

    def samples(net):
        net.after = [h.make_node("RandomNormalLike", ["z"], ["e"]), h.make_node("Add", ["z", "e"], ["latent"])]

    def drops(net):
        net.after = [h.make_node("Dropout", ["z", "ratio", "train"], ["latent"])]
        net.weights += [nh.from_array(np.float32(0.5), "ratio"), nh.from_array(np.array(True), "train")]

    def normalises(net):  # by the batch's own mean
        net.after = [h.make_node("ReduceMean", ["z"], ["mean"], axes=[0, 2, 3]), h.make_node("Sub", ["z", "mean"], ["latent"])]

    assert "each time" in notes(samples)
    assert "each time" in notes(drops)
    assert "other images of its batch" in notes(normalises)
    quiet = notes(lambda net: None)
    assert "each time" not in quiet and "batch" not in quiet


def test_what_no_one_can_use_is_refused(moncae, data, tmp_path):
    net = Net()
    net.after = [h.make_node("Log", ["z"], ["latent"])]  # of 0
    words = ["compress", "--data", data[0], "--out", tmp_path / "n.arrow", "--encoder"]
    assert "-Inf" in moncae(*words, net.save(tmp_path / "m.onnx"), fails=2)
    two = Net()
    two.before, two.x = [h.make_node("Mul", ["x", "by"], ["y"])], "y"
    model = onnx.load(two.save(tmp_path / "m.onnx"))
    model.graph.input.append(h.make_tensor_value_info("by", T.FLOAT, []))
    onnx.save(model, tmp_path / "two.onnx")
    assert "takes 2 inputs: x [N×3×12×10], by" in moncae(*words, tmp_path / "two.onnx", fails=2)
    integers = onnx.load(Net().save(tmp_path / "m.onnx"))
    integers.graph.node.append(h.make_node("Cast", ["latent"], ["code"], to=T.INT64))
    integers.graph.output[0].CopyFrom(h.make_tensor_value_info("code", T.INT64, ["N", 4, 6, 5]))
    onnx.save(integers, tmp_path / "codes.onnx")
    assert "int64" in moncae(*words, tmp_path / "codes.onnx", fails=2)
    assert not (tmp_path / "n.arrow").exists()
