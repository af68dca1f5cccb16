"""An exported autoencoder as a scikit-learn transformer."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from sklearn.utils.validation import check_is_fitted, validate_data  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from ._models import Autoencoder

_Base: Any = BaseEstimator
_Mixin: Any = TransformerMixin
_check_is_fitted: Any = check_is_fitted  # pyright: ignore[reportUnknownVariableType]
_validate: Any = validate_data  # pyright: ignore[reportUnknownVariableType]


class Encoder(_Mixin, _Base):  # pyright: ignore[reportUntypedBaseClass]
    """Images as rows of pixels to rows of latent values, by a trained encoder.

    `fit` learns nothing: it looks at the number of pixels, and opens the models.
    Rows are images in C·H·W order, uint8 or floats in [0, 1]; `transform` also
    takes N×C×H×W. Pickling and cloning keep the paths, not the models.

    Args:
        path: an encoder.onnx or a folder with one; decoder.onnx beside it serves
            `inverse_transform`.
        batch: images a run of the models.
    """

    def __init__(self, path: str | os.PathLike[str], *, batch: int = 256) -> None:
        self.path = path
        self.batch = batch

    def fit(self, X: Any, y: Any = None) -> Encoder:
        """Opens the models; X, N×(C·H·W), has to fit them."""
        model = Autoencoder.load(self.path, batch=self.batch)
        rows = _validate(self, _rows(X), dtype=[np.uint8, np.float32, np.float64])
        self._images(rows, model)
        self.model_ = model
        self._n_features_out = int(np.prod(model.latent_shape))
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float32]:
        """Rows of pixels to float32 N×(c·h·w)."""
        _check_is_fitted(self)
        rows = _validate(self, _rows(X), dtype=[np.uint8, np.float32, np.float64], reset=False)
        return self.model_.encode(self._images(rows, self.model_)).reshape(len(rows), -1)

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
        return tags  # pyright: ignore

    def _images(self, rows: npt.NDArray[Any], model: Autoencoder) -> npt.NDArray[Any]:
        wanted = int(np.prod(model.image_shape))
        if rows.shape[1] != wanted:
            raise ValueError(f"rows of {rows.shape[1]} pixels: {self.path} takes {wanted}, {'×'.join(map(str, model.image_shape))}")
        return rows.reshape(-1, *model.image_shape)


def _rows(X: Any) -> Any:
    """N×C×H×W as rows; what has another number of axes is scikit-learn's to judge."""
    return X.reshape(len(X), -1) if getattr(X, "ndim", 0) == 4 else X
