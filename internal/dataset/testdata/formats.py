#!/usr/bin/env python3
"""Make formats.zip: image data in the formats that people keep it in, and formats.json: what it is.

    python formats.py     # Pillow 13, numpy 2.4, pyarrow 26, scipy 1.17

formats.json says for each example and split the labels, what is left out by reason, or a part of the
message that refuses it. The pixels, as Pillow or numpy give them, lie beside as NAME/SPLIT.npy,
N×C×H×W of uint8; `within` is how far a lossy file may be from them. `options` are those of a command.
"""
import gzip
import io
import json
import pathlib
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from PIL import Image
from scipy.io import savemat

OUT = pathlib.Path(__file__).parent
archive = zipfile.ZipFile(OUT / "formats.zip", "w", zipfile.ZIP_DEFLATED)
expected = {}


def put(path, data):
    info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def saved(write):
    b = io.BytesIO()
    write(b)
    return b.getvalue()


def npy(a):
    return saved(lambda b: np.save(b, a))


def npz(**arrays):
    return saved(lambda b: np.savez_compressed(b, **arrays))


def parquet(columns, **how):
    return saved(lambda b: pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), b, **how))


def image(a, kind="png", **how):
    return saved(lambda b: (a if isinstance(a, Image.Image) else Image.fromarray(a)).save(b, kind, **how))


def tar(members, mode="w"):
    def write(b):
        with tarfile.open(fileobj=b, mode=mode) as t:
            for name, data in members.items():
                i = tarfile.TarInfo(name)
                i.size = len(data)
                t.addfile(i, io.BytesIO(data))
    return saved(write)


def zipped(members):
    def write(b):
        with zipfile.ZipFile(b, "w") as z:
            for name, data in members.items():
                z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return saved(write)


def example(name, files, splits=None, classes=(), left_out=None, refused=None, within=0, open="", options=None, note=None):
    """files: path → bytes. splits: split → (NCHW, labels or None). open: the file that is named, "" for the folder."""
    for path, data in files.items():
        put(f"{name}/{path}", data)
    e = expected[name] = {"open": open, "options": options or {}}
    if refused:
        e["refused"] = refused
        return
    e |= {"classes": list(classes), "left_out": left_out or {}, "within": within, "note": note or "", "splits": {}}
    for split, (x, y) in splits.items():
        x = np.asarray(x)
        assert x.dtype == np.uint8 and x.ndim == 4, (name, x.dtype, x.shape)
        put(f"expected/{name}/{split}.npy", npy(np.ascontiguousarray(x)))
        e["splits"][split] = {"shape": list(x.shape), "labels": [-1] * len(x) if y is None else [int(v) for v in y]}


rng = np.random.default_rng(7)
grey = rng.integers(0, 256, (6, 9, 8), np.uint8)  # N×H×W
colour = rng.integers(0, 256, (6, 9, 8, 3), np.uint8)  # N×H×W×C
square = rng.integers(0, 256, (6, 8, 8), np.uint8)
y = np.array([2, 0, 1, 0, 2, 1])
one = lambda a: a[:, None]  # N×H×W to NCHW
planar = lambda a: a.transpose(0, 3, 1, 2)
digits = list("012")
unused = "arrays that are no images and no labels, by their names"
columns = "columns that are not the image and not its label"

# IDX.
SIZES = {"B": 8, "i": 12}


def idx(a, kind="B"):
    return struct.pack(">HBB", 0, SIZES[kind], a.ndim) + struct.pack(f">{a.ndim}I", *a.shape) + a.astype(">i4" if kind == "i" else "u1").tobytes()


mnist = {"train-images-idx3-ubyte": idx(grey[:4]), "train-labels-idx1-ubyte": idx(y[:4]), "t10k-images-idx3-ubyte": idx(grey[4:]), "t10k-labels-idx1-ubyte": idx(y[4:])}
halves = {"train": (one(grey[:4]), y[:4]), "test": (one(grey[4:]), y[4:])}
example("idx", mnist, halves, digits)
example("idx-gz", {k + ".gz": gzip.compress(v, mtime=0) for k, v in mnist.items()} | {"README": b"text", "a.csv": b"x\n"}, halves, digits, {"files without an ending": 1, "files ending in .csv": 1})
example("idx-file", mnist, halves, digits, open="train-images-idx3-ubyte")
example("idx-twice", {f"{k}/{k}": v for k, v in mnist.items()} | {k.replace("-idx", ".idx"): v for k, v in mnist.items()}, halves, digits, {"files that are there twice": 4})
long = np.zeros((4, 8), int)
long[:, 0], long[:, 1] = y[:4], 9
example("qmnist", {"qmnist-train-images-idx3-ubyte": idx(grey[:4]), "qmnist-train-labels-idx2-int": idx(long, "i")}, {"all": (one(grey[:4]), y[:4])}, digits, note="the class is the first of 8 numbers")
example("idx-colour", {"train-images-idx4-ubyte": idx(planar(colour))}, {"all": (planar(colour), None)})
example("emnist", {"emnist-mnist-" + k: v for k, v in mnist.items()}, halves, digits, note="transposed")
example("emnist-sets", {"emnist-mnist-" + k: v for k, v in mnist.items()} | {"emnist-letters-" + k: idx(np.roll(grey[:4], 1)) for k in mnist if "train-images" in k}, refused="both images for the split train")
example("idx-floats", {"train-images-idx3-ubyte": struct.pack(">HBB3I", 0, 13, 3, 1, 9, 8) + grey[0].astype(">f4").tobytes()}, refused="images are 0x08")

