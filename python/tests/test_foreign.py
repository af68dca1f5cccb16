"""Models that say themselves what values they take: Autoencoder and Encoder obey, as compress does."""

import numpy as np
import pytest

import moncae
from foreign import identity

IMAGES = np.random.default_rng(46).integers(0, 256, (20, 3, 6, 5), dtype=np.uint8)
UNIT = IMAGES / np.float32(255)
SAYS = [
    {}, {"scale": "raw"}, {"scale": "symmetric"}, {"mean": [0.5], "std": [0.25]},
    {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]}, {"scale": "symmetric", "layout": "nhwc"}, {"output": "mu"},
]


@pytest.mark.parametrize("says", SAYS, ids=str)
def test_values_are_those_of_compress(tmp_path, says):
    sides = (6, 5, 3) if "layout" in says else (3, 6, 5)
    path = identity(tmp_path / "encoder.onnx", sides, {"image_size": [6, 5], "channels": 3, **says}, ("mu", "logvar") if "output" in says else ("latent",))
    identity(tmp_path / "decoder.onnx", sides, None, ("image",), "latent")
    model = moncae.Autoencoder.load(path, batch=7)
    assert model.image_shape == model.latent_shape == (3, 6, 5)
    latents = moncae.compress(path, IMAGES, tmp_path / "out.arrow", decoder="none").numpy()
    np.testing.assert_array_equal(model.encode(IMAGES), latents)
    np.testing.assert_allclose(model.encode(UNIT), latents, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(model.reconstruct(IMAGES), UNIT, atol=1e-6)
    np.testing.assert_allclose(model.error(IMAGES), 0, atol=1e-10)
    rows = moncae.Encoder(path).fit_transform(IMAGES)
    np.testing.assert_array_equal(rows, latents.reshape(20, -1))


@pytest.mark.parametrize(("says", "why"), [
    ("{", "can't be read"), ("[1]", "can't be read"), ({"scale": "log"}, "'log'"), ({"mean": [0.5]}, "belong together"),
    ({"mean": [0.5], "std": [0]}, "belong together"), ({"mean": [0.5, 0.5], "std": [1, 1]}, "2 numbers of mean"), ({"output": "mu"}, "nothing of that name"),
], ids=str)
def test_what_cannot_be_is_refused(tmp_path, says, why):
    with pytest.raises(ValueError, match=f"encoder.onnx: .*{why}"):
        moncae.Autoencoder.load(identity(tmp_path / "encoder.onnx", (3, 6, 5), says))
