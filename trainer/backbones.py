"""The networks that can be trained, as a table, and where their weights come from."""

import contextlib
import fcntl
import hashlib
import io
import math
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras

from corrosion_edge.errors import WeightsError
from corrosion_edge.trainer import lite0
from corrosion_edge.trainer.weights import store
from corrosion_edge.trainer.weights.arrays import read_npz
from corrosion_edge.trainer.weights.catalogue import SOURCES, Source
from corrosion_edge.trainer.weights.variables import fill

__all__ = ["BACKBONES", "Backbone", "build", "load_npz"]

_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)
"""Of ImageNet's pixels, RGB in 0..1, as keras.applications.imagenet_utils has them."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A convolutional network without top: RGB 0..255 in, a feature map [h/32, w/32, c] out.

    Scaling the input is part of every network. ``layers`` and ``mebibytes`` (of float32
    parameters) are those of the paper's Table 1, None where the paper does not have it; ``added``
    layers are ours, hold no weights and are not counted in the table. ``source`` tells file,
    hash, origin and licence of the ImageNet weights, None if there are none.
    """

    build: Callable[..., keras.Model]
    layers: int | None = None
    mebibytes: float | None = None
    added: int = 0
    source: Source | None = None


def _application(name: str) -> Callable[..., keras.Model]:
    return lambda **kwargs: getattr(keras.applications, name)(include_top=False, **kwargs)


def _densenet(name: str) -> Callable[..., keras.Model]:
    """A DenseNet of Keras, with the normalisation that its weights expect in front of it."""

    def build(input_shape: tuple[int, int, int], weights: str | None = None) -> keras.Model:
        normalise = keras.layers.Normalization(
            mean=[255 * mean for mean in _IMAGENET_MEAN],
            variance=[(255 * std) ** 2 for std in _IMAGENET_STD],
            name="imagenet_normalization",
        )
        inputs = keras.Input(input_shape)
        application = getattr(keras.applications, name)(
            include_top=False, weights=weights, input_tensor=normalise(inputs),
            input_shape=input_shape,
        )  # fmt: skip
        # Keras makes a network with a list of inputs here; all others have one.
        return keras.Model(inputs, application.output, name=application.name)

    return build


def _efficientnet(name: str) -> Callable[..., keras.Model]:
    """An EfficientNet (2019) of Keras, which is another network with and without ImageNet.

    Its weights need a factor after the normalisation that Keras leaves out for ``weights=None``.
    """

    def build(input_shape: tuple[int, int, int], weights: str | None = None) -> keras.Model:
        network = _application(name)(input_shape=input_shape, weights=weights)
        if weights == "imagenet":
            return network
        factor = keras.layers.Rescaling([1 / math.sqrt(std) for std in _IMAGENET_STD])

        def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
            if layer.name == "stem_conv_pad":
                return layer(factor(args[0]), *args[1:], **kwargs)
            return layer(*args, **kwargs)

        return keras.models.clone_model(network, call_function=call)

    return build


def _tiny(input_shape: tuple[int, int, int], weights: None = None) -> keras.Model:
    """A network for trials without ImageNet weights: 5 strided blocks, 43,000 parameters."""
    x = inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(x)
    for block, channels in enumerate((16, 32, 48, 96, 160), start=1):
        if block > 1:
            name = f"block{block}_dwconv"
            x = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=name)(x)
            x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{block}_dw_bn")(x)
            x = keras.layers.ReLU(6)(x)
        kernel, name = (3 if channels < 64 else 1), f"block{block}_conv"
        x = keras.layers.Conv2D(channels, kernel, 2, "same", use_bias=False, name=name)(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"block{block}_bn")(x)
        x = keras.layers.ReLU(6)(x)
    return keras.Model(inputs, x, name="tiny")