# NumPy.
example("npy-grey", {"x.npy": npy(grey)}, {"all": (one(grey), None)}, open="x.npy")
example("npy-colour", {"images.npy": npy(colour), "labels.npy": npy(y)}, {"all": (planar(colour), y)}, digits)
example("npy-planar", {"x.npy": npy(np.ascontiguousarray(planar(colour)))}, {"all": (planar(colour), None)})
example("npy-big-endian", {"x.npy": npy(grey.astype(">i4"))}, {"all": (one(grey), None)})
example("npy-fractions", {"x.npy": npy((grey / 255).astype("f4"))}, {"all": (one(grey), None)})
example("npy-bools", {"x.npy": npy(grey > 99)}, {"all": (one((grey > 99) * np.uint8(255)), None)})
example("npy-16-bits", {"x.npy": npy(grey.astype("u2") * 16)}, {"all": (one(grey), None)}, options={"range": [0, 4080]})
example("npy-16-bits-bare", {"x.npy": npy(grey.astype("u2") * 16)}, refused="without --range LO,HI")
example("npy-standardised", {"x.npy": npy((grey / 127.5 - 1).astype("f8"))}, {"all": (one(grey), None)}, options={"range": [-1, 1]})
example("npy-flat", {"x.npy": npy(square.reshape(6, 64)), "y.npy": npy(y)}, {"all": (one(square), y)}, digits, note="64 values an image are read as a grey one of 8×8")
example("npy-flat-colour", {"x.npy": npy(rng.integers(0, 256, (4, 192), np.uint8))}, refused="in which order are the colours")
example("npy-one-hot", {"X.npy": npy(grey), "Y.npy": npy(np.eye(3)[y])}, {"all": (one(grey), y)}, digits, note="one 1 among 3")
example("npy-words", {"x.npy": npy(grey), "y.npy": npy(np.array(["ox", "ant", "bee"])[y])}, {"all": (one(grey), [1, 2, 0, 2, 1, 0])}, ["ant", "bee", "ox"])
example("npy-float-labels", {"x.npy": npy(grey), "y.npy": npy(y.astype("f4"))}, {"all": (one(grey), y)}, digits)
example("npy-bool-labels", {"x.npy": npy(grey), "y.npy": npy(y > 0)}, {"all": (one(grey), y > 0)}, list("01"))
example("npy-measures", {"x.npy": npy(grey), "y.npy": npy(y / 4)}, {"all": (one(grey), None)}, left_out={"arrays of labels that give no classes: 0.5 is a measure": 1})
example("chestmnist", {"chestmnist.npz": npz(train_images=grey[:4], train_labels=np.tile([1, 1, 0], (4, 1)), test_images=grey[4:], test_labels=np.zeros((2, 3)))}, {"train": (one(grey[:4]), None), "test": (one(grey[4:]), None)},
        left_out={"arrays of labels that give no classes: 3 numbers an image, where one class is needed": 2}, open="chestmnist.npz")
example("keras", {"mnist.npz": npz(x_train=grey[:4], y_train=y[:4], x_test=grey[4:], y_test=y[4:])}, halves, digits, open="mnist.npz")
example("medmnist", {"m.npz": npz(train_images=colour[:2], train_labels=y[:2, None], val_images=colour[2:4], val_labels=y[2:4, None], test_images=colour[4:], test_labels=y[4:, None])},
        {s: (planar(colour[i:i + 2]), y[i:i + 2]) for s, i in (("train", 0), ("val", 2), ("test", 4))}, digits, open="m.npz")
example("kmnist", {f"kmnist-{s}-{k}.npz": npz(arr_0=a) for s, k, a in (("train", "imgs", grey[:4]), ("train", "labels", y[:4]), ("test", "imgs", grey[4:]), ("test", "labels", y[4:]))}, halves, digits)
example("split-npz", {"train.npz": npz(x=grey[:4], y=y[:4]), "test.npz": npz(x=grey[4:], y=y[4:])}, halves, digits)
example("dsprites", {"d.npz": npz(imgs=square, latents_values=rng.random((6, 5)), latents_names=np.array(["a", "b"]))}, {"all": (one(square), None)}, left_out={unused: 2}, open="d.npz")
example("olivetti", {"olivetti_faces.npy": npy((grey / 255).astype("f4")), "olivetti_faces_target.npy": npy(y)}, {"all": (one(grey), y)}, digits)
example("quickdraw", {"full_numpy_bitmap_cat.npy": npy(square[:4].reshape(4, 64)), "full_numpy_bitmap_ant.npy": npy(square[4:].reshape(2, 64))}, {"all": (one(square[[4, 5, 0, 1, 2, 3]]), [0, 0, 1, 1, 1, 1])}, ["ant", "cat"], note="every array is read as a class")
example("npy-single", {"one.npy": npy(rng.integers(0, 256, (12, 11, 3), np.uint8))}, refused="it holds one image", open="one.npy")
example("npy-fortran", {"x.npy": npy(np.asfortranarray(grey))}, refused="numpy.ascontiguousarray")
example("npy-objects", {"x.npy": saved(lambda b: np.save(b, np.array([{}], dtype=object), allow_pickle=True))}, refused="holds Python objects")

