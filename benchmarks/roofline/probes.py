"""Networks that do little but multiply: what a runtime's own kernels reach on them is the peak."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.network.writing import Table, encode

__all__ = ["KINDS", "SHAPES", "macs_of", "probe"]

KINDS: Final = ("INT8", "FLOAT32")

SHAPES: Final = ((128, 28), (256, 14), (256, 28), (512, 14))
"""Channels and side of the squares on which the peak is looked for. Which is fastest depends on
caches and kernels; all fit into the second-level cache of a Raspberry Pi 4 as int8."""

_LAYERS: Final = 8
_INT8, _FLOAT32, _INT32 = np.int8(9), np.int8(0), np.int8(2)  # TensorType of the schema
_CONV_2D: Final = 3  # BuiltinOperator
_OPTIONS: Final = np.uint8(1)  # BuiltinOptions: Conv2DOptions
_SCALE, _WEIGHT_SCALE = 0.05, 0.004


def macs_of(channels: int, side: int) -> int:
    """Multiply-accumulates of a ``probe`` for one picture."""
    return _LAYERS * side * side * channels * channels


def probe(kind: str, channels: int, side: int) -> bytes:
    """A TFLite flatbuffer of 1 x 1 convolutions one after the other, each with the same weights.

    Input and output are [1, side, side, channels], of ``kind`` INT8 or FLOAT32. ValueError for
    another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    square = [1, side, side, channels]
    tensors = [_tensor(kind, f"square{n}", square, 0) for n in range(_LAYERS + 1)]
    tensors += [_weights(kind, channels), _bias(kind, channels)]
    operators = [_convolution(n, _LAYERS + 1, _LAYERS + 2) for n in range(_LAYERS)]
    graph = Table({0: tensors, 1: _integers(0), 2: _integers(_LAYERS), 3: operators})
    code = Table({0: np.int8(_CONV_2D), 2: np.int32(3), 3: np.int32(_CONV_2D)})
    model = Table({0: np.uint32(3), 1: [code], 2: [graph], 4: _contents(kind, channels)})
    return encode(model, b"TFL3")


def _contents(kind: str, channels: int) -> list[Table]:
    """Buffers: the empty one that the format asks for, weights, bias."""
    draw = np.random.default_rng(1)
    count = channels * channels
    if kind == "INT8":
        weights: Any = draw.integers(-127, 128, count, dtype=np.int8)
        bias: Any = np.zeros(channels, np.int32)
    else:
        weights = draw.normal(0, channels**-0.5, count).astype("<f4")  # so that values stay small
        bias = np.zeros(channels, "<f4")
    return [Table(), Table({0: weights.tobytes()}), Table({0: bias.tobytes()})]


def _tensor(kind: str, name: str, shape: list[int], buffer: int, scale: float = _SCALE) -> Table:
    number = _INT8 if kind == "INT8" else _FLOAT32
    return Table({0: _integers(*shape), 1: number, 2: np.uint32(buffer), 3: name,
                  **_quantized(kind, scale)})  # fmt: skip


def _weights(kind: str, channels: int) -> Table:
    return _tensor(kind, "weights", [channels, 1, 1, channels], 1, _WEIGHT_SCALE)


def _bias(kind: str, channels: int) -> Table:
    number = _INT32 if kind == "INT8" else _FLOAT32
    return Table({0: _integers(channels), 1: number, 2: np.uint32(2), 3: "bias",
                  **_quantized(kind, _SCALE * _WEIGHT_SCALE)})  # fmt: skip


def _quantized(kind: str, scale: float) -> dict[int, Table]:
    if kind != "INT8":
        return {}
    return {4: Table({2: np.array([scale], np.float32), 3: np.zeros(1, np.int64)})}


def _convolution(layer: int, weights: int, bias: int) -> Table:
    strides = Table({1: np.int32(1), 2: np.int32(1), 4: np.int32(1), 5: np.int32(1)})
    inputs, outputs = _integers(layer, weights, bias), _integers(layer + 1)
    return Table({1: inputs, 2: outputs, 3: _OPTIONS, 4: strides})


def _integers(*values: int) -> npt.NDArray[np.int32]:
    return np.array(values, np.int32)
