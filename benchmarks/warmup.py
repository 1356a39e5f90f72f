"""When a program has warmed up: caches filled, clocks raised, thread pool awake."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from corrosion_edge.benchmarks.samples import WarmUp
from corrosion_edge.benchmarks.stats import percentile

__all__ = ["CRITERION", "MAX_RUNS", "MAX_SECONDS", "TOLERANCE", "WINDOW", "is_settled", "warm_up"]

WINDOW: Final = 10
"""Runs per window."""
TOLERANCE: Final = 0.05
"""How far the medians of two windows may lie apart, as a fraction of the earlier one."""
MAX_RUNS: Final = 200
MAX_SECONDS: Final = 30.0

CRITERION: Final = (
    f"ends when the median of the last {WINDOW} runs is within {TOLERANCE:.0%} of the median of "
    f"the {WINDOW} before; at most {MAX_RUNS} runs or {MAX_SECONDS:g} s"
)


def is_settled(series: Sequence[float]) -> bool:
    """Whether the last two windows of a series of durations agree."""
    if len(series) < 2 * WINDOW:
        return False
    before = percentile(series[-2 * WINDOW : -WINDOW], 50)
    last = percentile(series[-WINDOW:], 50)
    return abs(last - before) <= TOLERANCE * before


def warm_up(run: Callable[[], int], *, clock: Callable[[], float] = time.monotonic) -> WarmUp:
    """Call ``run``, which gives its own duration, until it settles or a bound is reached."""
    deadline = clock() + MAX_SECONDS
    series: list[int] = []
    while not is_settled(series):
        if len(series) >= MAX_RUNS or clock() >= deadline:
            return WarmUp(len(series), settled=False)
        series.append(run())
    return WarmUp(len(series), settled=True)
