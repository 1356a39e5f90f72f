"""From what a tensor holds to the range that int8 spans: scale and zero point."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.ladder.network import WEIGHTED, Network

__all__ = ["METHODS", "SAME", "Histogram", "Range", "choose", "fixed"]

STEPS: Final = 255
_GRID: Final = 48  # ends tried for each side of a range
_LEAST: Final = 0.02  # share of the way to the extreme value that the narrowest range tried reaches
_FINEST: Final = 128  # steps of an output in one step of input times weights, half of what may be
_PERCENTILE: Final = 0.9999
_ENTROPY_STEP: Final = 4  # bins between two ranges tried by entropy
_NEVER: Final = 1e-4  # probability of what int8 cannot hold, for the logarithm
Curve = npt.NDArray[np.float64]

SAME: Final = ("RESHAPE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "CONCATENATION")
"""Operators whose TFLite kernels want inputs and output in one range."""

_FIXED: Final = {"LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128)}
"""Ranges that TFLite's int8 kernels demand of an output."""


@dataclass(frozen=True, slots=True)
class Range:
    """int8 q stands for (q - zero) * scale; ``zero`` is in -128..127, 0 is always a step."""

    scale: float
    zero: int

    def __post_init__(self) -> None:
        if not self.scale > 0 or not -128 <= self.zero <= 127:
            raise ValueError(f"expected scale > 0 and zero in -128..127, got {self}")

    @classmethod
    def over(cls, low: float, high: float) -> "Range":
        """The range whose ends come nearest to ``low`` and ``high`` and which holds 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = float(np.float32(max(high - low, 1e-8) / STEPS))
        return cls(scale, int(np.clip(round(-128 - low / scale), -128, 127)))

    @property
    def low(self) -> float:
        """The least value that it can hold."""
        return (-128 - self.zero) * self.scale

    @property
    def high(self) -> float:
        """The largest."""
        return (127 - self.zero) * self.scale


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """A tensor's values between ``low`` and ``high`` in equal bins, float64 [bins].

    ``count`` says how many fell into each bin, ``weight`` how much the square of an error there
    changes the square of the log-odds.
    """

    low: float
    high: float
    count: Curve
    weight: Curve

    @property
    def centres(self) -> Curve:
        """The middle of each bin."""
        bins = len(self.count)
        return self.low + (np.arange(bins) + 0.5) / bins * (self.high - self.low)


def fixed(network: Network) -> dict[int, Range]:
    """The ranges that are no choice, by tensor."""
    return {op.output: Range(*_FIXED[op.kind]) for op in network.ops if op.kind in _FIXED}


def choose(network: Network, histograms: Mapping[int, Histogram], method: str) -> dict[int, Range]:
    """A range for every operator's output, by one of ``METHODS``."""
    chosen = {number: METHODS[method](h) for number, h in histograms.items()} | fixed(network)
    for op in reversed(network.ops):
        if op.kind in SAME:
            shared = chosen[op.output]
            chosen |= {number: shared for number in op.inputs if number in chosen}
    for op in network.ops:
        if op.kind in SAME and op.inputs[0] in chosen:
            chosen[op.output] = chosen[op.inputs[0]]
    return _wide_enough(network, chosen)


def _wide_enough(network: Network, chosen: dict[int, Range]) -> dict[int, Range]:
    """Widen ranges of outputs that are nearly always 0, as runtimes refuse too fine a step.

    XNNPACK wants the step of input times that of weights below 256 steps of the output.
    """
    for op in network.ops:
        if op.kind in WEIGHTED:
            source = chosen[op.inputs[0]].scale if op.inputs[0] in chosen else 1.0
            weights = float(np.abs(network.constants[op.inputs[1]]).max()) / 127
            least, held = source * weights / _FINEST, chosen[op.output]
            if held.scale < least:
                chosen[op.output] = Range(float(np.float32(least)), held.zero)
    return chosen