# MATLAB, CIFAR, STL-10.
x = np.ascontiguousarray(colour.transpose(1, 2, 3, 0))
svhn = {"train_32x32.mat": saved(lambda b: savemat(b, {"X": x[..., :4], "y": np.array([[1], [10], [2], [10]], np.uint8)})), "test_32x32.mat": saved(lambda b: savemat(b, {"X": x[..., 4:], "y": np.array([[9.0], [1.0]])}, do_compression=True))}
example("svhn", svhn | {"extra_32x32.mat": b"long"}, {"train": (planar(colour[:4]), [1, 0, 2, 0]), "test": (planar(colour[4:]), [9, 1])}, list("0123456789"), {"the extra images of SVHN": 1})
example("mat-fractions", {"a.mat": saved(lambda b: savemat(b, {"X": x / 255, "other": 1}))}, {"all": (planar(colour), None)}, left_out={"variables that are no images and no labels": 1})
example("mat-range", {"a.mat": saved(lambda b: savemat(b, {"X": x * 2.0}))}, {"all": (planar(colour), None)}, options={"range": [0, 510]})
example("mat-others", {"USPS.mat": saved(lambda b: savemat(b, {"fea": square.reshape(6, 64), "gnd": y}))}, refused="it holds fea, gnd: load it by scipy.io.loadmat")
example("mat-7.3", {"a.mat": b"MATLAB 7.3 MAT-file" + bytes(600)}, refused="version 7.3 is another format")
tiny = rng.integers(0, 256, (3, 1, 1, 3), np.uint8) + np.zeros((1, 32, 32, 1), np.uint8)
record = lambda *labels: lambda i: bytes(labels) + planar(tiny)[i].tobytes()
cifar = {"data_batch_1.bin": record(3)(0), "data_batch_2.bin": record(9)(1), "test_batch.bin": record(0)(2), "batches.meta.txt": "\n".join("abcdefghij").encode(), "readme.html": b"x"}
example("cifar10", {"cifar-10-batches-bin/" + k: v for k, v in cifar.items()}, {"train": (planar(tiny[:2]), [3, 9]), "test": (planar(tiny[2:]), [0])}, "abcdefghij", {"files ending in .html": 1})
example("cifar100", {"train.bin": record(1, 42)(0), "test.bin": record(2, 99)(1), "fine_label_names.txt": "\n".join(f"c{i}" for i in range(100)).encode(), "coarse_label_names.txt": b"x"},
        {"train": (planar(tiny[:1]), [42]), "test": (planar(tiny[1:2]), [99])}, [f"c{i}" for i in range(100)], {"files ending in .txt": 1})
batch = lambda i, protocol: pickle.dumps({"batch_label": "training batch", "labels": [[3, 9, 0][i]], "data": planar(tiny)[i:i + 1].reshape(1, -1).copy(), "filenames": ["x.png"]}, protocol)
# As Python 2 wrote them: strings of bytes.
python2 = lambda i: (b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03K" + bytes([[3, 9, 0][i]]) + b"aU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00"
                     + planar(tiny)[i].tobytes() + b"tbu.")
assert (pickle.loads(python2(1), encoding="bytes")[b"data"] == planar(tiny)[1].reshape(1, -1)).all()
example("cifar-python-2", {"data_batch_1": python2(0), "data_batch_2": python2(1), "test_batch": python2(2), "batches.meta": b"\x80\x02}(U\x0blabel_names](" + b"".join(b"U\x01" + bytes([c]) for c in b"abcdefghij") + b"eu."},
        {"train": (planar(tiny[:2]), [3, 9]), "test": (planar(tiny[2:]), [0])}, "abcdefghij")
example("cifar-python", {"cifar-10-batches-py/data_batch_1": batch(0, 2), "cifar-10-batches-py/data_batch_2": batch(1, 4), "cifar-10-batches-py/test_batch": batch(2, 3), "cifar-10-batches-py/batches.meta": pickle.dumps({"num_cases_per_batch": 1, "label_names": list("abcdefghij"), "num_vis": 3072}, 2), "cifar-10-batches-py/readme.html": b"x"},
        {"train": (planar(tiny[:2]), [3, 9]), "test": (planar(tiny[2:]), [0])}, "abcdefghij", {"files ending in .html": 1})
fine = lambda i: pickle.dumps({"filenames": [b"x.png"], "fine_labels": [40 + i], "coarse_labels": [1], "data": planar(tiny)[i:i + 1].reshape(1, -1).copy()}, 2)
example("cifar100-python", {"cifar-100-python/train": fine(0), "cifar-100-python/test": fine(1), "cifar-100-python/meta": pickle.dumps({"fine_label_names": [f"c{i}" for i in range(100)], "coarse_label_names": []}, 2), "cifar-100-python/file.txt~": b""},
        {"train": (planar(tiny[:1]), [40]), "test": (planar(tiny[1:2]), [41])}, [f"c{i}" for i in range(100)], {"files ending in .txt~": 1})
