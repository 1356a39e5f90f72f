"""Running a taken-apart network in TensorFlow: in float, or with every tensor rounded as int8."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.ladder.network import Network, Op

__all__ = ["KNOWN", "apply", "log_odds", "require_known", "run", "windows"]

Tensors = Mapping[int, Any]
Change = Callable[[int, Any], Any]
_BATCH: Final = 28
_FUSED: Final = {0: None, 1: tf.nn.relu, 3: tf.nn.relu6}
"""Fused activations by their number in the schema: none, RELU, RELU6."""


def run(
    network: Network, x: Any, constants: Tensors | None = None, change: Change | None = None
) -> dict[int, Any]:
    """Every tensor of the network for inputs ``x`` float32 [n, h, w, 3].

    ``constants`` replace the network's own; ``change(tensor, value)`` is applied to whatever an
    operator gives before the next one reads it.
    """
    values = {network.input: x}
    for op in network.ops:
        value = apply(network, op, values, constants or {})
        values[op.output] = change(op.output, value) if change else value
    return values


def log_odds(
    network: Network,
    pixels: npt.NDArray[Any],
    constants: Tensors | None = None,
    change: Change | None = None,
) -> npt.NDArray[np.float64]:
    """Log-odds of corrosion, float64 [n], for RGB pixels [n, h, w, 3] in 0..255."""

    @tf.function(autograph=False)
    def batch(x: Any) -> Any:
        both = run(network, x, constants, change)[network.log_odds]
        return both[:, 1] - both[:, 0]

    parts = [pixels[i : i + _BATCH] for i in range(0, len(pixels), _BATCH)]
    inputs = (tf.constant(part.astype(np.float32) - network.offset) for part in parts)
    return np.concatenate([batch(x).numpy() for x in inputs]).astype(np.float64)


def require_known(network: Network) -> None:
    """BackendError, naming it, if an operator or its fused activation is not in ``KNOWN``."""
    for op in network.ops:
        fused = getattr(op.options, "fusedActivationFunction", 0)
        if op.kind not in KNOWN or fused not in _FUSED:
            raise BackendError(f"the operator {op.kind} (number {op.place}) is not known here")


def apply(network: Network, op: Op, values: Tensors, constants: Tensors) -> Any:
    """One operator on ``values``; what is not among them is a constant."""

    def given(number: int) -> Any:
        if number in values:
            return values[number]
        return constants[number] if number in constants else network.constants[number]

    result = KNOWN[op.kind](network, op, *(given(i) for i in op.inputs if i >= 0))
    fused = _FUSED[getattr(op.options, "fusedActivationFunction", 0)]
    return fused(result) if fused else result


def windows(x: Any, op: Op, height: int, width: int) -> Any:
    """What each place of a convolution sees, [n, h, w, height * width * c]."""
    strides = [1, op.options.strideH, op.options.strideW, 1]
    return tf.image.extract_patches(x, [1, height, width, 1], strides, [1, 1, 1, 1], _padding(op))


def _padding(op: Op) -> str:
    return "VALID" if op.options.padding else "SAME"


def _conv(_: Network, op: Op, x: Any, weights: Any, bias: Any = 0.0) -> Any:
    options = op.options
    kernel = tf.transpose(weights, [1, 2, 3, 0])
    steps = [options.strideH, options.strideW]
    dilation = [options.dilationHFactor, options.dilationWFactor]
    return tf.nn.conv2d(x, kernel, steps, _padding(op), dilations=dilation) + bias


def _depthwise(_: Network, op: Op, x: Any, weights: Any, bias: Any = 0.0) -> Any:
    steps = [1, op.options.strideH, op.options.strideW, 1]
    kernel = tf.reshape(weights, [*weights.shape[1:3], x.shape[-1], -1])
    return tf.nn.depthwise_conv2d(x, kernel, steps, _padding(op)) + bias


def _dense(_: Network, _op: Op, x: Any, weights: Any, bias: Any = 0.0) -> Any:
    return tf.matmul(tf.reshape(x, [-1, weights.shape[1]]), weights, transpose_b=True) + bias


def _mean(_: Network, op: Op, x: Any, axes: Any) -> Any:
    return tf.reduce_mean(x, [int(a) for a in np.ravel(axes)], keepdims=op.options.keepDims)


def _reduce_max(_: Network, op: Op, x: Any, axes: Any) -> Any:
    return tf.reduce_max(x, [int(a) for a in np.ravel(axes)], keepdims=op.options.keepDims)


def _reshape(network: Network, op: Op, x: Any, *_: Any) -> Any:
    return tf.reshape(x, [-1, *network.shapes[op.output][1:]])


def _pool(kind: str) -> Callable[..., Any]:
    def pool(_: Network, op: Op, x: Any) -> Any:
        o = op.options
        window, steps = (o.filterHeight, o.filterWidth), (o.strideH, o.strideW)
        return tf.nn.pool(x, window, kind, strides=steps, padding=_padding(op))

    return pool


KNOWN: Final[Mapping[str, Callable[..., Any]]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "ADD": lambda _n, _o, a, b: a + b,
    "SUB": lambda _n, _o, a, b: a - b,
    "MUL": lambda _n, _o, a, b: a * b,
    "LOGISTIC": lambda _n, _o, x: tf.sigmoid(x),
    "RELU": lambda _n, _o, x: tf.nn.relu(x),
    "RELU6": lambda _n, _o, x: tf.nn.relu6(x),
    "MEAN": _mean,
    "REDUCE_MAX": _reduce_max,
    "RESHAPE": _reshape,
    "SOFTMAX": lambda _n, o, x: tf.nn.softmax(o.options.beta * x),
    "MAX_POOL_2D": _pool("MAX"),
    "AVERAGE_POOL_2D": _pool("AVG"),
    "CONCATENATION": lambda _n, o, *x: tf.concat(x, o.options.axis),
    "PAD": lambda _n, _o, x, paddings: tf.pad(x, paddings),
}
"""What the operators compute, after the TFLite reference kernels."""
