"""Exported models, run by ONNX Runtime."""

from __future__ import annotations

import os
import pathlib
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ._data import as_nchw
from .errors import DamagedFile, MissingLibrary

Floats = npt.NDArray[np.float32]
Batch = TypeVar("Batch", npt.NDArray[Any], Any)


class Autoencoder:
    """An encoder and its decoder.

    Images are N×C×H×W: uint8, or floats in [0, 1] (N×H×W too where they have one
    channel). Latents are float32, N×c×h×w. What is a torch tensor comes back as
    one, on the same device.

    Attributes:
        image_shape: (C, H, W).
        latent_shape: (c, h, w).
        metadata: what the encoder's file says of itself (docs/format/onnx.md).
    """

    image_shape: tuple[int, int, int]
    latent_shape: tuple[int, int, int]
    metadata: dict[str, str]

    def __init__(self, encoder: pathlib.Path, decoder: pathlib.Path | None, batch: int = 256, threads: int = 0) -> None:
        if batch < 1:
            raise ValueError(f"batch is {batch}: give 1 or more")
        self._paths, self._batch, self._threads = (encoder, decoder), batch, threads
        self._encoder = _session(encoder, threads)
        self._decoder = None if decoder is None else _session(decoder, threads)
        self.metadata = dict(self._encoder.get_modelmeta().custom_metadata_map)
        self.image_shape = _sides(encoder, self._encoder.get_inputs())
        self.latent_shape = _sides(encoder, self._encoder.get_outputs())
        if decoder is not None:
            pair, other = self.metadata.get("moncae.pair"), self._decoder.get_modelmeta().custom_metadata_map  # pyright: ignore
            if pair and other.get("moncae.run") != self.metadata.get("moncae.run") or other.get("moncae.candidate") != self.metadata.get("moncae.candidate"):  # pyright: ignore[reportUnknownMemberType]
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

    def encode(self, images: Any) -> Any:
        """Images to latents, float32 N×c×h×w."""
        return self._run(self._encoder, images, self.image_shape, True)

    def decode(self, latents: Any) -> Any:
        """Latents, N×c×h×w or flat N×(c·h·w), to images: float32 N×C×H×W in [0, 1]."""
        if self._decoder is None:
            raise ValueError(f"{self._paths[0]} has no decoder.onnx beside it: give one to load")
        return self._run(self._decoder, latents, self.latent_shape, False)

    def reconstruct(self, images: Any) -> Any:
        """What the decoder makes of the images' latents: float32 N×C×H×W in [0, 1]."""
        return self.decode(self.encode(images))

    def error(self, images: Any) -> Floats:
        """Mean squared error of each image's reconstruction, pixels in [0, 1]: float32 of length N."""
        host = _unit(_host(images), self.image_shape)
        return np.concatenate([
            np.mean((self.reconstruct(part) - part) ** 2, axis=(1, 2, 3), dtype=np.float64).astype(np.float32)
            for part in _parts(host, self._batch)
        ])

    def _run(self, session: Any, values: Any, shape: tuple[int, int, int], images: bool) -> Any:
        host = _host(values)
        if images:
            host = _unit(host, shape)
        else:
            host = host.reshape(len(host), *shape) if host.ndim == 2 and host.shape[1] == int(np.prod(shape)) else host
            if host.ndim != 4 or host.shape[1:] != shape:
                raise ValueError(f"latents of shape {host.shape}: N×{'×'.join(map(str, shape))} is wanted")
        name = session.get_inputs()[0].name
        out = [session.run(None, {name: np.ascontiguousarray(part, np.float32)})[0] for part in _parts(host, self._batch)]
        result = np.concatenate(out)
        if hasattr(values, "detach"):
            import torch  # pyright: ignore[reportMissingImports]

            return torch.from_numpy(result).to(values.device)  # pyright: ignore
        return result

    def __getstate__(self) -> dict[str, Any]:
        return {"paths": self._paths, "batch": self._batch, "threads": self._threads}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["paths"], batch=state["batch"], threads=state["threads"])

    def __repr__(self) -> str:
        return f"Autoencoder({str(self._paths[0])!r}, image {'×'.join(map(str, self.image_shape))}, latent {'×'.join(map(str, self.latent_shape))})"


def _parts(values: npt.NDArray[Any], size: int) -> list[npt.NDArray[Any]]:
    return [values[i : i + size] for i in range(0, max(1, len(values)), size)]


def _host(values: Any) -> npt.NDArray[Any]:
    return np.asarray(values.detach().cpu().numpy() if hasattr(values, "detach") else values)


def _unit(images: npt.NDArray[Any], shape: tuple[int, int, int]) -> Floats:
    """Images as the models take them: float32 N×C×H×W in [0, 1]."""
    if images.ndim == 3 and shape[0] == 1:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1:] != shape:
        if images.ndim == 4 and images.shape[1:] == (*shape[1:], shape[0]):
            images = as_nchw(images, "nhwc")
        else:
            raise ValueError(f"images of shape {images.shape}: N×{'×'.join(map(str, shape))} is wanted")
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if images.dtype.kind != "f":
        raise ValueError(f"images of type {images.dtype}: uint8, or floats in [0, 1], are wanted")
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"images from {images.min()} to {images.max()}: floats have to be in [0, 1]; give bytes as uint8")
    return images.astype(np.float32, copy=False)


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


def _sides(path: pathlib.Path, values: Any) -> tuple[int, int, int]:
    sides = values[0].shape[1:] if len(values) == 1 else ()
    if len(sides) != 3 or not all(isinstance(side, int) for side in sides):
        raise ValueError(f"{path} isn't an encoder of moncae's: it takes {[v.shape for v in values]}, one N×C×H×W is wanted")
    return (sides[0], sides[1], sides[2])


