"""How often an interval of a ratio holds the true one: ``python -m …benchmarks.coverage``.

Draws made-up runs of two machines that are equally fast: processes differ by some percent of each
other, the runs of a process by some, and slow ones are further away than quick ones, as latencies
are. An interval of 95 % should hold 1 in 95 of 100 trials.
"""

import click
import numpy as np

from corrosion_edge.benchmarks.ratios import percentile_ratio
from corrosion_edge.cli import Command

__all__ = ["coverage", "main"]

_DRAWS = 400
_MEDIAN = 5e6  # ns


def coverage(processes: int, runs: int, between: float, within: float, trials: int) -> float:
    """The share of trials whose interval holds the true ratio, which is 1.

    ``between`` and ``within`` are the standard deviations of the logarithm of a process's level,
    and of the normal number whose absolute value is the logarithm of a run's delay.
    """
    random = np.random.default_rng(5)

    def measured() -> list[list[int]]:
        levels = _MEDIAN * np.exp(random.normal(0, between, processes))
        each = -(-runs // processes)
        return [
            [round(ns) for ns in level * np.exp(np.abs(random.normal(0, within, each)))]
            for level in levels
        ]

    held = 0
    for trial in range(trials):
        held += not percentile_ratio(measured(), measured(), draws=_DRAWS, seed=trial).differs
    return held / trials


@click.command(cls=Command)
@click.option("--runs", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--trials", type=click.IntRange(min=1), default=300, show_default=True)
def main(runs: int, trials: int) -> None:
    """Tell the coverage for 3, 5, 10 and 20 processes, alike and unlike each other."""
    for processes in (3, 5, 10, 20):
        for between, within in ((0.03, 0.02), (0.005, 0.05)):
            share = coverage(processes, runs, between, within, trials)
            print(f"{processes} processes that differ by {between:.1%}, runs by {within:.0%}: "
                  f"{share:.1%} of {trials}")  # fmt: skip


if __name__ == "__main__":
    main()
