"""Weights and biases that make up for what rounding does, layer by layer, without training.

The network runs twice side by side over calibration photos: in float, and rounded as int8 does
it, with all layers so far already mended. In each convolution the weights then solve a least
squares problem: from the rounded inputs to the float outputs (asymmetric calibration, as in
GPTAQ, Li et al. 2025). They are rounded one input at a time, each rounding's error being spread
over the inputs still to come (GPTQ, Frantar et al. 2023, after Optimal Brain Surgeon). The bias
takes what is left of the mean (Nagel et al. 2019, "Data-free quantization"). Places count by how
much an error there changes the probability.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from corrosion_edge.progress import progress
from corrosion_edge.quantize.ladder.arithmetic import windows
from corrosion_edge.quantize.ladder.kept import Kept
from corrosion_edge.quantize.ladder.network import WEIGHTED, Network, Op
from corrosion_edge.quantize.ladder.ranges import Range
from corrosion_edge.quantize.ladder.rounding import DAMPING, in_order, scales

__all__ = ["settle", "solve"]

_ROWS: Final = 30_000  # places that a layer's equations are made from
_ROWS_BY_CHANNEL: Final = 3_000  # of a depthwise one, each channel of which has few unknowns
# Of 0.1, 0.3, 0.5 and 1 with 256 and 512 photos, the one with the least change on validation.
_RIDGE: Final = 0.3  # share of the mean input power that keeps weights near the float ones
_SCARCE: Final = 10  # rows for each unknown under which the ridge grows
_BASE: Final = 0.05  # weight that even a place without influence has, the mean being 1
_FEWEST: Final = 4  # photos, however many places each has
_WINDOWS: Final = 6  # times as many places as are used are looked at, before some are left out
Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.float32]
Places = Mapping[int, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class _Equations:
    """What a layer reads [rows, k] (or [rows, k, channels]), what is missing in its output
    [rows, channels], and the weight [rows] of each row, 1 on average."""

    inputs: Array
    missing: Array
    weight: Array


def solve(
    network: Network,
    ranges: Mapping[int, Range],
    pixels: Pixels,
    places: Places,
) -> dict[int, Array]:
    """Weights on int8's steps, and biases, that make the rounded network answer like ``network``.

    ``pixels`` are float32 [n, h, w, 3] in 0..255, ``places`` the weight of every place of every
    operator's output on them (see ``statistics``). The result is by tensor.
    """
    return _mended(Kept(network, pixels), Kept(network, pixels), ranges, places, {})


def settle(
    network: Network,
    weights: Mapping[int, Array],
    ranges: Mapping[int, Range],
    pixels: Pixels,
    places: Places,
) -> dict[int, Array]:
    """Other weights and biases for ``network``, put on int8's steps; by tensor.

    ``weights`` were made for rounded activations: only what their own rounding adds is made up
    for. The other arguments are those of ``solve``.
    """
    return _mended(None, Kept(network, pixels), ranges, places, weights)


def _mended(
    exact: Kept | None,
    coarse: Kept,
    ranges: Mapping[int, Range],
    places: Places,
    start: Mapping[int, Array],
) -> dict[int, Array]:
    mended: dict[int, Array] = {}
    ops = coarse.network.ops
    last = {number: op.place for op in ops for number in op.inputs}
    for op in progress(ops, "Solving layers", length=len(ops)):
        if exact:
            exact.run(op)
        if op.kind in WEIGHTED:
            rows = _lost(op, exact, coarse, ranges[op.output], places[op.output])
            mended |= _mend(op, coarse.network, start, rows)
        coarse.run(op, mended, ranges[op.output])
        for number in op.inputs:
            if last[number] == op.place:
                coarse.drop(number)
                if exact:
                    exact.drop(number)
    return mended


def _lost(
    op: Op, exact: Kept | None, coarse: Kept, held: Range, places: npt.NDArray[np.float32]
) -> _Equations:
    photos = _photos(op, places.shape)
    given = coarse.applied(op, photos)
    missing = tf.zeros_like(given)
    if exact:
        wanted = exact.first(op.output, photos)
        # What int8 cannot hold is lost anyway; to run after it would spoil the rest.
        out_of_reach = (wanted < held.low) | (wanted > held.high)
        missing = tf.where(out_of_reach, 0.0, wanted - given)
    shape = coarse.network.constants[op.inputs[1]].shape
    return _equations(op, shape, coarse.first(op.inputs[0], photos), missing, places)


def _mend(
    op: Op, network: Network, start: Mapping[int, Array], rows: _Equations
) -> dict[int, Array]:
    """Steps are those of the network's own weights, wherever the weights start."""
    own = network.constants[op.inputs[1]]
    weights, bias = (start.get(i, network.constants[i]) for i in op.inputs[1:3])
    if op.kind == "DEPTHWISE_CONV_2D":
        changed, shift = _by_channel(rows, weights, scales(own, axis=3))
    else:
        steps = scales(own, axis=0, one=op.kind == "FULLY_CONNECTED")
        changed, shift = _together(rows, weights, steps)
    return dict(zip(op.inputs[1:3], (changed, (bias + shift).astype(np.float32)), strict=True))


