"""The same model with one setting after the other, in turn."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.render import clip

__all__ = ["GIVEN_UP", "WITHIN", "Choice", "Setting", "candidates", "choose", "measure"]

WITHIN: Final = 1.05
"""A setting that is no slower than this many times the fastest is as good: then fewer threads
leave more of the board to decoding, and to others."""

GIVEN_UP: Final = 2.0
"""A setting that was this many times slower than the fastest in the warm-up gets no turns."""

_RUNS: Final = 20
_WARM_UP: Final = 5
_SIZE: Final = (640, 480)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """Threads of the CPU, and whose ``kernels`` compute, see ``kernels.KERNELS``."""

    threads: int
    kernels: str = "xnnpack"


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting, the median milliseconds of a verdict with it, and the 99th percentile.

    ``times`` is the median over the rounds of how many times as long as the fastest it took.
    ``refused`` says why it must not be chosen, '' where it may.
    """

    setting: Setting
    p50_ms: float
    p99_ms: float
    times: float
    refused: str = ""


def candidates(cores: int, kernels: Sequence[str] = ("xnnpack",)) -> list[Setting]:
    """Settings worth trying, of each kernels 1, 2, 3, 4, 8, 16 … and all cores as threads."""
    doubled = [2**power for power in range(3, 9)]
    threads = sorted({n for n in (1, 2, 3, 4, *doubled, cores) if n <= cores})
    return [Setting(n, name) for name, n in product(kernels, threads)]


def measure(
    opening: Callable[[Setting], Classifier],
    settings: Sequence[Setting],
    rounds: int,
    seed: int = 1,
) -> list[Choice]:
    """Measure verdicts of rendered frames with each setting, in shuffled turns.

    ``opening`` opens the model so; its errors pass through. A setting whose answers are not the
    model's golden outputs is measured, but refused, where another's are.
    """
    frames = list(clip(frames=4, size=_SIZE))
    draw = random.Random(seed)
    with ExitStack() as stack:
        opened = {each: stack.enter_context(opening(each)) for each in settings}
        refused = _refused(opened)
        found = {each: [_warmed(one, frames)] for each, one in opened.items()}
        turns = _worth_it(found)
        for each in turns:
            found[each].clear()
        for _ in range(rounds):
            for each in draw.sample(turns, len(turns)):
                found[each].append(_series(opened[each], frames, _RUNS))
    return _compared(found, refused)


def _refused(opened: Mapping[Setting, Classifier]) -> dict[Setting, str]:
    differ = {each: "; ".join(one.check_golden()) for each, one in opened.items()}
    return {} if all(differ.values()) else differ


def _warmed(classifier: Classifier, frames: Sequence[Pixels]) -> list[float]:
    _series(classifier, frames, _WARM_UP)
    return _series(classifier, frames, _WARM_UP)


def _worth_it(first: Mapping[Setting, Sequence[Sequence[float]]]) -> list[Setting]:
    """Those that were not far behind from the start: kernels that are may take minutes."""
    once = {each: median(series[0]) for each, series in first.items()}
    return [each for each, value in once.items() if value <= GIVEN_UP * min(once.values())]


def _series(classifier: Classifier, frames: Sequence[Pixels], runs: int) -> list[float]:
    """Milliseconds of so many verdicts."""
    found = []
    for n in range(runs):
        start = time.perf_counter()
        classifier.classify(frames[n % len(frames)])
        found.append(1000 * (time.perf_counter() - start))
    return found


def _compared(
    found: Mapping[Setting, Sequence[Sequence[float]]], refused: Mapping[Setting, str]
) -> list[Choice]:
    """In the order of ``found``; one that had fewer rounds is compared by those that it had."""
    middle = {each: [median(series) for series in rounds] for each, rounds in found.items()}
    fastest = min(middle, key=lambda each: median(middle[each]))
    choices = []
    for each, rounds in found.items():
        times = [one / best for one, best in zip(middle[each], middle[fastest], strict=False)]
        every = [value for series in rounds for value in series]
        p50, p99 = percentile(every, 50), percentile(every, 99)
        choices.append(Choice(each, p50, p99, median(times), refused.get(each, "")))
    return choices


def choose(choices: Sequence[Choice]) -> Choice:
    """The fewest threads among those that are as good as the fastest that may be chosen."""
    allowed = [one for one in choices if not one.refused]
    best = max(1.0, min(one.times for one in allowed))  # the fastest of all may be refused
    good = [one for one in allowed if one.times <= WITHIN * best]
    return min(good, key=lambda one: (one.setting.threads, one.times))
