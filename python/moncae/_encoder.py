"""An exported autoencoder as a scikit-learn transformer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from ._models import Autoencoder, laid_out

_Base: Any = BaseEstimator
_Mixin: Any = TransformerMixin
_check_is_fitted: Any = check_is_fitted  # pyright: ignore[reportUnknownVariableType]
_check_non_negative: Any = check_non_negative  # pyright: ignore[reportUnknownVariableType]
_validate: Any = validate_data  # pyright: ignore[reportUnknownVariableType]


class Encoder(_Mixin, _Base):  # pyright: ignore[reportUntypedBaseClass]
    """Images as rows of pixels to rows of latent values, by a trained encoder.

    `fit` learns nothing: it opens the models and looks whether the images fit them.
    Rows are images in C·H·W order, uint8 or floats in [0, 1]; whatever
    `Autoencoder.encode` takes is taken too. Pickling and cloning keep the paths,
    not the models.

    Args:
        path: an encoder.onnx or a folder with one; decoder.onnx beside it serves
            `inverse_transform`.
        batch: images a run of the models.

    Raises:
        ValueError: the images don't fit the encoder, or there is no such file.
        DamagedFile: a file is no model.
    """

    def __init__(self, path: str | os.PathLike[str], *, batch: int = 256) -> None:
        self.path = path
        self.batch = batch

    def fit(self, X: Any, y: Any = None) -> Encoder:
        """Opens the models; X, N×(C·H·W), has to fit them."""
        model = Autoencoder.load(self.path, batch=self.batch)
        self._images(X, model, True)
        self.model_ = model
        self._n_features_out = int(np.prod(model.latent_shape))
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Rows of pixels to float32 N×(c·h·w)."""
        _check_is_fitted(self)
        images = self._images(X, self.model_, False)
        return self.model_.encode(images).reshape(len(images), -1)

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Rows of latent values to rows of pixels in [0, 1], float32 N×(C·H·W)."""
        _check_is_fitted(self)
        latents = np.asarray(X, np.float32)
        return self.model_.decode(latents).reshape(len(latents), -1)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """latent0, latent1, …"""
        _check_is_fitted(self)
        return np.array([f"latent{i}" for i in range(self._n_features_out)], object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # pyright: ignore
        tags.input_tags.positive_only = True  # pyright: ignore
        tags.transformer_tags.preserves_dtype = []  # pyright: ignore
        return tags  # pyright: ignore

    def _images(self, X: Any, model: Autoencoder, reset: bool) -> npt.NDArray[Any]:
        """X as scikit-learn wants it looked at, and as images of the model's shape."""
        given = X
        if getattr(X, "ndim", 0) in (3, 4):
            images = laid_out(np.asarray(X), model.image_shape)
            given = images.reshape(len(images), -1)
        rows = _validate(self, given, dtype="numeric", reset=reset)
        _check_non_negative(rows, "moncae.Encoder")
        return self._shaped(rows, model.image_shape)

    def _shaped(self, rows: npt.NDArray[Any], shape: tuple[int, int, int]) -> npt.NDArray[Any]:
        wanted = int(np.prod(shape))
        if rows.shape[1] != wanted:
            raise ValueError(f"rows with n_samples={rows.shape[0]}, n_features={rows.shape[1]}: {self.path} takes {wanted} pixels, {'×'.join(map(str, shape))}")
        return rows.reshape(-1, *shape)
