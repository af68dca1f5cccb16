"""Exported models, run by ONNX Runtime."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._data import as_nchw, host
from ._values import Floats, Values, unit
from .errors import DamagedFile, MissingLibrary


class Autoencoder:
    """An encoder and its decoder.

    Images are N×C×H×W or N×H×W×C, or N×H×W where they have one channel: uint8 (or
    other whole numbers in 0…255), or floats in [0, 1]; all else is a ValueError.
    Latents are float32, N×c×h×w. What is a torch tensor comes back as one, on the
    same device.

    A model that isn't moncae's takes other values where its metadata
    moncae.preprocess say so (scale, mean and std, layout, output), as in
    `moncae.compress`: images are given in [0, 1] or as bytes all the same.

    Attributes:
        image_shape: (C, H, W).
        latent_shape: (c, h, w).
        metadata: what the encoder's file says of itself (docs/format/onnx.md).
        files: the paths of the encoder and the decoder, None where there is none.
    """

    image_shape: tuple[int, int, int]
    latent_shape: tuple[int, int, int]
    metadata: dict[str, str]
    files: tuple[pathlib.Path, pathlib.Path | None]

    def __init__(self, encoder: pathlib.Path, decoder: pathlib.Path | None, batch: int = 256, threads: int = 0) -> None:
        if batch < 1:
            raise ValueError(f"batch is {batch}: give 1 or more")
        self.files, self._batch, self._threads = (encoder, decoder), batch, threads
        self._encoder = _session(encoder, threads)
        self._decoder = None if decoder is None else _session(decoder, threads)
        self.metadata = dict(self._encoder.get_modelmeta().custom_metadata_map)
        try:
            self._values = Values.read(self.metadata.get("moncae.preprocess"))
            self.image_shape, self.latent_shape = self._shapes()
            self._values.check_channels(self.image_shape[0])
        except ValueError as error:
            raise ValueError(f"{encoder}: {error}") from error
        if "moncae.candidate" in self.metadata and self._encoder.get_outputs()[0].name != "latent":
            raise ValueError(f"{encoder} gives no latents: give the encoder.onnx beside it")
        if self._decoder is not None:
            other: dict[str, str] = self._decoder.get_modelmeta().custom_metadata_map
            if any(other.get(f"moncae.{key}") != self.metadata.get(f"moncae.{key}") for key in ("run", "candidate")):
                raise ValueError(f"{decoder} is not the decoder of {encoder}")

    @classmethod
    def load(cls, path: str | os.PathLike[str], decoder: str | os.PathLike[str] | None = None, *, batch: int = 256, threads: int = 0) -> Autoencoder:
        """Opens a candidate's folder of `moncae export`, or an encoder.onnx; its
        decoder is decoder.onnx beside it, where there is one.

        threads are ONNX Runtime's; 0 takes all cores.

        Raises:
            ValueError: there is no such file, or the decoder is another encoder's.
            DamagedFile: a file is no model.
            MissingLibrary: onnxruntime isn't installed.
        """
        given = pathlib.Path(path)
        encoder = given / "encoder.onnx" if given.is_dir() else given
        if not encoder.is_file():
            raise ValueError(f"{encoder} isn't there: give a folder that moncae export wrote, or an encoder.onnx")
        beside = encoder.parent / "decoder.onnx"
        return cls(encoder, pathlib.Path(decoder) if decoder is not None else beside if beside.is_file() else None, batch, threads)

    def _shapes(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Of an image and of a latent, C×H×W; settles the order of the model's axes and its output."""
        outputs = [value for value in self._encoder.get_outputs() if self._values.output in ("", value.name)]
        image, latent = _sides("takes", self._encoder.get_inputs()), _sides("gives", outputs)
        self._output: str = outputs[0].name
        self._nhwc = (self._values.layout or ("nhwc" if image[0] not in (1, 3) and image[2] in (1, 3) else "nchw")) == "nhwc"
        return (_channels_first(image), _channels_first(latent)) if self._nhwc else (image, latent)

    def encode(self, images: Any) -> Any:
        """Images to latents, float32 N×c×h×w."""
        known = laid_out(np.asarray(host(images)), self.image_shape)
        return _as_given(images, self._through(self._encoder, map(self._values.of, _parts(known, self._batch)), self._output))

    def decode(self, latents: Any) -> Any:
        """Latents, N×c×h×w or flat N×(c·h·w), to images: float32 N×C×H×W in [0, 1]."""
        if self._decoder is None:
            raise ValueError(f"{self.files[0]} has no decoder.onnx beside it: give one to load")
        known, shape = np.asarray(host(latents), np.float32), self.latent_shape
        if known.ndim == 2 and known.shape[1] == int(np.prod(shape)):
            known = known.reshape(-1, *shape)
        if known.ndim != 4 or known.shape[1:] != shape:
            raise ValueError(f"latents of shape {known.shape}: N×{'×'.join(map(str, shape))} is wanted")
        found = self._through(self._decoder, _parts(known, self._batch))
        if found.size != len(known) * int(np.prod(self.image_shape)):
            raise ValueError(f"{self.files[1]} gives {found.shape} for {len(known)} latents: N×{'×'.join(map(str, self.image_shape))} is wanted")
        return _as_given(latents, self._values.undo(found.reshape(-1, *self.image_shape)))

    def _through(self, session: Any, parts: Iterable[npt.NDArray[Any]], output: str | None = None) -> Floats:
        """A model's output for all batches, as one array; axes are N×C×H×W on both sides."""
        name = session.get_inputs()[0].name
        turned = (np.moveaxis(part, 1, 3) if self._nhwc else part for part in parts)
        found = np.concatenate([session.run(None if output is None else [output], {name: np.ascontiguousarray(part)})[0] for part in turned])
        return np.ascontiguousarray(np.moveaxis(found, 3, 1)) if self._nhwc and found.ndim == 4 else found

    def reconstruct(self, images: Any) -> Any:
        """What the decoder makes of the images' latents: float32 N×C×H×W in [0, 1]."""
        return self.decode(self.encode(images))

    def error(self, images: Any) -> Floats:
        """Mean squared error of each image's reconstruction, pixels in [0, 1]: float32 of length N."""
        known = laid_out(np.asarray(host(images)), self.image_shape)
        return np.concatenate([self._error(unit(part)) for part in _parts(known, self._batch)])

    def _error(self, images: Floats) -> Floats:
        squares = np.square(self.reconstruct(images) - images, dtype=np.float64)
        return np.asarray(squares.mean(axis=(1, 2, 3)), np.float32)

    def __getstate__(self) -> dict[str, Any]:
        return {"paths": self.files, "batch": self._batch, "threads": self._threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["paths"], batch=state["batch"], threads=state["threads"])

    def __repr__(self) -> str:
        return f"Autoencoder({str(self.files[0])!r}, image {'×'.join(map(str, self.image_shape))}, latent {'×'.join(map(str, self.latent_shape))})"


