import pickle

import numpy as np
import onnxruntime
import pandas
import pytest
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import moncae
from moncae import _models


def test_what_onnx_runtime_says(run, model, digits):
    folder = run.path / "export" / run.export("best-loss")[0].name
    images = digits[0][:, None] / np.float32(255)
    (latents,) = onnxruntime.InferenceSession(folder / "encoder.onnx").run(None, {"image": images})
    (back,) = onnxruntime.InferenceSession(folder / "decoder.onnx").run(None, {"latent": latents})
    small = moncae.Autoencoder.load(folder, batch=7)
    for given in (digits[0], digits[0][:, None], images, digits[0][..., None], digits[0].astype(np.int64), images.astype(np.float64)):
        np.testing.assert_allclose(small.encode(given), latents, atol=1e-5)
    np.testing.assert_allclose(small.decode(latents.reshape(len(latents), -1)), back, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(digits[0]), back, atol=1e-5)
    np.testing.assert_allclose(model.error(digits[0]), ((back - images) ** 2).mean((1, 2, 3)), rtol=1e-3)


def test_no_images_are_no_latents(model):
    assert model.encode(np.zeros((0, 12, 12), np.uint8)).shape == (0, *model.latent_shape)


@pytest.mark.parametrize(("images", "says"), [
    (np.zeros((2, 1, 5, 5), np.uint8), "N×1×12×12 is wanted"),
    (np.zeros((2, 12, 12), complex), "type complex128"),
    (np.full((2, 12, 12), 256), "0…255"),
    (np.full((2, 12, 12), 255.0), "floats have to be in"),
    (np.full((2, 12, 12), np.nan), "floats have to be in"),
])
def test_wrong_images(model, images, says):
    with pytest.raises(ValueError, match=says):
        model.encode(images)


def test_wrong_files(tmp_path, run):
    with pytest.raises(ValueError, match="isn't there"):
        moncae.Autoencoder.load(tmp_path)
    (tmp_path / "encoder.onnx").write_bytes(b"no model")
    with pytest.raises(moncae.DamagedFile, match="encoder.onnx"):
        moncae.Autoencoder.load(tmp_path)
    with pytest.raises(ValueError, match="gives no latents"):
        moncae.Autoencoder.load(run.export("best-loss")[0] / "decoder.onnx")
    first, last = run.export()[0], run.export()[-1]
    if first != last:
        with pytest.raises(ValueError, match="is not the decoder of"):
            moncae.Autoencoder.load(first, last / "decoder.onnx")


def test_pickling(model, digits):
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.encode(digits[0][:5]), model.encode(digits[0][:5]))


def test_encoder_in_a_pipeline(run, digits):
    path = run.export("best-loss")[0]
    rows = digits[0].reshape(len(digits[0]), -1)
    encoder = sklearn.base.clone(moncae.Encoder(path)).fit(rows)
    latents = encoder.transform(rows)
    np.testing.assert_allclose(latents, moncae.Autoencoder.load(path).encode(digits[0]).reshape(len(rows), -1))
    assert encoder.inverse_transform(latents).shape == rows.shape
    assert list(encoder.get_feature_names_out())[:2] == ["latent0", "latent1"] and len(encoder.get_feature_names_out()) == latents.shape[1]
    pipeline = make_pipeline(moncae.Encoder(path), PCA(4), LogisticRegression()).fit(rows, digits[1])
    assert pickle.loads(pickle.dumps(pipeline)).score(rows, digits[1]) > 0.9
    with pytest.raises(ValueError, match="takes 144 pixels"):
        moncae.Encoder(path).fit(rows[:, :100])


# What scikit-learn's checks feed, of columns other than the 144 pixels that this
# encoder takes: it can't take them, and has to say so.
OTHER_COLUMNS = {
    "check_fit_score_takes_y": 3, "check_estimators_overwrite_params": 2, "check_dont_overwrite_parameters": 3,
    "check_estimators_fit_returns_self": 2, "check_readonly_memmap_input": 2, "check_n_features_in_after_fitting": 4,
    "check_estimators_dtypes": 5, "check_dtype_object": 10, "check_pipeline_consistency": 3, "check_estimators_nan_inf": 3,
    "check_estimators_pickle": 3, "check_f_contiguous_array_estimator": 3, "check_transformer_data_not_an_array": 3,
    "check_transformer_general": 3, "check_methods_sample_order_invariance": 3, "check_methods_subset_invariance": 3,
    "check_dict_unchanged": 3, "check_fit_idempotent": 2, "check_fit_check_is_fitted": 2, "check_n_features_in": 2,
    "check_fit2d_predict1d": 3,
}


class AnyColumns(moncae.Encoder):
    """An encoder whose rows may have any length and size of values, so that all checks reach the rest of it."""

    def _shaped(self, rows, shape):
        row = np.zeros((len(rows), np.prod(shape)))
        row[:, : rows.shape[1]] = rows[:, : row.shape[1]]
        return super()._shaped(row / (1 + row), shape)


def test_check_estimator(run):
    path = run.export("best-loss")[0]
    results = check_estimator(moncae.Encoder(path), on_fail=None, on_skip=None)
    refused = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert refused.keys() == OTHER_COLUMNS.keys()
    for check, columns in OTHER_COLUMNS.items():
        assert f"n_features={columns}: {path} takes 144 pixels, 1×12×12" in refused[check]
    results = check_estimator(AnyColumns(path), on_fail=None, on_skip=None)
    assert {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"} == {}
    assert refused.keys() <= {r["check_name"] for r in results if r["status"] == "passed"}


def test_encoder_takes_every_layout(run, digits):
    path, images = run.export("best-loss")[0], digits[0][:9]
    wanted = moncae.Autoencoder.load(path).encode(images).reshape(9, -1)
    for given in (images, images[:, None], images[..., None], images.reshape(9, -1), images.reshape(9, -1).astype(int),
                  pandas.DataFrame(images.reshape(9, -1)), images / 255):
        np.testing.assert_allclose(moncae.Encoder(path).fit(given).transform(given), wanted, atol=1e-5)
    with pytest.raises(ValueError, match="Negative values"):
        moncae.Encoder(path).fit(images.reshape(9, -1) - 300.0)
    with pytest.raises(ValueError, match="N×1×12×12 is wanted"):
        moncae.Encoder(path).fit(images[:, :6])


def test_colour_rows_are_images_in_either_layout():
    """What has channels last is turned, not read as if it were C·H·W."""
    images = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(_models.laid_out(images.transpose(0, 2, 3, 1), (3, 4, 5)), images)
