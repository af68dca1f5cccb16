#!/usr/bin/env python3
"""Make layouts.zip: data sets laid out as people find them, and layouts.json: what they are.

    python layouts.py     # Pillow 13, numpy 2.4, pandas 3.1

Every image is a grey PNG of 2×2 pixels of one value. layouts.json says for each layout and split
the values in order, each with its class's number (as torchvision's ImageFolder numbers the folders
below train: sorted, or as pandas reads the table), and the number of files left out.
"""
import io
import json
import pathlib
import zipfile

import numpy as np
import pandas as pd
from PIL import Image

OUT = pathlib.Path(__file__).parent
archive = zipfile.ZipFile(OUT / "layouts.zip", "w", zipfile.ZIP_DEFLATED)
expected = {}


def put(path, data):
    info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def layout(name, files, splits, classes, left_out=0, note=""):
    """files: path → text, None for an image, or a path for the same image; splits: split → {path: class}; classes: in order."""
    values = {}
    for path, text in files.items():
        if text is None or text in values:
            values[path] = values.get(text, 10 + len(values))
            b = io.BytesIO()
            Image.new("L", (2, 2), values[path]).save(b, "png")
            text = b.getvalue()
        put(f"{name}/{path}", text)
    number = {c: i for i, c in enumerate(classes)} | {None: -1}
    expected[name] = {
        "classes": classes, "left_out": left_out, "note": note,
        "splits": {s: [[values[p], number[c]] for p, c in sorted(of.items(), key=lambda pc: pc[0].encode())] for s, of in splits.items()},
    }


def folder(paths, at=0):
    """path → the folder at a depth, as ImageFolder has it."""
    return {p: p.split("/")[at] for p in paths}


def images(pattern, n, first=0):
    return {pattern.format(i): None for i in range(first, first + n)}


def by_table(paths, text, name, label, key=lambda p: pathlib.PurePosixPath(p).stem, **how):
    """path → its label in a CSV, as pandas reads it, all as text."""
    frame = pd.read_csv(io.StringIO(text), dtype=str, **how)
    of = dict(zip(frame[name], frame[label]))
    return {p: of.get(key(p)) for p in paths}


base = lambda p: pathlib.PurePosixPath(p).name
none = lambda paths: dict.fromkeys(paths)

# Folders.
train = images("train/cat.{}.png", 2) | images("train/dog.{}.png", 2)
test = images("test1/{}.png", 2)
layout("kaggle-cats", train | test, {"train": none(train), "test": none(test)}, [])

train = images("seg_train/seg_train/sea/{}.png", 2) | images("seg_train/seg_train/forest/{}.png", 1)
test = images("seg_test/seg_test/forest/{}.png", 1) | images("seg_test/seg_test/sea/{}.png", 1)
pred = images("seg_pred/seg_pred/{}.png", 2)
layout("intel", train | test | pred, {"train": folder(train, 2), "test": folder(test, 2)}, ["forest", "sea"], 2)

train, test = images("dataset/training_set/cats/{}.png", 2) | images("dataset/training_set/dogs/{}.png", 2), images("dataset/test_set/dogs/{}.png", 1)
layout("course", train | test, {"train": folder(train, 2), "test": folder(test, 2)}, ["cats", "dogs"])

train, val, test = images("chest/train/NORMAL/{}.png", 1) | images("chest/train/PNEUMONIA/{}.png", 2), images("chest/val/NORMAL/{}.png", 1), images("chest/test/PNEUMONIA/{}.png", 1)
junk = images("__MACOSX/chest/train/NORMAL/._{}.png", 1) | {"chest/.DS_Store": "x", "chest/train/.DS_Store": "x"}
layout("chest", train | val | test | junk, {"train": folder(train, 2), "val": folder(val, 2), "test": folder(test, 2)}, ["NORMAL", "PNEUMONIA"], 3)

train, test = images("imagenette/train/n01/{}.png", 2) | images("imagenette/train/n02/{}.png", 1), images("imagenette/val/n02/{}.png", 1)
layout("imagenette", train | test | {"imagenette/noisy.csv": "path,l\na,b\n"}, {"train": folder(train, 2), "val": folder(test, 2), "test": folder(test, 2)}, ["n01", "n02"], 1)

train = images("hymenoptera/train/ants/{}.png", 1) | images("hymenoptera/train/bees/{}.png", 1)
extra = images("hymenoptera/val/wasps/{}.png", 1) | images("hymenoptera/val/bees/{}.png", 1)
layout("more-in-val", train | extra, {"train": folder(train, 2), "val": folder(extra, 2)}, ["ants", "bees", "wasps"])

