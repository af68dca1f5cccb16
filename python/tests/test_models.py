import pickle

import numpy as np
import onnxruntime
import pytest
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import moncae


def test_what_onnx_runtime_says(run, model, digits):
    folder = run.path / "export" / run.export("best-loss")[0].name
    images = digits[0][:, None] / np.float32(255)
    (latents,) = onnxruntime.InferenceSession(folder / "encoder.onnx").run(None, {"image": images})
    (back,) = onnxruntime.InferenceSession(folder / "decoder.onnx").run(None, {"latent": latents})
    small = moncae.Autoencoder.load(folder, batch=7)
    for given in (digits[0], digits[0][:, None], images, digits[0][..., None]):
        np.testing.assert_allclose(small.encode(given), latents, atol=1e-5)
    np.testing.assert_allclose(small.decode(latents.reshape(len(latents), -1)), back, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(digits[0]), back, atol=1e-5)
    np.testing.assert_allclose(model.error(digits[0]), ((back - images) ** 2).mean((1, 2, 3)), rtol=1e-3)


def test_no_images_are_no_latents(model):
    assert model.encode(np.zeros((0, 12, 12), np.uint8)).shape == (0, *model.latent_shape)


@pytest.mark.parametrize(("images", "says"), [
    (np.zeros((2, 1, 5, 5), np.uint8), "N×1×12×12 is wanted"),
    (np.zeros((2, 12, 12), np.int64), "type int64"),
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
    with pytest.raises(ValueError, match="takes 144"):
        moncae.Encoder(path).fit(rows[:, :100])


def test_check_estimator(run):
    """A trained encoder takes images of its own size in [0, 1]; the checks that fit
    other data have to be told so, all others have to pass."""
    results = check_estimator(moncae.Encoder(run.export("best-loss")[0]), on_fail=None, on_skip=None)
    failed = [r for r in results if r["status"] == "failed"]
    for result in failed:
        assert "takes 144" in str(result["exception"]), (result["check_name"], result["exception"])
    assert sum(r["status"] == "passed" for r in results) >= 12
