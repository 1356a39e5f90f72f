"""Sustained runs: a configuration frame after frame, for minutes, looked at each second."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from corrosion_edge.benchmarks import state
from corrosion_edge.benchmarks.endurance import NOT_MEASURED, NotMeasured, Second, Sustained
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.launching import WORKER, failure, require_answer
from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.meter import Meter
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.usage import Usage
from corrosion_edge.benchmarks.void import sustained_reasons
from corrosion_edge.progress import progress

__all__ = ["IDLE", "Endure", "run", "sustain"]

IDLE: Final = 10.0
"""Seconds without load before a run, in which the idle machine's power is taken."""

Line = Mapping[str, Any]
Endure = Callable[[Job], Iterator[Line]]
"""Does a sustained job in a process of its own; gives what that tells, see ``endure``."""


def sustain(job: Job, named: Line, meter: Meter | None, endure: Endure | None = None) -> Sustained:
    """Do one sustained job; ``named`` has the fields that say which configuration it is.

    Raises the measuring process's own error, or BackendError if it crashed.
    """
    idle = _idle_watts(meter)
    lines = (endure or run)(job)
    first = next(lines)
    started, looked = datetime.now(UTC).isoformat(timespec="seconds"), _Looked(meter, first)
    told = progress(lines, "running", round(job.seconds))
    seconds = tuple(looked.second(line) for line in told)
    return Sustained(
        **named,
        backend=first["backend"],
        started_at=started,
        minutes=job.seconds / 60,
        rate=job.rate or "full speed",
        idle_watts=idle,
        seconds=seconds,
        void=sustained_reasons(seconds, paced=job.rate > 0),
    )


def run(job: Job) -> Iterator[Line]:
    """Do a sustained job in a fresh process, which is ended with the iterator."""
    command = [sys.executable, "-m", WORKER, job.to_json()]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            for line in process.stdout:
                yield require_answer(job, line)
            told = process.stderr.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise failure(job, process.returncode, told)


class _Looked:
    """The machine, looked at with each line; loads are those since the line before."""

    def __init__(self, meter: Meter | None, first: Line) -> None:
        self._meter, self._usage, self._child = meter, Usage(), first["cpu_s"]
        if meter is not None:
            meter.mean()  # forgets what the start of the process drew

    def second(self, line: Line) -> Second:
        now, clock = state.read_state(), line["clock_mhz"]
        others = self._usage.others_cores(line["cpu_s"] - self._child)
        swapped = self._usage.swapped_pages()
        self._usage, self._child = Usage(), line["cpu_s"]
        heat = now.temperature_c
        return Second(
            at_s=line["at_s"],
            frames=line["frames"],
            p50_ms=line["p50_ms"],
            p99_ms=line["p99_ms"],
            frequency_mhz=UNAVAILABLE if clock is None else clock,
            temperature_c=UNAVAILABLE if isinstance(heat, str) else heat,
            throttled=now.throttled,
            under_voltage=now.under_voltage,
            memory_bytes=line["memory_bytes"],
            swapped_pages=swapped,
            others_cores=others,
            watts=_watts(self._meter),
        )


def _idle_watts(meter: Meter | None) -> float | Unavailable | NotMeasured:
    if meter is not None:
        meter.mean()
        time.sleep(IDLE)
    return _watts(meter)


def _watts(meter: Meter | None) -> float | Unavailable | NotMeasured:
    if meter is None:
        return NOT_MEASURED
    watts = meter.mean()
    return UNAVAILABLE if watts is None else watts