example("cifar-python-hostile", {"data_batch_1": b"cposix\nsystem\n(U\x02lstR.", "batches.meta": batch(0, 2)}, refused="an object made by \"posix.system\" is not read")
stl = rng.integers(0, 256, (2, 3, 8, 8), np.uint8).repeat(12, 2).repeat(12, 3)
example("stl10", {"train_X.bin": stl[:1].transpose(0, 1, 3, 2).tobytes(), "train_y.bin": bytes([10]), "test_X.bin": stl[1:].transpose(0, 1, 3, 2).tobytes(), "test_y.bin": bytes([1]), "unlabeled_X.bin": bytes(2 * 27648), "class_names.txt": "\n".join("abcdefghij").encode(), "fold_indices.txt": b"0 1"},
        {"train": (stl[:1], [9]), "test": (stl[1:], [0])}, "abcdefghij", {"images of no split, beside those of the splits": 2, "files ending in .txt": 1})

# Parquet and Arrow.
pngs = [image(a) for a in grey]
structs = pa.array([{"bytes": b, "path": f"{i}.png"} for i, b in enumerate(pngs)], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
hf = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}, "kind": {"names": ["ant", "bee", "cat"], "_type": "ClassLabel"}}}})}
table = pa.table({"image": structs, "kind": y, "caption": list("uvwxyz")}).replace_schema_metadata(hf)
named = ["ant", "bee", "cat"]
example("hf-parquet", {"data/train-00000-of-00002.parquet": parquet(table[:2]), "data/train-00001-of-00002.parquet": parquet(table[2:4]), "data/test-00000-of-00001-1dev2val3.parquet": parquet(table[4:]), "README.md": b"---\n"}, halves, named, {columns: 1, "files ending in .md": 1})
example("hf-export", {"default/train/0000.parquet": parquet(table[:4]), "default/test/0000.parquet": parquet(table[4:])}, halves, named, {columns: 1})
example("hf-extra", {"train-00000-of-00001.parquet": parquet(table[:3]), "test-00000-of-00001.parquet": parquet(table[3:5]), "extra-00000-of-00001.parquet": parquet(table[5:])}, {"train": (one(grey[:3]), y[:3]), "test": (one(grey[3:5]), y[3:5])}, named, {columns: 1, "images of no split, beside those of the splits": 1})
example("hf-configs", {"cropped/train-00000-of-00001.parquet": parquet(table), "full/train-00000-of-00001.parquet": parquet(table)}, refused="several sets lie here, cropped and full")
example("parquet-binary", {"a.parquet": parquet({"picture": pngs, "label": y.astype("i2")}, compression="zstd")}, {"all": (one(grey), y)}, digits, open="a.parquet")
paths = pa.array([{"bytes": None, "path": f"files/{i}.png"} for i in range(6)], structs.type)
example("parquet-paths", {"a.parquet": parquet({"image": paths, "label": y})} | {f"files/{i}.png": b for i, b in enumerate(pngs)}, {"all": (one(grey), y)}, digits, open="a.parquet")
outside = pa.array([{"bytes": None, "path": f"/data/{i}.png"} for i in range(6)], structs.type)
example("parquet-paths-outside", {"a.parquet": parquet({"image": outside})}, refused="leads out of the table's folder", open="a.parquet")
example("parquet-two", {"a.parquet": parquet({"pixel_values": structs, "conditioning_image": structs, "text": list("uvwxyz")})}, refused="which of its columns holds the images, pixel_values, conditioning_image? Name it with --image-column", open="a.parquet")
example("parquet-asked", {"a.parquet": parquet({"pixel_values": structs, "conditioning_image": structs, "kind": y})}, {"all": (one(grey), y)}, digits, {columns: 1}, open="a.parquet", options={"image_column": "pixel_values", "label_column": "kind"})
flat = lambda a, t=pa.uint8(): pa.FixedSizeListArray.from_arrays(pa.array(a.reshape(-1), t), a[0].size)
tensor = lambda a, t=pa.uint8(): pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(t, a.shape[1:]), flat(a, t))
example("parquet-tensors", {"a.parquet": parquet({"image": tensor(colour), "label": y})}, {"all": (planar(colour), y)}, digits, open="a.parquet")
example("parquet-lists", {"a.parquet": parquet({"image": grey.tolist(), "label": y})}, {"all": (one(grey), y)}, digits, open="a.parquet")
example("parquet-lists-3d", {"a.parquet": parquet({"image": colour.tolist()})}, {"all": (planar(colour), None)}, open="a.parquet")
example("parquet-flat", {"a.parquet": parquet({"pixels": square.reshape(6, 64).tolist(), "label": y})}, {"all": (one(square), y)}, digits, open="a.parquet", note="64 values an image are read as a grey one of 8×8")
example("parquet-ragged", {"a.parquet": parquet({"image": [a.tolist()[i:] for i, a in enumerate(grey)]})}, refused="the first image is [9 8], and all need the same", open="a.parquet")
example("parquet-fractions", {"a.parquet": parquet({"image": (grey / 255).tolist()})}, {"all": (one(grey), None)}, open="a.parquet")
example("parquet-range", {"a.parquet": parquet({"image": (grey * 2.0).tolist()})}, {"all": (one(grey), None)}, open="a.parquet", options={"range": [0, 510]})
example("parquet-range-bare", {"a.parquet": parquet({"image": (grey * 2.0).tolist()})}, refused="without --range LO,HI", open="a.parquet")
wide = {"label": y} | {f"pixel{i}": square.reshape(6, 64)[:, i] for i in range(64)}
example("parquet-wide", {"a.parquet": parquet(wide | {"id": range(6)})}, {"all": (one(square), y)}, digits, {columns: 1}, open="a.parquet")
example("parquet-none", {"a.parquet": parquet({f"f{i}.x": [1.0] for i in range(785)})}, refused="(785 in all)", open="a.parquet")
for name, values, labels, classes, lost in (
        ("floats", y.astype("f8"), y, digits, {}), ("bools", y > 0, y > 0, ["False", "True"], {}),
        ("words", [named[i] for i in y], y, named, {}), ("categories", pa.array([named[i] for i in y]).dictionary_encode(), y, named, {}),
        ("numbered-categories", pa.array(y.astype("i4")).dictionary_encode(), y, digits, {}), ("digits", [str(10 - i) for i in y], 10 - y, [str(i) for i in range(11)], {}),
        ("null", pa.array([2, None, 1, 0, -1, 1]), [2, -1, 1, 0, -1, 1], digits, {}),
        ("measures", y / 4, None, [], {"a column of labels that gives no classes: 0.5 is a measure": 1}), ("several", [[0, 1]] * 6, None, [], {columns: 1})):
    data = {"image": pngs, "label": values}
    example(f"parquet-{name}", {"a.parquet": parquet(data)}, {"all": (one(grey), labels)}, classes, lost, open="a.parquet")
    example(f"arrow-{name}", {"a.arrow": saved(lambda b: feather.write_feather(pa.table(data), b, compression="zstd"))}, {"all": (one(grey), labels)}, classes, lost, open="a.arrow")
