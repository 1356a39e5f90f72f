"""What makes a measurement void: reasons to distrust its figures, in words."""

from collections.abc import Sequence
from statistics import fmean
from typing import Final

from corrosion_edge.benchmarks.endurance import Second
from corrosion_edge.benchmarks.samples import Round, Samples
from corrosion_edge.benchmarks.state import State, throttle_reasons
from corrosion_edge.benchmarks.stats import percentile

__all__ = [
    "MAX_DROP",
    "MAX_OTHERS",
    "MAX_SPREAD",
    "MIN_RUNS",
    "MIN_SECONDS",
    "RULES",
    "STRETCH",
    "clock_reasons",
    "machine_reasons",
    "result_reasons",
    "sustained_reasons",
]

MIN_RUNS: Final = 100
"""With fewer runs the 99th percentile is no more than the slowest of them."""
MAX_SPREAD: Final = 2.0
"""Largest p99 / p50 of the invoke alone: the same work on the same picture."""
MAX_OTHERS: Final = 0.25
"""Most processor time of other programs, in cores, over the whole measurement."""
MAX_DROP: Final = 0.1
"""By how much of its highest value the fastest core's clock may fall while measuring."""
MIN_SECONDS: Final = 60
"""A shorter sustained run says nothing of heat."""
STRETCH: Final = 10
"""Seconds of a sustained run at a rate whose highest clock is compared: a governor may have slowed
one that waits when its frame comes, but not each time."""

RULES: Final = (
    "A figure is void if the machine was throttled or under-powered now or since boot, if other "
    f"programs used more than {MAX_OTHERS:g} cores while measuring, if memory was swapped "
    "meanwhile, if the clock of the fastest core, looked at between runs, fell by more than "
    f"{MAX_DROP:.0%}, if the invoke's p99 was more than {MAX_SPREAD:g} times its p50, if the "
    f"warm-up did not settle, or if the run was too short: fewer than {MIN_RUNS} runs. A sustained "
    "run is void if the machine was throttled or under-powered in it, if other programs used more "
    f"than {MAX_OTHERS:g} cores on average, if memory was swapped in it, if the clock, looked at "
    f"right after frames, fell by more than {MAX_DROP:.0%} (of any second; at a rate, of stretches "
    f"of {STRETCH} s), or if it was shorter than {MIN_SECONDS} s."
)


def machine_reasons(
    before: State, after: State, others_cores: float | str, swapped_pages: int | str = 0
) -> tuple[str, ...]:
    """Reasons that touch every configuration; what was not to be read is "unavailable"."""
    flags = [*throttle_reasons(before.throttled), *throttle_reasons(after.throttled)]
    reasons = [f"the firmware reports {words}" for words in dict.fromkeys(flags)]
    if "yes" in (before.under_voltage, after.under_voltage):
        reasons.append(_UNDER_VOLTAGE)
    if isinstance(others_cores, float) and others_cores > MAX_OTHERS:
        reasons.append(_disturbed(others_cores))
    return (*reasons, *_swapped([swapped_pages]))


def result_reasons(rounds: Sequence[Round]) -> tuple[str, ...]:
    """Reasons that touch one configuration."""
    samples = Samples.joined([part.samples for part in rounds])
    reasons = []
    if (count := len(samples.invoke_ns)) < MIN_RUNS:
        reasons.append(f"{count} runs, fewer than {MIN_RUNS}")
    spread = percentile(samples.invoke_ns, 99) / percentile(samples.invoke_ns, 50)
    if spread > MAX_SPREAD:
        reasons.append(f"the invoke's p99 is {spread:.1f} times its p50, more than {MAX_SPREAD:g}")
    if unsettled := sum(not part.warm_up.settled for part in rounds):
        reasons.append(f"the warm-up did not settle in {unsettled} of {len(rounds)} processes")
    clocks = [clock for part in rounds for clock in part.clocks_mhz]
    return (*reasons, *clock_reasons(clocks))


def sustained_reasons(seconds: Sequence[Second], *, paced: bool) -> tuple[str, ...]:
    """Reasons that touch one sustained run; a ``paced`` one waited between frames."""
    flags = [words for second in seconds for words in throttle_reasons(second.throttled)]
    reasons = [f"the firmware reports {words}" for words in dict.fromkeys(flags)]
    if any(second.under_voltage == "yes" for second in seconds):
        reasons.append(_UNDER_VOLTAGE)
    others = [s.others_cores for s in seconds if not isinstance(s.others_cores, str)]
    if others and (cores := fmean(others)) > MAX_OTHERS:
        reasons.append(_disturbed(cores))
    reasons += _swapped([second.swapped_pages for second in seconds])
    clocks = [s.frequency_mhz for s in seconds if not isinstance(s.frequency_mhz, str)]
    reasons += clock_reasons(_highest(clocks) if paced else clocks)
    if (lasted := seconds[-1].at_s) < MIN_SECONDS:
        reasons.append(f"{lasted:.0f} s, shorter than {MIN_SECONDS} s")
    return tuple(reasons)


_UNDER_VOLTAGE: Final = "the board's voltage monitor reports under-voltage"


def _swapped(pages: Sequence[int | str]) -> list[str]:
    count = sum(known for known in pages if not isinstance(known, str))
    return [f"{count} pages of memory were swapped while measuring"] if count else []


def clock_reasons(clocks: Sequence[int]) -> list[str]:
    """Whether the clock, in MHz, fell in a series of looks at it under load."""
    if not clocks or min(clocks) >= (1 - MAX_DROP) * max(clocks):
        return []
    return [f"the clock fell from {max(clocks)} to {min(clocks)} MHz while measuring"]


def _highest(clocks: Sequence[int]) -> list[int]:
    """That of each whole stretch; what is left over at the end belongs to the last of them."""
    starts = range(0, max(1, len(clocks) // STRETCH) * STRETCH, STRETCH)
    parts = [clocks[at : at + STRETCH] for at in starts[:-1]] + [clocks[starts[-1] :]]
    return [max(part) for part in parts if part]


def _disturbed(cores: float) -> str:
    return f"other programs used {cores:.2f} cores while measuring, more than {MAX_OTHERS:g}"
