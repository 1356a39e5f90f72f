"""A sustained job, in its own process: frame after frame, and a line of JSON each second."""

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.measure import Bench, open_classifier
from corrosion_edge.benchmarks.memory import resident_bytes
from corrosion_edge.benchmarks.state import fastest_mhz
from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.benchmarks.warmup import warm_up
from corrosion_edge.errors import CorrosionEdgeError

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["answers", "endure"]

_SPAN: Final = 1.0  # seconds told of in one line
_LOOK: Final = 0.1  # seconds between two looks at the clock: each is a read of files of the kernel

Line = dict[str, Any]


def endure(
    job: Job,
    opener: Callable[[Job], "Classifier"] = open_classifier,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Line]:
    """First what it runs on, once it is warm; then a line for each second, until the time is up.

    A line has ``at_s``, its end from the beginning, ``frames``, the percentiles of their paths,
    ``clock_mhz``, the highest of the fastest core that was seen right after a frame, or None,
    ``memory_bytes``, and ``cpu_s``, the processor time of this process so far.
    """
    with opener(job) as classifier:
        bench = Bench(classifier, job)
        warm_up(bench.warm)
        yield {"backend": classifier.backend.name, "cpu_s": _cpu_seconds()}
        start = clock()
        told, taken, done = start, [], 0
        seen = _Seen()
        while told < start + job.seconds:
            if job.rate and (early := start + done / job.rate - clock()) > 0:
                sleep(early)
            taken.append(bench.warm())
            done += 1
            now = clock()
            seen.look(now)
            if now >= told + _SPAN:
                told = now
                yield {**_line(taken, told - start), "clock_mhz": seen.highest()}
                taken = []


class _Seen:
    """The clock of the fastest core, looked at under load: right after a frame."""

    def __init__(self) -> None:
        self._mhz: list[int] = []
        self._next = 0.0

    def look(self, now: float) -> None:
        """Look, unless that was done a moment before ``now``, in seconds."""
        if now < self._next:
            return
        self._next = now + _LOOK
        if (mhz := fastest_mhz()) is not None:
            self._mhz.append(mhz)

    def highest(self) -> int | None:
        """In MHz, since it was asked last; None where it cannot be read."""
        highest, self._mhz, self._next = max(self._mhz, default=None), [], 0.0
        return highest


def _line(path_ns: list[int], at_s: float) -> Line:
    return {
        "at_s": at_s,
        "frames": len(path_ns),
        "p50_ms": percentile(path_ns, 50) / 1e6,
        "p99_ms": percentile(path_ns, 99) / 1e6,
        "memory_bytes": resident_bytes(),
        "cpu_s": _cpu_seconds(),
    }


def answers(job: Job) -> Iterator[Line]:
    """The lines, or as the last one the error that a user can meet, by its name and message."""
    try:
        yield from endure(job)
    except CorrosionEdgeError as error:
        yield {"error": type(error).__name__, "message": str(error)}


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system