train, test = images("data/train/images/{}.png", 2), images("data/test/images/{}.png", 1)
layout("yolo", train | test | {"data/train/labels/0.txt": "0 1 1 1 1", "data/data.yaml": "nc: 1"}, {"train": none(train), "test": none(test)}, [], 2)

train, test = images("images/train/{}.png", 2), images("images/val/{}.png", 1)
layout("yolo-inside", train | test | {"labels/train/0.txt": "0", "labels/val/0.txt": "0"}, {"train": none(train), "val": none(test)}, [], 2)

train, test = images("screw/train/good/{}.png", 2), images("screw/test/good/{}.png", 1) | images("screw/test/bent/{}.png", 1)
masks = images("screw/ground_truth/bent/{}_mask.png", 1)
layout("mvtec", train | test | masks, {"train": folder(train, 2), "test": folder(test, 2)}, ["good", "bent"], 1)

pictures, masks = images("train/{}.png", 2), images("train_masks/{}_mask.png", 2)
test = images("test/{}.png", 1)
layout("carvana", pictures | masks | test, {"train": none(pictures), "test": none(test)}, [], 2)

pictures = images("Dataset_BUSI/benign/benign ({}).png", 2, 1) | images("Dataset_BUSI/normal/normal ({}).png", 1, 1)
masks = images("Dataset_BUSI/benign/benign ({})_mask.png", 2, 1) | images("Dataset_BUSI/benign/benign (1)_mask_{}.png", 1, 1)
layout("busi", pictures | masks, {"all": folder(pictures, 1)}, ["benign", "normal"], 3)

pictures, masks = images("VOC2012/JPEGImages/{}.png", 2), images("VOC2012/SegmentationClass/{}.png", 2) | images("VOC2012/SegmentationObject/{}.png", 2)
layout("voc", pictures | masks | {"VOC2012/ImageSets/Main/train.txt": "0"}, {"all": none(pictures)}, [], 5)

pictures = images("with_mask/{}.png", 1) | images("without_mask/{}.png", 1)
layout("face-masks", pictures, {"all": folder(pictures)}, ["with_mask", "without_mask"])

pictures = images("vehicles/steam_train/{}.png", 1) | images("vehicles/test_car/{}.png", 1)
layout("vehicles", pictures, {"all": folder(pictures, 1)}, ["steam_train", "test_car"])

pictures = images("101_ObjectCategories/{}/1.png", 1, 10) | images("101_ObjectCategories/{}/1.png", 1, 9)
layout("numbered", pictures, {"all": folder(pictures, 1)}, ["10", "9"])

pictures = images("a/{}.png", 1) | images("c/{}.png", 1)
layout("unread-class", pictures | {"b/0.heic": "x", "b/1.heic": "x"}, {"all": folder(pictures)}, ["a", "b", "c"], 2)

pictures = images("cat/{}.png", 1) | images("dog/{}.png", 1)
junk = images("cat/@eaDir/{}.png/SYNOPHOTO_THUMB_M.jpg", 1) | images("$RECYCLE.BIN/S-1/{}.png", 1) | images("System Volume Information/{}.png", 1) | {"Thumbs.db": "x"}
layout("nas", pictures | junk, {"all": folder(pictures)}, ["cat", "dog"], 4)

pictures = images("photo{}", 3)
layout("no-endings", pictures | {"LICENSE": "text"}, {"all": none(pictures)}, [], 1)

train, test = images("train/a/{}.png", 1) | images("train/b/{}.png", 1), images("test/test_images/{}.png", 2)
layout("one-test-folder", train | test, {"train": folder(train, 1), "test": none(test)}, ["a", "b"])

a, b = images("cat/train/{}.png", 1) | images("dog/train/{}.png", 1), images("cat/test/{}.png", 1) | images("dog/test/{}.png", 1)
layout("splits-inside", a | b, {"train": folder(a), "test": folder(b)}, ["cat", "dog"])

train = images("Training/Apple Red 1/{}.png", 1) | images("Training/Kiwi/{}.png", 1)
test = images("Test/Kiwi/{}.png", 1)
multi = images("test-multiple_fruits/{}.png", 1)
layout("fruits", train | test | multi | {"LICENSE": "MIT", "readme.md": "x"}, {"train": folder(train, 1), "test": folder(test, 1)}, ["Apple Red 1", "Kiwi"], 3)