example("parquet-asked-label", {"a.parquet": parquet({"image": pngs, "label": y, "colour": [named[i] for i in y]})}, {"all": (one(grey), y)}, named, {columns: 1}, open="a.parquet", options={"label_column": "colour"})
example("metadata-parquet", {f"train/{i}.png": pngs[i] for i in range(6)} | {"train/metadata.parquet": parquet({"file_name": [f"{i}.png" for i in range(6)], "label": [named[i] for i in y]})}, {"all": (one(grey), y)}, named)
stream = lambda b: ipc.new_stream(b, table.schema).write_table(table)
example("arrow-stream", {"data-00000-of-00001.arrow": saved(stream), "dataset_info.json": b"{}"}, {"all": (one(grey), y)}, named, {columns: 1, "files ending in .json": 1})

# WebDataset and archives.
members = lambda r: {k: v for i in r for k, v in ((f"{i}.png", pngs[i]), (f"{i}.cls", str(y[i]).encode()), (f"{i}.txt", b"caption"))}
example("webdataset", {"set-train-000000.tar": tar(members(range(2))), "set-train-000001.tar": tar(members(range(2, 4))), "set-test-000000.tar": tar(members(range(4, 6)))}, halves, digits, {"files ending in .txt": 6})
example("webdataset-json", {"a.tar": tar({k: v for i in range(6) for k, v in ((f"{i}.png", pngs[i]), (f"{i}.json", json.dumps({"label": named[y[i]]}).encode()))})}, {"all": (one(grey), y)}, named, open="a.tar")
example("webdataset-npy", {"train-0.tar": tar({k: v for i in range(6) for k, v in ((f"{i}.npy", npy(colour[i])), (f"{i}.cls", str(y[i]).encode()))})}, {"all": (planar(colour), y)}, digits, open="train-0.tar")
folders = {f"{named[v]}/{i}.png": pngs[i] for i, v in enumerate(y)}
ordered = sorted(range(6), key=lambda i: f"{named[y[i]]}/{i}.png")
example("zip", {"a.zip": zipped(folders)}, {"all": (one(grey[ordered]), y[ordered])}, named, open="a.zip")
example("tar-gz", {"a.tar.gz": gzip.compress(tar(folders), mtime=0)}, {"all": (one(grey[ordered]), y[ordered])}, named, open="a.tar.gz")
example("zip-in-folder", {"a.zip": zipped(folders), "notes.md": b"x"}, {"all": (one(grey[ordered]), y[ordered])}, named, {"files ending in .md": 1})
example("zips", {"train.zip": zipped({f"train/{i}.png": pngs[i] for i in range(4)}), "test1.zip": zipped({f"test1/{i}.png": pngs[i] for i in range(4, 6)}), "sampleSubmission.csv": b"id,label\n1,0\n"},
        {"train": (one(grey[:4]), None), "test": (one(grey[4:]), None)}, left_out={"files ending in .csv": 1})
