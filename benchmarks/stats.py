"""Statistics of a series of durations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from corrosion_edge.benchmarks.layout import Count, Positive

__all__ = ["Statistics", "percentile"]

_NS_PER_MS = 1e6
_POINTS = {"minimum": 0, "p50": 50, "p90": 90, "p95": 95, "p99": 99, "maximum": 100}


def percentile(values: Sequence[float], percent: float) -> float:
    """The percentile of a series, interpolated linearly between its ordered values.

    ``percent`` is in [0, 100]. Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    Packages", 1996, which is also NumPy's default. ValueError for an empty series.
    """
    if not values:
        raise ValueError("values: expected one or more, got none")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent: expected 0 to 100, got {percent}")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


@dataclass(frozen=True, slots=True)
class Statistics:
    """A series of ``n`` durations: all in milliseconds, but ``per_second`` in 1/s (1 / mean)."""

    n: Count
    minimum: Positive
    p50: Positive
    p90: Positive
    p95: Positive
    p99: Positive
    maximum: Positive
    mean: Positive
    per_second: Positive

    @classmethod
    def of(cls, samples_ns: Sequence[int]) -> "Statistics":
        """The statistics of durations in nanoseconds, one or more, each above 0 (ValueError)."""
        if not samples_ns or min(samples_ns) <= 0:
            raise ValueError("samples: expected one or more durations, each above 0 ns")
        mean = math.fsum(samples_ns) / len(samples_ns) / _NS_PER_MS
        points = {
            name: percentile(samples_ns, percent) / _NS_PER_MS for name, percent in _POINTS.items()
        }
        return cls(n=len(samples_ns), mean=mean, per_second=1000 / mean, **points)
