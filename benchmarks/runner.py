"""Measuring several configurations: fresh processes, in rounds, in turn."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

from corrosion_edge import __version__
from corrosion_edge.benchmarks import state
from corrosion_edge.benchmarks.delivered import PIXEL_FORMATS, PixelFormat, require_format
from corrosion_edge.benchmarks.endurance import NOT_MEASURED, Sustained
from corrosion_edge.benchmarks.job import PROCESSES, Job
from corrosion_edge.benchmarks.launching import launch
from corrosion_edge.benchmarks.machine import read_machine
from corrosion_edge.benchmarks.meter import Meter
from corrosion_edge.benchmarks.pictures import Frames, Size, choose, frames
from corrosion_edge.benchmarks.samples import Round
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.sustaining import sustain
from corrosion_edge.benchmarks.usage import Usage
from corrosion_edge.benchmarks.void import machine_reasons, result_reasons
from corrosion_edge.benchmarks.warmup import CRITERION
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.progress import progress

__all__ = ["Configuration", "Launch", "Plan", "measure"]

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
    heights of a frame in pixels, delivered as ``pixel_format``. ``photos`` is a folder, None for
    rendered pictures. What each model runs on, ``accelerator`` says. Afterwards each configuration
    runs for ``minutes``, with ``rate`` frames a second, or at full speed if it is 0.
    """

    models: tuple[Path | None, ...]
    threads: tuple[int, ...]
    runs: int
    sizes: tuple[Size, ...]
    accelerator: Accelerator = field(default_factory=Accelerator)
    photos: Path | None = None
    pixel_format: PixelFormat = PIXEL_FORMATS[0]
    processes: int = PROCESSES
    minutes: float = 0.0
    rate: float = 0.0

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
            asked.accelerator_device, asked.kernels, self.pixel_format,
        )  # fmt: skip

    def sustained_job(self, one: Configuration, shown: Frames) -> Job:
        """The same for the sustained run."""
        return replace(self.job(one, shown, self.runs), seconds=60 * self.minutes, rate=self.rate)


def measure(
    plan: Plan, launch_job: Launch | None = None, meter: Meter | None = None
) -> LatencyReport:
    """Do a plan and report; the ``meter``, if there is one, is taken in the sustained runs.

    Every model is checked before anything is measured (BundleError), whether frames of the
    pixel format can be scaled here (ExtraError), whether the options of the accelerator can be
    together, and whether the meter gives readings (UsageError). Raises the measuring process's own
    error, or BackendError if it crashed.
    """
    require_format(plan.pixel_format)
    plan.accelerator.openings()
    bundles = {model: Bundle.load(model or DEFAULT_MODEL) for model in plan.models}
    _require_accelerator(plan, bundles)
    if meter is not None:
        meter.require_readings()
    facts, (pictures, photos) = read_machine(), choose(plan.photos)
    with frames(photos, plan.sizes) as shown:
        before, started, usage = state.read_state(), _now(), Usage()
        rounds = _all_rounds(plan, shown, launch_job or launch)
        others, swapped = usage.others_cores(), usage.swapped_pages()
        after = state.read_state()
        sustained = tuple(_sustained(plan, bundles, shown, meter))
        finished = _now()
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
        pixel_format=plan.pixel_format,
        runs=plan.runs,
        warm_up=CRITERION,
        results=tuple(_result(one, bundles[one.model], parts) for one, parts in rounds.items()),
        meter=NOT_MEASURED if meter is None else meter.name,
        sustained=sustained,
        void=machine_reasons(before, after, others, swapped),
    )


def _require_accelerator(plan: Plan, bundles: Mapping[Path | None, Bundle]) -> None:
    """Whether each runs on what was asked for, and answers as it promises (BackendError).

    UsageError for an option of accelerators where no model runs on one.
    """
    asked, openings = plan.accelerator, plan.accelerator.openings()
    compiled = {model for model, bundle in bundles.items() if bundle.manifest.compiled}
    idle = bool(asked.idle_on_cpu) and not compiled
    for model, bundle in bundles.items():
        if asked.accelerator == "edgetpu" or model in compiled or idle:
            openings(bundle, model or DEFAULT_MODEL).close()


def _all_rounds(
    plan: Plan, shown: Mapping[Size, Frames], launch_job: Launch
) -> dict[Configuration, list[Round]]:
    """The rounds of each configuration, taken in turn, so that a drift hits all alike."""
    rounds: dict[Configuration, list[Round]] = {one: [] for one in plan.configurations}
    turns = [(one, runs) for runs in plan.shares for one in rounds]
    for one, runs in progress(turns, "measuring", len(turns)):
        rounds[one].append(launch_job(plan.job(one, shown[one.size], runs)))
    return rounds


def _sustained(
    plan: Plan, bundles: Mapping[Path | None, Bundle], shown: Mapping[Size, Frames],
    meter: Meter | None,
) -> Iterator[Sustained]:  # fmt: skip
    for one in plan.configurations if plan.minutes else ():
        job = plan.sustained_job(one, shown[one.size])
        yield sustain(job, _named(one, bundles[one.model]), meter)


def _result(one: Configuration, bundle: Bundle, rounds: list[Round]) -> Result:
    return Result(
        **_named(one, bundle),
        file_bytes=one.file.stat().st_size,
        rounds=tuple(rounds),
        void=result_reasons(rounds),
    )


def _named(one: Configuration, bundle: Bundle) -> dict[str, Any]:
    """The fields that say which configuration it is."""
    return {
        "model": "default" if one.model is None else str(one.model),
        "model_name": bundle.manifest.name,
        "model_sha256": bundle.manifest.model_sha256,
        "threads": one.threads,
        "width": one.size[0],
        "height": one.size[1],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
