"""Whether a series grows: a slope that outliers do not sway, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from corrosion_edge.benchmarks.stats import percentile

__all__ = ["Slope", "growth", "quarters", "slope"]

T = TypeVar("T")
Numbers = npt.NDArray[np.float64]

_MOST: Final = 240  # points; more are gathered in equal stretches by their medians
_DRAWS: Final = 300
_BLOCKS: Final = 10  # a run's length in blocks: neighbours in time are alike


@dataclass(frozen=True, slots=True)
class Slope:
    """Units of y for each unit of x: the middle one, and an interval of 95 %.

    ``least_squares`` is that of the ordinary line, for comparison.
    """

    value: float
    low: float
    high: float
    least_squares: float


def slope(x: Sequence[float], y: Sequence[float], seed: int = 1) -> Slope:
    """The median of the slopes between all pairs of points (Theil 1950, Sen 1968).

    Its interval is that of a moving-block bootstrap of the residuals (Künsch 1989), blocks of a
    tenth of the series, as samples of one process are not independent. ValueError for fewer than
    ten points, or ``x`` that does not rise.
    """
    if len(x) != len(y) or len(x) < _BLOCKS:
        raise ValueError(f"series: expected {_BLOCKS} points or more, got {len(x)} and {len(y)}")
    along, values = _thinned(np.asarray(x, float)), _thinned(np.asarray(y, float))
    if not (np.diff(along) > 0).all():
        raise ValueError("x: expected numbers that rise")
    pairs = np.triu_indices(len(along), 1)
    steps = along[pairs[1]] - along[pairs[0]]
    middle = _theil_sen(values, pairs, steps)
    line = middle * along
    rest = values - line - np.median(values - line)
    draw = np.random.default_rng(seed)
    found = [_theil_sen(line + _redrawn(rest, draw), pairs, steps) for _ in range(_DRAWS)]
    low, high = np.percentile(found, (2.5, 97.5))
    return Slope(middle, min(float(low), middle), max(float(high), middle),
                 float(np.polyfit(along - along[0], values, 1)[0]))  # fmt: skip


def growth(values: Sequence[float], percent: float = 50) -> float:
    """By how much a percentile of the last quarter is above that of the first, the median's."""
    parts = quarters(values)
    return percentile(parts[-1], percent) - percentile(parts[0], percent)


def quarters(values: Sequence[T]) -> list[Sequence[T]]:
    """The series in four stretches (ValueError for fewer than four values)."""
    if len(values) < 4:
        raise ValueError(f"values: expected four or more, got {len(values)}")
    cuts = [round(len(values) * n / 4) for n in range(5)]
    return [values[cuts[n] : cuts[n + 1]] for n in range(4)]


def _thinned(values: Numbers) -> Numbers:
    if len(values) <= _MOST:
        return values
    return np.array([np.median(part) for part in np.array_split(values, _MOST)])


def _theil_sen(y: Numbers, pairs: Any, steps: Numbers) -> float:
    return float(np.median((y[pairs[1]] - y[pairs[0]]) / steps))


def _redrawn(rest: Numbers, draw: np.random.Generator) -> Numbers:
    size = max(2, len(rest) // _BLOCKS)
    count = -(-len(rest) // size)
    starts = draw.integers(0, len(rest) - size + 1, count)
    return np.concatenate([rest[at : at + size] for at in starts])[: len(rest)]
