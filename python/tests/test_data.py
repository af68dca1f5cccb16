import numpy as np
import pandas
import pytest
from PIL import Image

import moncae
from conftest import SMALL
from moncae import _data


@pytest.mark.parametrize(("shape", "axes", "wanted"), [
    ((5, 12, 10), None, (5, 1, 12, 10)), ((5, 3, 12, 10), None, (5, 3, 12, 10)), ((5, 12, 10, 3), None, (5, 3, 12, 10)),
    ((5, 12, 10, 1), None, (5, 1, 12, 10)), ((5, 3, 8, 3), "nhwc", (5, 3, 3, 8)), ((5, 3, 8, 3), "nchw", (5, 3, 8, 3)),
])
def test_axes(shape, axes, wanted):
    images = np.arange(np.prod(shape)).reshape(shape)
    got = _data.as_nchw(images, axes)
    assert got.shape == wanted
    if shape[1:] != wanted[1:] and len(shape) == 4:
        np.testing.assert_array_equal(got, images.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(("images", "says"), [
    (np.zeros((5, 3, 8, 3), np.uint8), "say axes="), (np.zeros((5, 12, 10, 2), np.uint8), "no axis of 1 or 3"),
    (np.zeros((5, 12), np.uint8), "N×H×W"), (np.full((5, 12, 12), 2.0), "floats have to be in"), (np.full((5, 12, 12), -1), "0…255"),
    (np.full((5, 12, 12), np.nan), "floats have to be in"), (np.zeros((5, 12, 12), complex), "uint8"), (object(), "type object"),
])
def test_wrong_data(tmp_path, images, says):
    with pytest.raises(ValueError, match=says):
        moncae.search(tmp_path / "run", images)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("labels", [[1, 2], [0.5] * 5, [[1]] * 5])
def test_wrong_labels(labels):
    with pytest.raises(ValueError, match="a whole number for each"):
        _data.as_arrays(np.zeros((5, 8, 8), np.uint8), labels)


def test_lists(digits):
    images, labels = digits[0][:9], digits[1][:9]
    for given in (images.tolist(), list(images), [[image, label] for image, label in zip(images, labels, strict=True)]):
        np.testing.assert_array_equal(_data.as_arrays(given)["x_train"], images[..., None])


def test_a_data_frame_is_refused():
    with pytest.raises(ValueError, match="DataFrame: give its images as an array"):
        _data.as_arrays(pandas.DataFrame(np.zeros((5, 64))))


def test_floats_are_bytes():
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    np.testing.assert_array_equal(_data.as_arrays(images / 255)["x_train"], images[..., None])
    np.testing.assert_array_equal(_data.as_arrays(images.astype(np.float32) / np.float32(255))["x_train"], images[..., None])


class Pairs:
    """As torch.utils.data.Dataset: rows of (image, label)."""

    def __init__(self, images, labels):
        self.rows = list(zip(images, labels, strict=True))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


def test_data_sets_of_rows(digits):
    images, labels = digits[0][:20], digits[1][:20]
    for given in (Pairs(images, labels), (images, labels), {"train": (images, labels)}):
        arrays = _data.as_arrays(given)
        np.testing.assert_array_equal(arrays["x_train"], images[..., None])
        np.testing.assert_array_equal(arrays["y_train"], labels)


@pytest.mark.parametrize(("images", "labels", "says"), [
    ([np.zeros((8, 8), np.uint8), np.zeros((5, 8), np.uint8)], [0, 1], r"different shapes, such as \(5, 8\) and \(8, 8\)"),
    ([Image.new("P", (8, 8))], [0], "row 0 is a picture of PIL's mode P"),
    ([Image.new("RGBA", (8, 8))], [0], "mode RGBA: convert it to L or RGB"),
    ([np.zeros((8, 8), np.uint8)] * 2, [0, 1.5], "row 1 has the label 1.5: a whole number"),
    ([np.zeros((8, 8), np.uint8)], ["cat"], "row 0 has the label 'cat'"),
    ([np.zeros((8, 8), np.uint8)] * 2, [0, None], "1 of 2 rows have a label"),
    ([], [], "no rows"),
])
def test_wrong_rows(images, labels, says):
    with pytest.raises(ValueError, match=says):
        _data.as_arrays(Pairs(images, labels))


@pytest.mark.parametrize(("shape", "axes"), [((9, 12, 10), None), ((9, 3, 12, 10), None), ((9, 12, 10, 3), None), ((9, 3, 12, 3), "nchw"), ((9, 3, 12, 3), "nhwc"), ((9, 12, 3), None)])
def test_the_program_reads_what_was_given(tmp_path, shape, axes):
    images = np.random.default_rng(46).integers(0, 256, shape, dtype=np.uint8)
    labels = np.arange(9)
    with _data.location(images, labels, axes, whole=True) as place:
        got, of = moncae.load_images(place)
        info = moncae.data_info(place)
    np.testing.assert_array_equal(got, _data.as_nchw(images, axes))
    np.testing.assert_array_equal(of, labels)
    assert info["splits"][0]["rows"] == 9


def test_images_of_a_folder(tmp_path):
    images = np.random.default_rng(46).integers(0, 256, (7, 10, 12, 3), dtype=np.uint8)
    for i, image in enumerate(images):
        place = tmp_path / ("test" if i == 6 else "train") / "abc"[i // 3]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i}.png")
    got, labels = moncae.load_images(tmp_path)
    np.testing.assert_array_equal(got, images[:6].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(labels, [0, 0, 0, 1, 1, 1])
    assert moncae.load_images(tmp_path, split="test", image_size="8x8", channels=1)[0].shape == (1, 1, 8, 8)
    assert moncae.load_images(tmp_path, image_size=(8, 16))[0].shape == (6, 3, 8, 16)
    with pytest.raises(ValueError, match="give train, val or test"):
        moncae.load_images(tmp_path, "all")
    with pytest.raises(ValueError, match="nothing"):
        moncae.load_images(tmp_path / "nothing")


def test_skipped_images_are_a_warning(tmp_path):
    images = np.random.default_rng(46).integers(0, 256, (40, 12, 12), dtype=np.uint8)
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    for i in range(12):
        (tmp_path / f"bad{i:02}.png").write_bytes((tmp_path / "0.png").read_bytes()[:-30])
    with pytest.warns(UserWarning, match=r"images were skipped: .*bad00.png.*; … and "):
        assert len(moncae.load_images(tmp_path, on_bad_image="skip")[0])
    with pytest.warns(UserWarning, match="images were skipped: .*bad00.png") as told:
        moncae.search(tmp_path / "run", tmp_path, on_bad_image="skip", progress=False, reference="9,9", **SMALL)
    assert len([one for one in told if "skipped" in str(one.message)]) == 1


def test_columns_are_named():
    with pytest.raises(ValueError, match="row 0 has the columns picture, label: one called image is wanted"):
        _data.as_arrays([{"picture": np.zeros((8, 8), np.uint8), "label": 1}])


def test_splits_are_named():
    one = np.zeros((5, 8, 8))
    assert set(_data.as_arrays({"train": one, "validation": one, "test": one})) == {"x_train", "x_val", "x_test"}
    with pytest.raises(ValueError, match="may have val and test; this one has train, extra"):
        _data.as_arrays({"train": one, "extra": one})
    with pytest.raises(ValueError, match="two splits for val: train, val, validation"):
        _data.as_arrays({"train": one, "val": one, "validation": one})


def test_labels_of_another_name_are_told():
    rows = [{"image": np.zeros((8, 8), np.uint8), "fine_label": 1, "coarse_label": 2}] * 3
    with pytest.warns(UserWarning, match="no column is called label.*fine_label, coarse_label"):
        assert set(_data.as_arrays(rows)) == {"x_train"}


def test_hugging_face(digits):
    datasets = pytest.importorskip("datasets")
    images, labels = digits[0][:20], digits[1][:20]
    rows = datasets.Dataset.from_dict(
        {"image": [Image.fromarray(i) for i in images], "label": labels},
        features=datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")}),
    )
    arrays = _data.as_arrays(rows)
    np.testing.assert_array_equal(arrays["x_train"], images[..., None])
    np.testing.assert_array_equal(arrays["y_train"], labels)