# Tables of labels beside images.
pictures, test = images("train_images/{:04}.png", 4), images("test_images/{:04}f.png", 2)
table = "id_code,diagnosis\n0000,2\n0001,0\n0002,4\n0003,0\n"
layout("aptos", pictures | test | {"train.csv": table, "test.csv": "id_code\n0000f\n", "sample_submission.csv": "id_code,diagnosis\n0000f,0\n0001f,0\n"},
       {"train": by_table(pictures, table, "id_code", "diagnosis"), "test": none(test)}, list("01234"), 2)

pictures, test = images("train/{}.png", 4, 1), images("test/{}.png", 2, 1)
table = "id,label\n1,frog\n2,truck\n3,cat\n4,frog\n"
layout("cifar-kaggle", pictures | test | {"trainLabels.csv": table}, {"train": by_table(pictures, table, "id", "label"), "test": none(test)}, ["cat", "frog", "truck"])

pictures, test = images("train/a{}.png", 4), images("test/b{}.png", 2)
table = "id,breed\na0,pug\na1,boxer\na2,pug\na3,boxer\n"
layout("dog-breeds", pictures | test | {"labels.csv": table, "sample_submission.csv": "id,boxer,pug\nb0,0.5,0.5\n"}, {"train": by_table(pictures, table, "id", "breed"), "test": none(test)}, ["boxer", "pug"], 1)

train, test = images("Train/0/{}.png", 1) | images("Train/1/{}.png", 1) | images("Train/10/{}.png", 1) | images("Train/2/{}.png", 1), images("Test/{:05}.png", 3)
table = "Width,Height,ClassId,Path\n9,9,10,Test/00000.png\n9,9,2,Test/00001.png\n9,9,0,Test/00002.png\n"
layout("gtsrb", train | test | {"Test.csv": table, "Train.csv": "Width,Height,ClassId,Path\n9,9,0,Train/0/0.png\n"},
       {"train": folder(train, 1), "test": by_table(test, table, "Path", "ClassId", key=str)}, ["0", "1", "10", "2"], 1)

train, test = images("train/{}.png", 3), images("test/{}.png", 2)
a, b = "file_name,label\n0.png,x\n1.png,y\n2.png,x\n", "file_name,label\n0.png,y\n1.png,y\n"
layout("hf-metadata", train | test | {"train/metadata.csv": a, "test/metadata.csv": b},
       {"train": by_table(train, a, "file_name", "label", key=base), "test": by_table(test, b, "file_name", "label", key=base)}, ["x", "y"])

pictures = images("images/{}.png", 3)
lines = "".join(json.dumps({"file_name": p, "label": i % 2, "text": f"caption {i}"}) + "\n" for i, p in enumerate(pictures))
layout("hf-jsonl", pictures | {"metadata.jsonl": lines}, {"all": {p: "01"[i % 2] for i, p in enumerate(pictures)}}, ["0", "1"])

pictures = images("images/{}.png", 4)
table = "image,MEL,NV,BCC\n0,1.0,0.0,0.0\n1,0.0,1.0,0.0\n2,0.0,1.0,0.0\n3,0.0,0.0,1.0\n"
layout("isic", pictures | {"ISIC2018_Training_GroundTruth.csv": table}, {"all": dict(zip(pictures, ["MEL", "NV", "NV", "BCC"]))}, ["BCC", "MEL", "NV"])

train, test = images("images/Train_{}.png", 3), images("images/Test_{}.png", 2)
table = "image_id,healthy,rust\nTrain_0,1,0\nTrain_1,0,1\nTrain_2,0,1\n"
layout("plants", train | test | {"train.csv": table, "test.csv": "image_id\nTest_0\nTest_1\n", "sample_submission.csv": "image_id,healthy,rust\nTest_0,0.5,0.5\n"},
       {"train": dict(zip(train, ["healthy", "rust", "rust"])), "test": none(test)}, ["healthy", "rust"], 1)

pictures = images("{}.png", 3)
table = "name;species\n0.png;oak\n1.png;elm\n2.png;oak\n"
layout("semicolons", pictures | {"labels.csv": "\ufeff" + table}, {"all": by_table(pictures, table, "name", "species", key=base, sep=";")}, ["elm", "oak"])

