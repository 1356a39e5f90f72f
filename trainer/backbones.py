"""The networks that can be trained, as a table, and where their weights come from."""

import contextlib
import hashlib
import io
import socket
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import WeightsError

__all__ = ["BACKBONES", "Backbone", "build", "load_npz"]


@dataclass(frozen=True, slots=True)
class Backbone:
    """A convolutional network without top: RGB 0..255 in, a feature map [h/32, w/32, c] out.

    ``application`` is its class in keras.applications, None for our own; scaling the input is
    part of the network. ``layers`` and ``mebibytes`` (of float32 parameters) are those of the
    paper's Table 1, None where the paper does not have it.
    """

    build: Callable[..., keras.Model]
    layers: int | None = None
    mebibytes: float | None = None
    imagenet: bool = True


def _application(name: str) -> Callable[..., keras.Model]:
    return lambda **kwargs: getattr(keras.applications, name)(include_top=False, **kwargs)


def _tiny(input_shape: tuple[int, int, int], weights: None = None) -> keras.Model:
    """A network for trials without ImageNet weights: 5 strided blocks, 43,000 parameters."""
    x = inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    for channels in (16, 32, 48, 96, 160):
        if channels > 16:
            x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.ReLU(6)(x)
        x = keras.layers.Conv2D(channels, 3 if channels < 64 else 1, 2, "same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU(6)(x)
    return keras.Model(inputs, x, name="tiny")


BACKBONES: Final[dict[str, Backbone]] = {
    "efficientnetv2-b0": Backbone(_application("EfficientNetV2B0"), 270, 22.58),
    "efficientnetv2-b1": Backbone(_application("EfficientNetV2B1"), 334, 26.44),
    "efficientnetv2-b2": Backbone(_application("EfficientNetV2B2"), 349, 33.45),
    "efficientnetv2-b3": Backbone(_application("EfficientNetV2B3"), 409, 49.33),
    "efficientnetv2-s": Backbone(_application("EfficientNetV2S"), 513, 77.56),
    "tiny": Backbone(_tiny, imagenet=False),
}


def build(name: str, image_size: int, weights: str) -> tuple[keras.Model, str]:
    """Build a backbone and load its weights; also returns a line on where they came from.

    ``weights`` is ``imagenet`` (downloaded by Keras), ``none`` (random), or a .npz file with
    ``layer/variable`` keys. Raises WeightsError if they cannot be had or do not fit.
    """
    backbone = BACKBONES[name]
    shape = (image_size, image_size, 3)
    if weights == "imagenet":
        return _with_imagenet(name, backbone, shape), "ImageNet, from Keras"
    network = backbone.build(input_shape=shape, weights=None)
    if weights == "none":
        return network, "random"
    return network, load_npz(network, Path(weights))


def load_npz(network: keras.Model, path: Path) -> str:
    """Fill a network from a .npz with a float array for each ``layer/variable``; nothing else.

    Every variable must be there, in its shape, and no other (WeightsError names the first that
    is not). The file is read without unpickling. Returns the file's name and SHA-256.
    """
    arrays = _read_npz(path)
    wanted = {f"{layer.name}/{v.name}": v for layer in network.layers for v in layer.weights}
    # Normalisation layers with given constants hold no weights worth storing.
    wanted = {key: v for key, v in wanted.items() if not key.startswith("normalization")}
    for key, variable in wanted.items():
        if key not in arrays:
            raise WeightsError(f"{path}: not the weights of {network.name}: {key!r} is missing")
        if arrays[key].shape != tuple(variable.shape):
            raise WeightsError(
                f"{path}: not the weights of {network.name}: {key!r} has shape "
                f"{arrays[key].shape}, expected {tuple(variable.shape)}"
            )
    if unknown := sorted(set(arrays) - set(wanted)):
        raise WeightsError(f"{path}: not the weights of {network.name}: {unknown[0]!r} is unknown")
    for key, variable in wanted.items():
        variable.assign(arrays[key])
    return f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except FileNotFoundError:
        raise WeightsError(f"--weights: {path}: no such file") from None
    except (OSError, ValueError, zipfile.BadZipFile, AttributeError, EOFError):
        raise WeightsError(f"--weights: {path}: not a readable .npz file of arrays") from None


def _with_imagenet(name: str, backbone: Backbone, shape: tuple[int, int, int]) -> keras.Model:
    if not backbone.imagenet:
        raise WeightsError(f"{name} has no ImageNet weights: say --weights none")
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        # Keras prints the address and a bar on standard output, which is for results here.
        shown = sys.stderr if sys.stderr.isatty() else io.StringIO()
        with contextlib.redirect_stdout(shown):
            return backbone.build(input_shape=shape, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception, urllib and ssl their own
        reason = str(error).rsplit("--", 1)[-1].strip() or type(error).__name__
        raise WeightsError(
            f"the ImageNet weights of {name} cannot be downloaded ({reason}); "
            "name a file with --weights FILE.npz"
        ) from None
    finally:
        socket.setdefaulttimeout(patience)