def _table() -> dict[str, Backbone]:
    rows: dict[str, tuple[Callable[..., keras.Model], int | None, float | None, int]] = {
        "efficientnetv2-b0": (_application("EfficientNetV2B0"), 270, 22.58, 0),
        "efficientnetv2-b1": (_application("EfficientNetV2B1"), 334, 26.44, 0),
        "efficientnetv2-b2": (_application("EfficientNetV2B2"), 349, 33.45, 0),
        "efficientnetv2-b3": (_application("EfficientNetV2B3"), 409, 49.33, 0),
        "efficientnetv2-s": (_application("EfficientNetV2S"), 513, 77.56, 0),
        "efficientnetv2-m": (_application("EfficientNetV2M"), 740, 202.75, 0),
        "efficientnetv2-l": (_application("EfficientNetV2L"), 1028, 449.17, 0),
        "efficientnet-b0": (_efficientnet("EfficientNetB0"), 238, 15.45, 0),
        "efficientnet-b1": (_efficientnet("EfficientNetB1"), 340, 25.08, 0),
        "efficientnet-b2": (_efficientnet("EfficientNetB2"), 340, 29.63, 0),
        "densenet121": (_densenet("DenseNet121"), 427, 26.85, 1),
        "densenet169": (_densenet("DenseNet169"), 595, 48.23, 1),
        "efficientnet-lite0": (lite0.build, None, None, 0),
        "tiny": (_tiny, None, None, 0),
    }
    return {name: Backbone(*row, source=SOURCES.get(name)) for name, row in rows.items()}


BACKBONES: Final[dict[str, Backbone]] = _table()
"""The paper's twelve, one made for accelerators, and one for trials."""


def build(name: str, image_size: int, weights: str) -> tuple[keras.Model, str]:
    """Build a backbone and load its weights; also returns a line on where they came from.

    ``weights`` is ``imagenet`` (from the user's folder of weights if they are there and verified,
    else downloaded by Keras), ``none`` (random), or a .npz file, with ``layer/variable`` keys or,
    for EfficientNet-Lite0, PyTorch's. Raises WeightsError if they cannot be had or do not fit.
    """
    backbone = BACKBONES[name]
    shape = (image_size, image_size, 3)
    if weights == "imagenet":
        return _with_imagenet(name, backbone, shape)
    network = backbone.build(input_shape=shape, weights=None)
    if weights == "none":
        return network, "random"
    return network, load_npz(network, Path(weights))


def load_npz(network: keras.Model, path: Path) -> str:
    """Fill a network from a .npz with an array for each ``layer/variable``; nothing else.

    The file is read without unpickling. Returns its name and SHA-256. WeightsError as
    ``weights.variables.fill``.
    """
    arrays = read_npz(path)
    if lite0.is_pytorch(arrays):
        arrays = lite0.from_pytorch(arrays)
    fill(network, arrays, path)
    return f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _with_imagenet(
    name: str, backbone: Backbone, shape: tuple[int, int, int]
) -> tuple[keras.Model, str]:
    """From the user's folder, else from Keras; weights there that are unverified are not taken."""
    if backbone.source is None:
        raise WeightsError(f"{name} has no ImageNet weights: say --weights none")
    path = store.default_folder() / f"{name}.npz"
    kept = store.load(path.parent, name)
    if kept is None:
        return _from_keras(name, backbone, shape, ""), "ImageNet, from Keras"
    arrays, note = kept
    if not note.verified:
        aside = f" ({path} is unverified, so it is taken for --weights {path} only)"
        return _from_keras(name, backbone, shape, aside), "ImageNet, from Keras"
    network = backbone.build(input_shape=shape, weights=None)
    fill(network, arrays, path)
    return network, (
        f"ImageNet, from the weights folder: {note.source}, verified by {note.verified_by}, "
        f"content SHA-256 {note.content_sha256}"
    )


def _from_keras(
    name: str, backbone: Backbone, shape: tuple[int, int, int], aside: str
) -> keras.Model:
    source = SOURCES[name]
    advice = (
        f"; bring {source.file} here and run corrosion-edge weights import FILE, "
        f"or name a file with --weights FILE.npz{aside}"
    )
    if not source.in_keras:
        raise WeightsError(f"Keras does not have the ImageNet weights of {name}{advice}")
    with _no_other_download(name):
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
                f"the ImageNet weights of {name} cannot be downloaded ({reason}){advice}"
            ) from None
        finally:
            socket.setdefaulttimeout(patience)


@contextlib.contextmanager
def _no_other_download(name: str) -> Iterator[None]:
    """Wait for others of this user that download the same: Keras writes the file in its place."""
    path = Path(tempfile.gettempdir(), f"corrosion-edge-{os.getuid()}-{name}.lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