table = "0.png\t1\n1.png\t0\n2.png\t1\n"
layout("no-header", pictures | {"labels.tsv": table}, {"all": {"0.png": "1", "1.png": "0", "2.png": "1"}}, ["0", "1"])

table = "path,label\n/kaggle/input/x/images/0.png,b\n/kaggle/input/x/images/1.png,a\n"
layout("foreign-paths", pictures | {"labels.csv": table}, {"all": by_table(pictures, table, "path", "label", key=lambda p: "/kaggle/input/x/images/" + p)}, ["a", "b"])

table = "file,caption\n0.png,a red oak\n1.png,an elm\n2.png,a tree\n"
layout("captions", pictures | {"captions.csv": table}, {"all": none(pictures)}, [], 1)

table = "file,age\n0.png,1.5\n1.png,2.25\n2.png,2.25\n"
layout("measures", pictures | {"ages.csv": table}, {"all": none(pictures)}, [], 1)

table = "file,class\n0.png,cat\n0.png,dog\n1.png,cat\n2.png,dog\n"
layout("boxes", pictures | {"boxes.csv": table}, {"all": none(pictures)}, [], 1)

table = "image_id,partition\n0.png,0\n1.png,0\n2.png,1\n"
layout("partitions", pictures | {"list_eval_partition.csv": table}, {"train": none(["0.png", "1.png"]), "val": none(["2.png"])}, [], note="list_eval_partition.csv, by its column partition")

table = "file,label\n0.png,True\n1.png,False\n2.png,True\n"
layout("bools", pictures | {"labels.csv": table}, {"all": by_table(pictures, table, "file", "label", key=base)}, ["False", "True"])

table = "file,label\n0.png,2.0\n1.png,0.0\n2.png,2.0\n"
layout("float-labels", pictures | {"labels.csv": table}, {"all": {"0.png": "2", "1.png": "0", "2.png": "2"}}, ["0", "1", "2"])

table = "file,label\n0.png,1.0\n1.png,\n2.png,nan\n"
layout("no-label", pictures | {"labels.csv": table}, {"all": {"0.png": "1", "1.png": None, "2.png": None}}, ["0", "1"], note="2 images have none")

table, other = "file,label\n0.png,x\n1.png,y\n2.png,x\n", "id,class\n0,x\n1,y\n2,y\n"
layout("two-tables", pictures | {"labels.csv": table, "train.csv": other}, {"all": none(pictures)}, [], 2, note="labels.csv (column label) and train.csv (column class) contradict each other for 1 of 3 images; --label-file chooses one")
layout("two-tables-alike", pictures | {"labels.csv": table, "numbers.csv": "file,class\n0.png,0\n1.png,1\n2.png,0\n"}, {"all": by_table(pictures, table, "file", "label", key=base)}, ["x", "y"], 1)