def _minimum_maximum(h: Histogram) -> Range:
    return Range.over(h.low, h.high)


def _percentile(h: Histogram) -> Range:
    """All but one in 10,000 values, as many left out at either end."""
    share = np.cumsum(h.count) / max(h.count.sum(), 1)
    tail = (1 - _PERCENTILE) / 2
    low, high = np.searchsorted(share, (tail, 1 - tail))
    return Range.over(float(h.centres[low]), float(h.centres[min(high, len(share) - 1)]))


def _least_error(h: Histogram, weight: Curve) -> Range:
    """Of a grid of ends the two with the least squared error of rounding and clipping.

    Rounding costs scale ** 2 / 12 for each value inside, clipping the square of what is cut off.
    """
    centres, shares = h.centres, np.linspace(_LEAST, 1, _GRID)
    lows = np.unique(min(h.low, 0.0) * shares)
    highs = np.unique(max(h.high, 0.0) * shares)
    below = np.array([(weight * np.square(np.minimum(centres - low, 0))).sum() for low in lows])
    above = np.array([(weight * np.square(np.maximum(centres - high, 0))).sum() for high in highs])
    total = np.concatenate([[0.0], np.cumsum(weight)])
    first, last = np.searchsorted(centres, lows), np.searchsorted(centres, highs)
    inside = np.maximum(total[last][None, :] - total[first][:, None], 0)
    scales = np.maximum(highs[None, :] - lows[:, None], 1e-8) / STEPS
    cost = below[:, None] + above[None, :] + np.square(scales) / 12 * inside
    i, j = np.unravel_index(int(cost.argmin()), cost.shape)
    return Range.over(float(lows[i]), float(highs[j]))


def _entropy(h: Histogram) -> Range:
    """The symmetric cut whose rounded histogram diverges least from the clipped one.

    Kullback and Leibler's divergence, as in Migacz, "8-bit inference with TensorRT" (2017), on
    the side of 0 that reaches further; the other side is cut at the same distance.
    """
    reach = max(abs(h.low), abs(h.high))
    magnitudes = np.zeros(len(h.count) // 4)  # or the bins of a lopsided tensor leave gaps
    bins = np.minimum(np.abs(h.centres) / reach * len(magnitudes), len(magnitudes) - 1)
    np.add.at(magnitudes, bins.astype(np.int64), h.count)
    cuts = range(STEPS // 2 + 1, len(magnitudes) + 1, _ENTROPY_STEP)
    best = min(cuts, key=lambda cut: _divergence(magnitudes, cut))
    limit = reach * best / len(magnitudes)
    return Range.over(max(h.low, -limit), min(h.high, limit))


def _divergence(magnitudes: Curve, cut: int) -> float:
    wanted = magnitudes[:cut].copy()
    wanted[-1] += magnitudes[cut:].sum()
    steps = np.arange(cut) * (STEPS // 2) // cut
    there = magnitudes[:cut] > 0
    sums = np.bincount(steps, magnitudes[:cut], STEPS // 2)
    counts = np.bincount(steps, there, STEPS // 2)
    given = np.where(there, (sums / np.maximum(counts, 1))[steps], 0.0)
    p, q = wanted / max(wanted.sum(), 1), given / max(given.sum(), 1)
    there = p > 0
    return float((p[there] * np.log(p[there] / np.maximum(q[there], _NEVER))).sum())


METHODS: Final[Mapping[str, Callable[[Histogram], Range]]] = {
    "minimum and maximum": _minimum_maximum,
    "percentile": _percentile,
    "squared error": lambda h: _least_error(h, h.count),
    "entropy": _entropy,
    "sensitivity": lambda h: _least_error(h, h.weight),
}
"""Ways to a range. ``sensitivity`` counts an error by what it does to the log-odds: the second
order of the loss with the squared gradient in place of the Hessian (Fisher information; for
weights: LeCun et al. 1990; for rounding: Nagel et al. 2020, "Up or down?")."""