example("zip-and-table", {"train.zip": zipped({f"train/{i}.png": pngs[i] for i in range(6)}), "trainLabels.csv": "".join(["id,label\n"] + [f"{i},{named[v]}\n" for i, v in enumerate(y)]).encode()}, {"all": (one(grey), y)}, named)
example("flowers", {f"jpg/image_{i:05}.jpg": pngs[i] for i in range(6)} | {"imagelabels.mat": saved(lambda b: savemat(b, {"labels": y + 1})), "setid.mat": b"MATLAB 5"}, {"all": (one(grey), None)}, left_out={"files ending in .mat": 2})
example("images-and-arrays", {f"{n}/{i}.png": pngs[i] for n in "ab" for i in range(6)} | {"features.npy": npy(rng.random((12, 512)))}, {"all": (one(np.concatenate([grey, grey])), [0] * 6 + [1] * 6)}, ["a", "b"], {"files ending in .npy": 1})
example("images-and-parquet", {f"{i}.png": pngs[i] for i in range(6)} | {"embeddings.parquet": parquet({"id": range(6), "v": [[0.5]] * 6})}, {"all": (one(grey), None)}, left_out={"files ending in .parquet": 1})
example("previews", {"data/train-0.parquet": parquet(table[:4]), "data/test-0.parquet": parquet(table[4:]), "preview.png": pngs[0]}, halves, named, {columns: 1, "files ending in .png": 1})
rgb = "label," + ",".join(f"pixel{i:04}" for i in range(192)) + "\n" + "".join(f"{i}," + ",".join(["9"] * 192) + "\n" for i in range(3))
example("sets-in-folders", {f"dataset2-master/images/{s}/{c}/0.png": b for s in ("TRAIN", "TEST") for c, b in zip(named, pngs)} | {f"dataset-master/JPEGImages/{i}.png": b for i, b in enumerate(pngs)}, refused="several sets lie here, dataset-master and dataset2-master; name the folder of one")
example("folds-in-folders", {f"fold{k}/{s}/{c}/0.png": b for k in range(2) for s in ("train", "val") for c, b in zip(named, pngs)}, refused="several sets lie here, fold0 and fold1; name the folder of one")
example("img2dataset", {"00000.tar": tar({f"{i}.png": b for i, b in enumerate(pngs)}), "00000.parquet": parquet({"url": list("uvwxyz")}), "00000_stats.json": b"{}"}, {"all": (one(grey), None)}, left_out={"files ending in .parquet": 1, "files ending in .json": 1})
example("tar-parts", {f"{i:05}.tar": tar({f"{i}{j}.png": pngs[2 * i + j] for j in range(2)} | {f"{i}{j}.txt": b"caption" for j in range(2)}) for i in range(3)}, {"all": (one(grey), None)}, left_out={"files ending in .txt": 6}, note="parts of one set")
example("zip-a-class", {f"{named[k]}.zip": zipped({f"{i}.png": pngs[i] for i in range(6) if y[i] == k}) for k in range(3)}, {"all": (one(grey[ordered]), y[ordered])}, named)
example("hf-disk", {"train/data-00000-of-00001.arrow": saved(lambda b: ipc.new_stream(b, table.schema).write_table(table[:4])), "train/cache-5ab3.arrow": saved(stream), "train/state.json": b"{}", "test/data-00000-of-00001.arrow": saved(lambda b: ipc.new_stream(b, table.schema).write_table(table[4:])), "dataset_dict.json": b"{}"},
        halves, named, {columns: 1, "files ending in .json": 2, "caches of Hugging Face's datasets": 1})
example("parquet-and-tables", {"train.parquet": parquet(table[:4]), "test.parquet": parquet(table[4:]), "classes.parquet": parquet({"name": named})}, halves, named, {columns: 1, "tables without images": 1})
example("npy-object-labels", {"x.npy": npy(grey), "y.npy": saved(lambda b: np.save(b, np.array(named * 2, dtype=object), allow_pickle=True))}, {"all": (one(grey), None)}, left_out={"arrays of labels that give no classes: holds Python objects, which are not read; save x.astype(str), or an array of numbers": 1})
example("npy-preview", {"x_train.npy": npy(grey), "y_train.npy": npy(y), "preview.png": pngs[0]}, {"all": (one(grey), y)}, digits, {"files ending in .png": 1})
text = ("label," + ",".join(f"pixel{i + 1}" for i in range(64)) + "\n" + "".join(f"{k}," + ",".join(map(str, a.reshape(-1))) + "\n" for k, a in zip(y, square))).encode()
example("sign-mnist", {"sign_mnist_train.csv": text, "sign_mnist_train/sign_mnist_train.csv": text, "american_sign_language.PNG": pngs[0], "amer_sign2.png": pngs[1]}, {"all": (one(square), y)}, digits, {"files that are there twice": 1, "files ending in .png": 2})
big = rng.integers(0, 256, (6, 12, 11, 3), np.uint8)
example("npy-a-file", {f"{named[v]}/{i}.npy": npy(big[i]) for i, v in enumerate(y)}, {"all": (planar(big[ordered]), y[ordered])}, named, note="every array is read as one image, whose class is its folder")
example("csv-measures", {"a.csv": text.replace(b"\n2,", b"\n0.25,")}, {"all": (one(square), None)}, left_out={"a column of labels that gives no classes: 0.25 is a measure": 1}, open="a.csv")
example("webdataset-captions", {"a.tar": tar({k: v for i in range(6) for k, v in ((f"{i}.png", pngs[i]), (f"{i}.json", b'{"caption": "x"}'))})}, {"all": (one(grey), None)}, left_out={"labels that name no class": 6}, open="a.tar")
example("webdataset-more-in-val", {"train/0.tar": tar({"0.png": pngs[0], "0.cls": b"ox"}), "val/0.tar": tar({"1.png": pngs[1], "1.cls": b"ant"})}, {"train": (one(grey[:1]), [0]), "val": (one(grey[1:2]), [1])}, ["ox", "ant"])
example("csv-colour", {"hmnist_8_8_RGB.csv": rgb}, refused="its rows are no images", open="hmnist_8_8_RGB.csv")
example("fashion-kaggle", mnist | {"fashion-mnist_train.csv": b"label,pixel1\n", "fashion-mnist_test.csv": b"label,pixel1\n"}, halves, digits, {"files ending in .csv": 2})
for ending, data, what in (("h5", b"\x89HDF\r\n\x1a\n", "HDF5"), ("pkl", b"\x80\x04.", "a Python pickle"), ("pt", b"PK", "a file of PyTorch"), ("tfrecord-00000-of-00001", bytes(16), "TFRecord"), ("mdb", bytes(16), "LMDB"),
                           ("dcm", bytes(132), "DICOM"), ("nii.gz", b"\x1f\x8b", "a medical volume"), ("rar", b"Rar!", "an archive of another kind"), ("avif", bytes(16), "an AVIF image"), ("csv.gz", b"\x1f\x8b", "a file packed by gzip")):
    example(f"unread-{ending.split('-')[0]}", {f"data.{ending}": data, "info.json": b"{}"}, refused=f"is {what}, which isn't read; ")

