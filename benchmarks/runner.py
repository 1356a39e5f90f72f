"""Measuring several configurations: fresh processes, in rounds, in turn."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from corrosion_edge import __version__
from corrosion_edge.benchmarks import state
from corrosion_edge.benchmarks.job import PROCESSES, Job
from corrosion_edge.benchmarks.launching import launch
from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.machine import read_machine
from corrosion_edge.benchmarks.pictures import Frames, Size, choose, frames
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Round
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.void import machine_reasons, result_reasons
from corrosion_edge.benchmarks.warmup import CRITERION
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.progress import progress

__all__ = ["Configuration", "Launch", "Plan", "Usage", "measure"]

Launch = Callable[[Job], Round]
"""Does a job in a process of its own."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one figure is for; ``model`` is None for the default one."""

    model: Path | None
    threads: int
    size: Size

    @property
    def file(self) -> Path:
        """The model file."""
        return self.model or DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: every model (None is the default one) on every number of threads and size.

    ``runs`` is per configuration, shared by so many ``processes``; ``sizes`` are widths and
    heights of a frame in pixels. ``photos`` is a folder, None for rendered pictures. What each
    model runs on, ``accelerator`` says.
    """

    models: tuple[Path | None, ...]
    threads: tuple[int, ...]
    runs: int
    sizes: tuple[Size, ...]
    accelerator: Accelerator = field(default_factory=Accelerator)
    photos: Path | None = None
    processes: int = PROCESSES

    @property
    def configurations(self) -> list[Configuration]:
        """All of them, in the order of the report."""
        return [Configuration(*one) for one in product(self.models, self.threads, self.sizes)]

    @property
    def shares(self) -> list[int]:
        """The runs of each process: as equal as can be, none of them 0."""
        count = min(self.processes, self.runs)
        return [self.runs // count + (i < self.runs % count) for i in range(count)]

    def job(self, one: Configuration, shown: Frames, runs: int) -> Job:
        """What a measuring process is told."""
        asked = self.accelerator
        return Job(
            str(one.file), one.threads, runs, str(shown.raw), len(shown.files), *one.size,
            tuple(map(str, shown.files)), asked.accelerator, asked.delegate,
            asked.accelerator_device,
        )  # fmt: skip


def measure(plan: Plan, launch_job: Launch | None = None) -> LatencyReport:
    """Do a plan and report.

    Every model is checked before anything is measured (BundleError). Raises the measuring
    process's own error, or BackendError if it crashed.
    """
    bundles = {model: Bundle.load(model or DEFAULT_MODEL) for model in plan.models}
    for model, bundle in bundles.items():
        _require_accelerator(plan, bundle, model or DEFAULT_MODEL)
    facts, (pictures, photos) = read_machine(), choose(plan.photos)
    with frames(photos, plan.sizes) as shown:
        before, started, usage = state.read_state(), _now(), Usage()
        rounds = _all_rounds(plan, shown, launch_job or launch)
        others, swapped = usage.others_cores(), usage.swapped_pages()
        after, finished = state.read_state(), _now()
    return LatencyReport(
        program=__version__,
        started_at=started,
        finished_at=finished,
        machine=facts,
        before=before,
        after=after,
        others_cores=others,
        swapped_pages=swapped,
        pictures=pictures,
        runs=plan.runs,
        warm_up=CRITERION,
        results=tuple(_result(one, bundles[one.model], parts) for one, parts in rounds.items()),
        void=machine_reasons(before, after, others, swapped),
    )


def _require_accelerator(plan: Plan, bundle: Bundle, path: Path) -> None:
    """Whether the model runs on what was asked for, and answers as it promises (BackendError)."""
    if plan.accelerator.accelerator == "edgetpu" or bundle.manifest.compiled:
        plan.accelerator.openings()(bundle, path).close()


def _all_rounds(
    plan: Plan, shown: Mapping[Size, Frames], launch_job: Launch
) -> dict[Configuration, list[Round]]:
    """The rounds of each configuration, taken in turn, so that a drift hits all alike."""
    rounds: dict[Configuration, list[Round]] = {one: [] for one in plan.configurations}
    turns = [(one, runs) for runs in plan.shares for one in rounds]
    for one, runs in progress(turns, "measuring", len(turns)):
        rounds[one].append(launch_job(plan.job(one, shown[one.size], runs)))
    return rounds


def _result(one: Configuration, bundle: Bundle, rounds: list[Round]) -> Result:
    return Result(
        model="default" if one.model is None else str(one.model),
        model_name=bundle.manifest.name,
        model_sha256=bundle.manifest.model_sha256,
        file_bytes=one.file.stat().st_size,
        threads=one.threads,
        width=one.size[0],
        height=one.size[1],
        rounds=tuple(rounds),
        void=result_reasons(rounds),
    )


class Usage:
    """What the machine did from now on: the processor time of others, and swapping."""

    def __init__(self) -> None:
        self._busy, self._own = state.busy_seconds(), state.own_seconds()
        self._swapped, self._time = state.swapped_pages(), time.monotonic()

    def others_cores(self, children: float = 0.0) -> float | Unavailable:
        """Cores that other programs kept busy, on average, or "unavailable".

        ``children`` is the processor time of own processes that still run, in seconds.
        """
        busy = state.busy_seconds()
        if busy is None or self._busy is None:
            return UNAVAILABLE
        own = state.own_seconds() + children - self._own
        return max(0.0, (busy - self._busy - own) / (time.monotonic() - self._time))

    def swapped_pages(self) -> int | Unavailable:
        """Pages swapped in and out, or "unavailable"."""
        now = state.swapped_pages()
        return UNAVAILABLE if now is None or self._swapped is None else now - self._swapped


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