def _parts(values: npt.NDArray[Any], size: int) -> list[npt.NDArray[Any]]:
    return [values[i : i + size] for i in range(0, max(1, len(values)), size)]


def _as_given(values: Any, result: Floats) -> Any:
    """result as values were given: on their device where they are a torch tensor."""
    if not hasattr(values, "detach"):
        return result
    import torch  # pyright: ignore[reportMissingImports]

    return torch.from_numpy(result).to(values.device)  # pyright: ignore


def laid_out(images: npt.NDArray[Any], shape: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Images of a model's shape, (C, H, W), as N×C×H×W: N×H×W×C, and N×H×W of one channel, are turned."""
    if images.ndim == 3 and shape[0] == 1:
        images = images[:, None]
    if images.ndim == 4 and images.shape[1:] == shape:
        return images
    if images.ndim == 4 and images.shape[1:] == (*shape[1:], shape[0]):
        return as_nchw(images, "nhwc")
    raise ValueError(f"images of shape {images.shape}: N×{'×'.join(map(str, shape))} is wanted")


def _session(path: pathlib.Path, threads: int) -> Any:
    try:
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

        ort: Any = onnxruntime
    except ImportError as error:
        raise MissingLibrary(f"models are run by ONNX Runtime, which can't be imported ({error}): pip install onnxruntime") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if not path.is_file():
        raise ValueError(f"{path} isn't there")
    try:
        return ort.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own are subclasses of Exception alone
        raise DamagedFile(f"{path}: ONNX Runtime can't read it: {str(error).splitlines()[0]}") from error


def _sides(does: str, values: Any) -> tuple[int, int, int]:
    """The axes of a model's one input or output behind the batch's, in its order."""
    sides = values[0].shape[1:] if len(values) == 1 else ()
    if len(sides) != 3 or not all(isinstance(side, int) for side in sides) or values[0].type != "tensor(float)":
        seen = ", ".join(f"{value.name} {value.type} {value.shape}" for value in values) or "nothing of that name"
        raise ValueError(f"no encoder for Autoencoder, it {does} {seen}: one float32 N×C×H×W is wanted; moncae.compress takes more kinds")
    return (sides[0], sides[1], sides[2])


def _channels_first(sides: tuple[int, int, int]) -> tuple[int, int, int]:
    return (sides[2], sides[0], sides[1])