# What stands in a file's place after a download or a checkout that wasn't finished.
pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
web = b"\n<!doctype HTML>\n<html><head><title>Virus scan warning</title></head></html>\n"
for ending in ("zip", "tar", "tar.gz", "npz", "npy", "parquet", "arrow", "mat", "csv", "gz", "jpg"):
    name = f"data.{ending}" if ending != "gz" else "train-images-idx3-ubyte.gz"
    example(f"lfs-{ending}", {name: pointer} | ({"more.jpg": pointer} if ending == "jpg" else {}), refused="a pointer of Git LFS")
    example(f"web-page-{ending}", {name: web} | ({"more.jpg": web} if ending == "jpg" else {}), refused="a web page", open=name if ending != "jpg" else "")
example("lfs-beside-data", {"train.parquet": parquet(table[:4]), "test.parquet": pointer}, refused="test.parquet is a pointer of Git LFS")
for ending, data, what in (("zip", b"Rar!\x1a\x07\x01\x00", "a RAR archive"), ("tar.gz", b"PK\x03\x04", "a zip; give it an ending that says so: .zip"), ("npy", b"\x80\x04\x95", "a Python pickle"), ("npz", npy(grey), "a NumPy array; give it"),
                           ("parquet", b"\x89HDF\r\n\x1a\n", "HDF5"), ("csv", "label,pixel0".encode("utf-16"), "text in UTF-16; save it as UTF-8")):
    example(f"other-{ending}", {f"data.{ending}": data + bytes(64)}, refused=f"is {what}", open=f"data.{ending}")


def zipped(files):
    def write(b):
        with zipfile.ZipFile(b, "w") as z:
            for n, d in files.items():
                z.writestr(zipfile.ZipInfo(n, (2020, 1, 1, 0, 0, 0)), d)
    return saved(write)


example("zip-in-zip", {"outer.zip": zipped({"data/inner.zip": zipped({"a/0.png": pngs[0]}), "README": b""})}, refused="holds the archive data/inner.zip, and archives within archives aren't read; unpack outer.zip", open="outer.zip")
example("npz-in-zip", {"outer.zip": zipped({"set/a.npz": saved(lambda b: np.savez(b, x=grey))})}, refused="holds the archive set/a.npz", open="outer.zip")

# Nothing, or no labels.
example("parquet-lz4", {"a.parquet": saved(lambda b: pq.write_table(table, b, compression="lz4"))}, refused="it is compressed by LZ4_RAW, which isn't read; write it with zstd or snappy", open="a.parquet")
example("parquet-no-rows", {"a.parquet": parquet(table[:0])}, refused="a.parquet: holds no images", open="a.parquet")
example("parquet-no-test", {"train.parquet": parquet(table), "test.parquet": parquet(table[:0])}, {"all": (one(grey), y)}, named, {columns: 1}, note="the split test is there, and holds no images")
example("npy-no-rows", {"x.npy": npy(grey[:0])}, refused="holds nothing: its shape is (0, ", open="x.npy")
example("csv-no-rows", {"a.csv": text.split(b"\n")[0] + b"\n"}, refused="has a header, and no rows", open="a.csv")
example("csv-short-row", {"a.csv": text[:-5] + b"\n"}, refused="line 7 has 6", open="a.csv")
minus = np.where(np.arange(6) % 2, 1, -1)
example("npz-minus", {"a.npz": saved(lambda b: np.savez(b, x=grey, y=minus))}, {"all": (one(grey), minus)}, list("01"), note="3 of the 6 images of all have no label (null or −1)", open="a.npz")
example("npz-gaps", {"a.npz": saved(lambda b: np.savez(b, x=grey, y=y + 1))}, {"all": (one(grey), y + 1)}, list("0123"), note="1 of the 4 classes have no images to train on: 0", open="a.npz")

# Pixels: what Pillow reads of the file, as grey if it is stored so.
def pixels(name, files, within=0, left_out=None, to=None, **more):
    arrays = []
    for data in files.values():
        with Image.open(io.BytesIO(data)) as m:
            m = m.convert(to) if to else m
            a = np.asarray(m)
        arrays.append(a[None] if a.ndim == 2 else a.transpose(2, 0, 1))
    example(name, files, {"all": (np.stack(arrays), None)}, left_out=left_out, within=within, **more)


