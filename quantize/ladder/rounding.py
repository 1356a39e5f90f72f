"""Rounding as TFLite's int8 does it: activations by tensor, weights by output channel."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.quantize.ladder.network import WEIGHTED, Network
from corrosion_edge.quantize.ladder.ranges import Range

__all__ = ["DAMPING", "in_order", "integers", "rounded", "rounder", "rounded_weights", "scales"]

LARGEST: Final = 127  # of a weight: TFLite's specification keeps -128 free
_BLOCK: Final = 64
DAMPING: Final = 0.01
Array = npt.NDArray[Any]


def scales(weights: Array, axis: int, *, one: bool = False) -> npt.NDArray[np.float64]:
    """The step of each output channel, along ``axis``; with ``one`` the same for all.

    Symmetric, 127 steps to the largest absolute value: TFLite's quantization specification.
    """
    others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.maximum(np.abs(weights).max(axis=others), 1e-9)
    steps = np.asarray(largest / LARGEST, np.float64)
    return np.full_like(steps, steps.max()) if one else steps


def integers(value: Any, held: Range) -> Any:
    """A tensor's int8 values, -128 to 127, still in float32."""
    return tf.clip_by_value(tf.round(value / held.scale) + held.zero, -128.0, 127.0)


def rounded(value: Any, held: Range) -> Any:
    """A tensor as int8 would hold it, in float."""
    return (integers(value, held) - held.zero) * held.scale


def rounder(ranges: Mapping[int, Range]) -> Callable[[int, Any], Any]:
    """The change that ``arithmetic.run`` takes: every tensor with a range is rounded to it."""

    def change(number: int, value: Any) -> Any:
        return rounded(value, ranges[number]) if number in ranges else value

    return change


def rounded_weights(network: Network) -> dict[int, Array]:
    """All weights, each rounded to the nearest step of its channel."""
    found = {}
    for op in network.ops:
        if op.kind in WEIGHTED:
            weights = network.constants[op.inputs[1]]
            axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
            steps = scales(weights, axis, one=op.kind == "FULLY_CONNECTED")
            shape = [-1 if i == axis else 1 for i in range(weights.ndim)]
            wide = steps.reshape(shape)
            found[op.inputs[1]] = (np.round(weights / wide) * wide).astype(np.float32)
    return found


def in_order(
    weights: Array, power: Array, steps: Array, damping: float = DAMPING
) -> npt.NDArray[np.float64]:
    """Round weights [k, o] to ``steps`` [o] so that the output's error stays least.

    ``power`` [k, k] is the inputs' second moment; ``damping``, a share of its mean, is added to
    its diagonal, more where few pictures stand behind it. The input with the most power comes
    first; what rounding it changes in the output, the inputs after it make up for (Frantar et
    al. 2023).
    """
    order = np.argsort(-np.diag(power))
    left, damped = weights[order].astype(np.float64), power[np.ix_(order, order)].copy()
    damped[np.diag_indices(len(damped))] += damping * np.diag(power).mean() + 1e-12
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    done = np.zeros_like(left)
    for start in range(0, len(left), _BLOCK):
        end = min(start + _BLOCK, len(left))
        errors = np.zeros((end - start, left.shape[1]))
        for i in range(start, end):
            done[i] = np.clip(np.round(left[i] / steps), -LARGEST, LARGEST) * steps
            errors[i - start] = (left[i] - done[i]) / upper[i, i]
            left[i + 1 : end] -= np.outer(upper[i, i + 1 : end], errors[i - start])
        left[end:] -= upper[start:end, end:].T @ errors
    result = np.empty_like(done)
    result[order] = done
    return result