layout("table-not-fetched", pictures | {"labels.csv": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"}, {"all": none(pictures)}, [], 1, note="labels.csv: is a pointer of Git LFS; fetch the file itself by `git lfs pull`")
layout("table-utf-16", pictures | {"labels.csv": table.encode("utf-16")}, {"all": none(pictures)}, [], 1, note="labels.csv: is text in UTF-16; save it as UTF-8")

train, others = images("train/a/{}.png", 2) | images("train/b/{}.png", 1), images("query/a/{}.png", 1) | images("query/b/{}.png", 1) | images("gallery/a/{}.png", 1) | images("gallery/b/{}.png", 1)
layout("query-gallery", train | others, {"all": folder(train, 1)}, ["a", "b"], 4)

pictures = images("te/a/{}.png", 1) | images("te/b/{}.png", 1) | images("tr/a/{}.png", 1) | images("tr/b/{}.png", 1)
layout("same-folders", pictures, {"all": folder(pictures)}, ["te", "tr"], note="the folders te, tr are read as classes, though all hold folders of the same names")

pictures, masks = images("{}_img.png", 2), images("{}_seg.png", 2)
layout("masks-beside", pictures | masks, {"all": none(pictures)}, [], 2)

pictures = images("cat/{}.png", 1) | images("dog/{}.png", 1)
layout("folders-win", pictures | {"labels.csv": "file,label\ncat/0.png,x\ndog/0.png,y\n"}, {"all": folder(pictures)}, ["cat", "dog"], 1)


# Public sets, as they lie on people's disks.
train, val, test = images("tiny-imagenet-200/train/n01/images/n01_{}.JPEG", 2) | images("tiny-imagenet-200/train/n02/images/n02_{}.JPEG", 1), images("tiny-imagenet-200/val/images/val_{}.JPEG", 3), images("tiny-imagenet-200/test/images/test_{}.JPEG", 2)
table = "val_0.JPEG\tn02\t0\t0\t62\t57\nval_1.JPEG\tn01\t52\t55\t57\t59\nval_2.JPEG\tn02\t4\t0\t60\t55\n"
boxes = {"tiny-imagenet-200/train/n01/n01_boxes.txt": "n01_0.JPEG\t0\t0\t9\t9\n", "tiny-imagenet-200/wnids.txt": "n02\nn01\n", "tiny-imagenet-200/words.txt": "n01\tfish, of sorts\n"}
layout("tiny-imagenet", train | val | test | boxes | {"tiny-imagenet-200/val/val_annotations.txt": table},
       {"train": folder(train, 2), "val": dict(zip(val, ["n02", "n01", "n02"])), "test": none(test)}, ["n01", "n02"], 3)

pictures = images("images/Abyssinian_{}.jpg", 2, 1) | images("images/beagle_{}.jpg", 2, 1)
maps = images("annotations/trimaps/Abyssinian_{}.png", 2, 1) | images("annotations/trimaps/._beagle_{}.png", 1)
text = {"annotations/trainval.txt": "Abyssinian_1 1 1 1\nbeagle_1 5 2 3\n", "annotations/test.txt": "Abyssinian_2 1 1 1\nbeagle_2 5 2 3\n", "annotations/list.txt": "#Image CLASS-ID SPECIES BREED ID\nAbyssinian_1 1 1 1\nAbyssinian_2 1 1 1\nbeagle_1 5 2 3\nbeagle_2 5 2 3\n", "annotations/README": "x"}
train, test = ({p: None for p in pictures if p.endswith(f"_{i}.jpg")} for i in (1, 2))
layout("pets", pictures | maps | text, {"train": none(train), "test": none(test)}, [], 5, note="which of its columns is the label?")

train, test = images("train/rock-{}.jpg", 2) | images("train/paper-{}.jpg", 1), images("test/rock-{}.jpg", 1)
layout("roboflow-classes", train | test | {"train/_classes.csv": "filename, paper, rock\nrock-0.jpg, 0, 1\nrock-1.jpg, 0, 1\npaper-0.jpg, 1, 0\n", "test/_classes.csv": "filename, paper, rock\nrock-0.jpg, 0, 1\n", "README.roboflow.txt": "x"},
       {"train": dict(zip(train, ["rock", "rock", "paper"])), "test": {"test/rock-0.jpg": "rock"}}, ["paper", "rock"], 1)

train, val = images("train/{}.jpg", 2), images("valid/{}.jpg", 1)
layout("roboflow-coco", train | val | {"train/_annotations.coco.json": "{}", "valid/_annotations.coco.json": "{}", "README.dataset.txt": "x"}, {"train": none(train), "val": none(val)}, [], 3)

pictures = images("img_align_celeba/img_align_celeba/{:06}.jpg", 3, 1)
rows = "".join(f"{i:06}.jpg,{a},{b}\n" for i, a, b in ((1, 1, -1), (2, -1, -1), (3, 1, 1)))
layout("celeba", pictures | {"list_attr_celeba.csv": "image_id,Bald,Male\n" + rows, "list_eval_partition.csv": "image_id,partition\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n", "list_bbox_celeba.csv": "image_id,x_1,y_1\n000001.jpg,1,2\n000002.jpg,1,2\n000003.jpg,1,2\n"},
       {"train": {"img_align_celeba/img_align_celeba/000001.jpg": None}, "val": {"img_align_celeba/img_align_celeba/000002.jpg": None}, "test": {"img_align_celeba/img_align_celeba/000003.jpg": None}}, [], 2, note="list_attr_celeba.csv gives no labels: which of its columns is the label?")

train, test = images("stanford/cars_train/cars_train/{:05}.jpg", 2, 1), images("stanford/cars_test/cars_test/{:05}.jpg", 1, 1)
layout("stanford-cars", train | test | {"stanford/cars_annos.mat": "MATLAB", "stanford/names.csv": "AM General Hummer SUV 2000\nAcura RL Sedan 2012\n"}, {"train": none(train), "test": none(test)}, [], 2)

pictures = images("CUB_200_2011/images/001.Albatross/A_{}.jpg", 2) | images("CUB_200_2011/images/002.Tern/T_{}.jpg", 1)
layout("cub-200", pictures | {"CUB_200_2011/images.txt": "1 001.Albatross/A_0.jpg\n", "CUB_200_2011/image_class_labels.txt": "1 1\n", "CUB_200_2011/train_test_split.txt": "1 1\n", "CUB_200_2011/classes.txt": "1 001.Albatross\n"}, {"all": folder(pictures, 2)}, ["001.Albatross", "002.Tern"], 4)

pictures = images("lfw-deepfunneled/lfw-deepfunneled/Ann_B/Ann_B_{:04}.jpg", 2, 1) | images("lfw-deepfunneled/lfw-deepfunneled/Al_G/Al_G_{:04}.jpg", 1, 1)
layout("lfw", pictures | {"people.csv": "name,images\nAnn_B,2\nAl_G,1\n", "pairs.csv": "name,imagenum1,imagenum2\nAnn_B,1,2\n"}, {"all": folder(pictures, 2)}, ["Al_G", "Ann_B"], 2)

pictures = images("notMNIST_small/A/{}.png", 2) | images("notMNIST_small/B/{}.png", 1)
layout("notmnist", pictures, {"all": folder(pictures, 1)}, ["A", "B"])

pictures = images("Dataset/no/N{}.jpg", 2) | images("Dataset/yes/Y{}.jpg", 2)
layout("brain-twice", pictures | {"Dataset/brain/no/N0.jpg": "Dataset/no/N0.jpg", "Dataset/brain/no/N1.jpg": "Dataset/no/N1.jpg", "Dataset/brain/yes/Y0.jpg": "Dataset/yes/Y0.jpg", "Dataset/brain/yes/Y1.jpg": "Dataset/yes/Y1.jpg"}, {"all": folder(pictures, 1)}, ["no", "yes"], 4)

train, test = images("Train/a/{}.png", 2) | images("Train/b/{}.png", 1), images("Test/a/{}.png", 1)
layout("train-twice", train | test | {p.lower(): p for p in train} | {p.lower(): p for p in test}, {"train": folder(train, 1), "test": folder(test, 1)}, ["a", "b"], 4)

train, val = images("val_256_flat/train/{}.png", 2), images("val_256_flat/test/{}.png", 1)
layout("named-val", train | val, {"train": none(train), "test": none(val)}, [])

train, test = images("train/a/{}.png", 3), images("test/a/{}.png", 1, 9)
layout("leak", train | test | {"test/a/1.png": "train/a/1.png", "test/a/8.png": "train/a/2.png"}, {"train": folder(train, 1), "test": folder(test | {"test/a/1.png": 0, "test/a/8.png": 0}, 1)}, ["a"], note="2 of 3 images of test are also in other splits (test/a/1.png is train/a/1.png)")


pictures = images("HAM10000_images_part_1/ISIC_{}.jpg", 2) | images("HAM10000_images_part_2/ISIC_{}.jpg", 2, 2)
table = "lesion_id,image_id,dx,age,sex\nL0,ISIC_0,nv,80,male\nL1,ISIC_1,mel,75,female\nL1,ISIC_2,mel,75,female\nL2,ISIC_3,nv,60,male\n"
layout("ham10000", pictures | {"HAM10000_metadata.csv": table, "hmnist_28_28_L.csv": "pixel0000,label\n1,2\n"}, {"all": by_table(pictures, table, "image_id", "dx")}, ["mel", "nv"], 1, note="parts of one set")

pictures = images("images_001/images/0000{}.png", 2) | images("images_002/images/0000{}.png", 2, 2)
table = "Image Index,Finding Labels,Patient Age\n" + "".join(f"0000{i}.png,{l},50\n" for i, l in enumerate(["No Finding", "Mass", "Mass|Nodule", "Mass"]))
train, test = (dict.fromkeys(list(pictures)[i:j]) for i, j in ((0, 3), (3, 4)))
layout("nih-chest", pictures | {"Data_Entry_2017.csv": table, "train_val_list.txt": "00000.png\n00001.png\n00002.png\n", "test_list.txt": "00003.png\n"}, {"train": none(train), "test": none(test)}, [], 1, note="which of its columns is the label?")

pictures = images("food-101/images/apple_pie/{}.jpg", 3) | images("food-101/images/waffles/{}.jpg", 2)
train = {p: None for p in pictures if not p.endswith("/1.jpg")}
test = {p: None for p in pictures if p.endswith("/1.jpg")}
listed = lambda paths: "".join("/".join(p.split("/")[2:]).removesuffix(".jpg") + "\n" for p in paths)
layout("food-101", pictures | {"food-101/meta/train.txt": listed(train), "food-101/meta/test.txt": listed(test), "food-101/meta/classes.txt": "apple_pie\nwaffles\n", "food-101/meta/train.json": "{}"},
       {"train": folder(train, 2), "test": folder(test, 2)}, ["apple_pie", "waffles"], 2, note="the splits are those of the tables that name the images")

train, test = images("omniglot/images_background/Greek/character01/{}.png", 2) | images("omniglot/images_background/Latin/character01/{}.png", 1), images("omniglot/images_evaluation/Oriya/character01/{}.png", 1)
layout("omniglot", train | test, {"train": folder(train, 2), "test": none(test)}, ["Greek", "Latin"], note="test is read without labels")

train, val = images("leftImg8bit/train/aachen/{}_leftImg8bit.png", 2) | images("leftImg8bit/train/bochum/{}_leftImg8bit.png", 1), images("leftImg8bit/val/aachen/{}_leftImg8bit.png", 1)
masks = images("gtFine/train/aachen/{}_gtFine_color.png", 2) | images("gtFine/train/bochum/{}_gtFine_color.png", 1) | images("gtFine/val/aachen/{}_gtFine_color.png", 1)
layout("cityscapes", train | val | masks, {"train": folder(train, 2), "val": folder(val, 2)}, ["aachen", "bochum"], 4)

pictures = images("GoodImg/Bmp/Sample001/img001-{}.png", 2) | images("GoodImg/Bmp/Sample002/img002-{}.png", 1)
masks = images("GoodImg/Msk/Sample001/img001-{}.png", 2) | images("GoodImg/Msk/Sample002/img002-{}.png", 1)
layout("chars74k", pictures | masks, {"all": folder(pictures, 2)}, ["Sample001", "Sample002"], 3)

train, test = images("asl_alphabet_train/asl_alphabet_train/A/A{}.jpg", 2) | images("asl_alphabet_train/asl_alphabet_train/del/del{}.jpg", 1), images("asl_alphabet_test/asl_alphabet_test/A_test{}.jpg", 1)
layout("asl", train | test, {"train": folder(train, 2), "test": none(test)}, ["A", "del"])

train, test = images("trainA/{}.jpg", 2) | images("trainB/{}.jpg", 1), images("testA/{}.jpg", 1) | images("testB/{}.jpg", 1)
layout("horse2zebra", train | test, {"train": {p: p[5].lower() for p in train}, "test": {p: p[4].lower() for p in test}}, ["a", "b"])

pictures = images("s1/{}.pgm", 2) | images("s2/{}.pgm", 1)
layout("orl-faces", pictures, {"all": folder(pictures)}, ["s1", "s2"])

pictures = images("dtd/images/banded/banded_{}.jpg", 2) | images("dtd/images/woven/woven_{}.jpg", 1)
layout("dtd", pictures | {"dtd/imdb/imdb.mat": "MATLAB", "dtd/labels/train1.txt": "banded/banded_0.jpg\n", "dtd/labels/test1.txt": "woven/woven_0.jpg\n", "dtd/labels/train2.txt": "woven/woven_0.jpg\n", "dtd/labels/test2.txt": "banded/banded_0.jpg\n"},
       {"all": folder(pictures, 2)}, ["banded", "woven"], 5)

train = images("train/{}.tif", 3)
table = "id,label\n0,1\n1,0\n2,1\n"
test = images("test/{}.tif", 1, 7)
layout("histopathologic", train | test | {"train_labels.csv": table, "sample_submission.csv": "id,label\n7,0\n"}, {"train": by_table(train, table, "id", "label"), "test": none(test)}, ["0", "1"], 1)

pictures = images("Images/{}.png", 4)
layout("split-column", pictures | {"labels.csv": "filename,label,split\n0.png,a,train\n1.png,b,train\n2.png,b,test\n3.png,a,train\n"},
       {"train": {"Images/0.png": "a", "Images/1.png": "b", "Images/3.png": "a"}, "test": {"Images/2.png": "b"}}, ["a", "b"], note="its column split")


# Labels in JSON.
pictures = images("00000/img{:08}.png", 2) | images("00001/img{:08}.png", 2, 1000)
layout("stylegan", pictures | {"dataset.json": json.dumps({"labels": [[p, i % 2] for i, p in enumerate(pictures)]})}, {"all": {p: "01"[i % 2] for i, p in enumerate(pictures)}}, ["0", "1"], note="read as parts of one set")
layout("stylegan-unlabelled", pictures | {"dataset.json": '{"labels": null}'}, {"all": none(pictures)}, [], 1)
pictures = images("images1024x1024/00000/{:05}.png", 2) | images("images1024x1024/01000/{:05}.png", 1, 1000)
layout("ffhq", pictures | {"ffhq-dataset-v2.json": json.dumps({"0": {"category": "training"}})}, {"all": none(pictures)}, [], 1, note="read as parts of one set")
pictures = images("images/{}.png", 4)
of = dict(zip(pictures, ["cat", "dog", "cat", None]))
layout("json-map", pictures | {"labels.json": json.dumps({p.split("/")[1]: l for p, l in of.items() if l})}, {"all": of}, ["cat", "dog"], note="1 images have none")
layout("json-objects", pictures | {"annotations.json": json.dumps([{"image": p, "label": l or "cat", "box": [0, 1]} for p, l in of.items()])}, {"all": {p: l or "cat" for p, l in of.items()}}, ["cat", "dog"])
layout("json-by-label", pictures | {"classes.json": json.dumps({c: [p.split("/")[1] for p, l in of.items() if l == c] for c in ("cat", "dog")})}, {"all": of}, ["cat", "dog"])
layout("json-class-names", images("{}.png", 3) | {"class_names.json": json.dumps({"0": "tench", "1": "shark", "2": "ray"})}, {"all": none(images("{}.png", 3))}, [], 1)
layout("json-coco", pictures | {"instances.json": json.dumps({"images": [{"id": 1, "file_name": "0.png"}], "annotations": [{"image_id": 1, "category_id": 3}], "categories": [{"id": 3, "name": "cat"}]})}, {"all": none(pictures)}, [], 1)

# Tables of pixels: 8×8, every value of a row the same but for the corners, which are 0.
def rows(n, label):
    x = np.repeat(np.arange(n)[:, None] + 50, 64, 1)
    x[:, [0, 63]] = 0
    return x, [label(i) for i in range(n)]


def pixels(name, files, splits, classes, left_out=0):
    for path, text in files.items():
        put(f"{name}/{path}", text)
    expected[name] = {"classes": classes, "left_out": left_out, "note": "", "splits": {s: [[50 + i, l] for i, l in enumerate(labels)] for s, labels in splits.items()}}


x, y = rows(6, lambda i: i % 3)
frame = pd.DataFrame(x, columns=[f"pixel{i}" for i in range(64)])
labelled = frame.copy()
labelled.insert(0, "label", y)
last = frame.assign(label=y)
pixels("digits-csv", {"train.csv": labelled.to_csv(index=False), "test.csv": frame[:2].to_csv(index=False), "sample_submission.csv": "ImageId,Label\n1,0\n"}, {"train": y, "test": [-1, -1]}, list("012"), 1)
pixels("last-csv", {"hmnist_8_8_L.csv": last.to_csv(index=False)}, {"all": y}, list("012"))
pixels("bare-csv", {"mnist_train.csv": labelled.to_csv(index=False, header=False), "mnist_test.csv": labelled[:2].to_csv(index=False, header=False)}, {"train": y, "test": y[:2]}, list("012"))
pixels("bare-last-csv", {"optdigits.csv": last.to_csv(index=False, header=False)}, {"all": y}, list("012"))
pixels("index-csv", {"data.csv": labelled.to_csv()}, {"all": y}, list("012"))
pixels("floats-csv", {"data.csv": pd.concat([labelled[["label"]], frame / 255], axis=1).to_csv(index=False)}, {"all": y}, list("012"))
words = pd.DataFrame({"emotion": y, "pixels": [" ".join(map(str, r)) for r in x], "Usage": ["Training"] * 4 + ["PublicTest", "PrivateTest"]})
put("fer-csv/fer2013.csv", words.to_csv(index=False))
expected["fer-csv"] = {"classes": list("012"), "left_out": 0, "note": "", "splits": {"train": [[50 + i, y[i]] for i in range(4)], "val": [[54, y[4]]], "test": [[55, y[5]]]}}

archive.close()
(OUT / "layouts.json").write_text(json.dumps(expected, indent=0, ensure_ascii=False).replace("[\n", "[").replace(",\n", ", ").replace("\n]", "]") + "\n")