smooth = np.add.outer(np.arange(16) * 8, np.arange(24) * 5).astype(np.uint8)
photo = np.stack([smooth, smooth[::-1], 255 - smooth], -1)
two = lambda a, kind, ending, **how: {"0." + ending: image(a, kind, **how), "1." + ending: image(a[:, ::-1] if isinstance(a, np.ndarray) else a, kind, **how)}
pixels("png-grey", two(smooth, "png", "png"))
pixels("png-colour", two(photo, "png", "png"))
pixels("png-palette", two(Image.fromarray(photo).quantize(9), "png", "png"), to="RGB")
pixels("png-1-bit", two(Image.fromarray(smooth > 99), "png", "png"), to="L")
deep = smooth.astype(np.uint16) * 257
example("png-16-bits", {f"{i}.png": image(deep) for i in range(2)}, {"all": (np.stack([smooth[None]] * 2), None)})
example("png-12-in-16", {f"{i}.png": image(smooth.astype(np.uint16) * 16) for i in range(2)}, {"all": (np.stack([smooth[None]] * 2), None)}, options={"range": [0, 4080]})
example("png-12-in-16-bare", {f"{i}.png": image(smooth.astype(np.uint16) * 16) for i in range(2)}, {"all": (np.stack([(smooth.astype(np.float64) * 16 / 257).round().astype(np.uint8)[None]] * 2), None)}, within=1, note="--range 0,4095 would stretch it")
clear = np.dstack([photo, np.where(smooth > 99, 255, 0).astype(np.uint8)])
on = lambda grey: np.where(clear[..., 3:] > 0, photo, np.uint8(grey)).transpose(2, 0, 1)
example("png-transparent", {f"{i}.png": image(clear) for i in range(2)}, {"all": (np.stack([on(255)] * 2), None)}, note="drawn on white (--background)")
example("png-transparent-black", {f"{i}.png": image(clear) for i in range(2)}, {"all": (np.stack([on(0)] * 2), None)}, options={"background": 0})
pixels("jpeg-grey", two(smooth, "jpeg", "jpg"), within=2)
pixels("jpeg-colour", two(photo, "jpeg", "jpeg", quality=90), within=3)
pixels("jpeg-progressive", two(photo, "jpeg", "JPG", progressive=True), within=3)
pixels("jpeg-cmyk", two(Image.fromarray(photo).convert("CMYK"), "jpeg", "jpg", quality=95), within=4, to="RGB")
turned = Image.Exif()
turned[0x0112] = 6
upright = lambda b: np.asarray(Image.open(io.BytesIO(b)).rotate(-90, expand=True)).transpose(2, 0, 1)
files = {f"{i}.png": image(photo, exif=turned) for i in range(2)}
example("exif", files, {"all": (np.stack([upright(b) for b in files.values()]), None)})
pixels("webp", two(photo, "webp", "webp", lossless=True))
pixels("webp-lossy", two(photo, "webp", "webp", quality=90), within=8)
pixels("gif", two(smooth, "gif", "gif"), to="L")
frames = [Image.fromarray(smooth), Image.fromarray(255 - smooth)]
pixels("gif-animated", {f"{i}.gif": image(frames[0], "gif", save_all=True, append_images=frames[1:]) for i in range(2)}, left_out={"further pages of TIFF files, pictures of MPO files, and frames of animations": 2}, to="L")
pixels("bmp", two(photo, "bmp", "bmp"))
pixels("bmp-grey", two(smooth, "bmp", "bmp"))
pixels("tiff", two(photo, "tiff", "tif", compression="tiff_lzw"))
pixels("tiff-deflate", two(smooth, "tiff", "tiff", compression="tiff_adobe_deflate"))
pixels("tiff-fax", two(Image.fromarray(smooth > 99), "tiff", "tif", compression="group4"), to="L")
example("tiff-16-bits", {f"{i}.tif": image(deep, "tiff") for i in range(2)}, {"all": (np.stack([smooth[None]] * 2), None)})
pixels("tiff-pages", {f"{i}.tif": image(frames[0], "tiff", save_all=True, append_images=frames[1:] * 2) for i in range(2)}, left_out={"further pages of TIFF files, pictures of MPO files, and frames of animations": 4})
pixels("pnm", {"0.ppm": image(photo, "ppm"), "1.ppm": image(photo[::-1], "ppm")})
pixels("pgm", {"0.pgm": image(smooth, "ppm"), "1.pgm": image(smooth[::-1], "ppm")})
for name, data, what in (("tiff-floats", image(smooth.astype(np.float32), "tiff"), "floating-point numbers"), ("tiff-cmyk", image(Image.fromarray(photo).convert("CMYK"), "tiff"), "CMYK"),
                         ("tiff-jpeg", image(photo, "tiff", compression="jpeg"), "JPEG inside"), ("tiff-32-bits", image(smooth.astype(np.int32), "tiff"), "signed integers")):
    example(name, {"0.tif": data, "1.tif": data}, refused=what)
example("sizes-differ", {f"{i}.png": image(smooth[i:]) for i in range(4)}, refused="bring them to one with --image-size")

archive.close()
(OUT / "formats.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in expected.items()) + "\n}\n")