def _photos(op: Op, shape: tuple[int, ...]) -> int:
    """How many photos give enough places; of a dense layer, which has one place, all."""
    if op.kind == "FULLY_CONNECTED":
        return shape[0]
    return min(shape[0], max(_FEWEST, _WINDOWS * _most(op) // int(np.prod(shape[1:]))))


def _most(op: Op) -> int:
    return _ROWS_BY_CHANNEL if op.kind == "DEPTHWISE_CONV_2D" else _ROWS


def _equations(
    op: Op, shape: tuple[int, ...], x: Any, missing: Any, places: npt.NDArray[np.float32]
) -> _Equations:
    """Places that are evenly spread over the photos."""
    channels, depthwise = missing.shape[-1], op.kind == "DEPTHWISE_CONV_2D"
    if op.kind != "FULLY_CONNECTED":
        x = windows(x, op, *shape[1:3])
    split = [-1, x.shape[-1] // channels, channels] if depthwise else [-1, x.shape[-1]]
    weight = places[: len(missing)].reshape(-1)
    chosen = np.linspace(0, len(weight) - 1, min(len(weight), _most(op))).astype(np.int64)
    inputs = tf.gather(tf.reshape(x, split), chosen).numpy()
    short = tf.gather(tf.reshape(missing, [-1, channels]), chosen).numpy()
    weight = weight[chosen] / max(float(weight[chosen].mean()), 1e-30) + _BASE
    return _Equations(inputs, short, (weight / weight.mean()).astype(np.float32))


def _together(rows: _Equations, weights: Array, steps: Array) -> tuple[Array, Array]:
    """Convolutions and dense layers: all inputs of an output at once."""
    n, k = rows.inputs.shape
    weight = rows.weight[:, None]
    mean_in, mean_out = (rows.inputs * weight).mean(0), (rows.missing * weight).mean(0)
    centred = rows.inputs - mean_in
    weighted = centred * weight
    power = (weighted.T @ centred).astype(np.float64) / n
    cross = (weighted.T @ (rows.missing - mean_out)).astype(np.float64) / n
    scarcity = max(1.0, _SCARCE * k / n)
    ridge = _RIDGE * np.diag(power).mean() * scarcity + 1e-12
    before = weights.reshape(len(weights), -1).T.astype(np.float64)
    wished = before + np.linalg.solve(power + ridge * np.eye(k), cross)
    after = in_order(np.clip(wished, -127 * steps, 127 * steps), power, steps,
                     DAMPING * scarcity)  # fmt: skip
    shift = mean_out - mean_in @ (after - before)
    return after.T.reshape(weights.shape).astype(np.float32), shift


def _by_channel(rows: _Equations, weights: Array, steps: Array) -> tuple[Array, Array]:
    """Depthwise convolutions: a small problem for each channel."""
    n, k, channels = rows.inputs.shape
    mean_in = np.einsum("n,nkc->kc", rows.weight, rows.inputs) / n
    mean_out = rows.weight @ rows.missing / n
    centred = (rows.inputs - mean_in).transpose(2, 0, 1)
    weighted = centred * rows.weight[None, :, None]
    power = (weighted.transpose(0, 2, 1) @ centred).astype(np.float64) / n
    cross = np.einsum("cnk,nc->ck", weighted, rows.missing - mean_out).astype(np.float64) / n
    ridge = _RIDGE * np.trace(power, axis1=1, axis2=2) / k + 1e-12
    before = weights.reshape(k, channels).T.astype(np.float64)
    wished = (
        before + np.linalg.solve(power + ridge[:, None, None] * np.eye(k), cross[..., None])[..., 0]
    )
    steps = steps[:, None]
    after = np.clip(np.round(wished / steps), -127, 127) * steps
    shift = mean_out - np.einsum("kc,ck->c", mean_in, after - before)
    return after.T.reshape(weights.shape).astype(np.float32), shift
