"""The same model with one setting after the other, in turn."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.render import clip

__all__ = ["WITHIN", "Choice", "candidates", "choose", "measure"]

WITHIN: Final = 1.05
"""A setting that is no slower than this many times the fastest is as good: then fewer threads
leave more of the board to decoding, and to others."""

_RUNS: Final = 20
_WARM_UP: Final = 5
_SIZE: Final = (640, 480)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Choice:
    """A number of threads, the median milliseconds of a verdict with it, and the 99th percentile.

    ``times`` is the median over the rounds of how many times as long as the fastest it took.
    """

    threads: int
    p50_ms: float
    p99_ms: float
    times: float


def candidates(cores: int) -> list[int]:
    """Numbers of threads worth trying: each up to 4, then doubled, and all cores."""
    doubled = [2**power for power in range(3, 9)]
    return sorted({n for n in (1, 2, 3, 4, *doubled, cores) if n <= cores})


def measure(
    opening: Callable[[int], Classifier], threads: Sequence[int], rounds: int, seed: int = 1
) -> list[Choice]:
    """Measure verdicts of rendered frames with each number of threads, in shuffled turns.

    ``opening`` opens the model with so many threads; its errors pass through.
    """
    frames = list(clip(frames=4, size=_SIZE))
    draw = random.Random(seed)
    with ExitStack() as stack:
        opened = {n: stack.enter_context(opening(n)) for n in threads}
        for classifier in opened.values():
            _series(classifier, frames, _WARM_UP)
        found: dict[int, list[list[float]]] = {n: [] for n in threads}
        for _ in range(rounds):
            for n in draw.sample(list(threads), len(threads)):
                found[n].append(_series(opened[n], frames, _RUNS))
    return _compared(found)


def _series(classifier: Classifier, frames: Sequence[Pixels], runs: int) -> list[float]:
    """Milliseconds of so many verdicts."""
    found = []
    for n in range(runs):
        start = time.perf_counter()
        classifier.classify(frames[n % len(frames)])
        found.append(1000 * (time.perf_counter() - start))
    return found


def _compared(found: Mapping[int, Sequence[Sequence[float]]]) -> list[Choice]:
    middle = {n: [median(series) for series in rounds] for n, rounds in found.items()}
    fastest = min(middle, key=lambda n: median(middle[n]))
    choices = []
    for n, rounds in found.items():
        times = [one / best for one, best in zip(middle[n], middle[fastest], strict=True)]
        every = [value for series in rounds for value in series]
        choices.append(Choice(n, percentile(every, 50), percentile(every, 99), median(times)))
    return choices


def choose(choices: Sequence[Choice]) -> Choice:
    """The fewest threads among those that are as good as the fastest."""
    return min((one for one in choices if one.times <= WITHIN), key=lambda one: one.threads)
