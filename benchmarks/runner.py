"""Measuring several configurations: fresh processes, in rounds, in turn."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

from corrosion_edge import __version__, errors
from corrosion_edge.benchmarks import machine
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Round
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.void import machine_reasons, result_reasons
from corrosion_edge.benchmarks.warmup import CRITERION
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.accelerator.options import Accelerator
from corrosion_edge.progress import progress

__all__ = ["PICTURES", "ROUNDS", "Launch", "Plan", "launch", "measure"]

ROUNDS: Final = 3
"""Processes per configuration; each does its share of the runs."""

PICTURES: Final = (("steel", 0.0), ("steel", 0.3), ("red-paint", 0.0), ("paint", 0.1))
"""Kind of surface and share of rust of the rendered frames."""

Launch = Callable[[Job], Round]
"""Does a job in a process of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: every model (None is the default one) on every number of threads.

    ``size`` is the frame's width and height in pixels; ``runs`` is per configuration. What each
    model runs on, ``accelerator`` says.
    """

    models: tuple[Path | None, ...]
    threads: tuple[int, ...]
    runs: int
    size: tuple[int, int]
    accelerator: Accelerator = field(default_factory=Accelerator)

    @property
    def configurations(self) -> list[tuple[Path, int]]:
        """Model file and threads."""
        return [(model or DEFAULT_MODEL, n) for model, n in product(self.models, self.threads)]


def measure(plan: Plan, launch_job: Launch | None = None) -> LatencyReport:
    """Do a plan and report.

    Every model is checked before anything is measured (BundleError). Raises the measuring
    process's own error, or BackendError if it crashed.
    """
    bundles = {model: Bundle.load(model or DEFAULT_MODEL) for model in plan.models}
    for model, bundle in bundles.items():
        _require_accelerator(plan, bundle, model or DEFAULT_MODEL)
    facts = machine.read_machine()
    with _pictures(plan.size) as pictures:
        before, started = machine.read_state(), _now()
        usage = _Usage()
        rounds = _all_rounds(plan, pictures, launch_job or launch)
        others = usage.others_cores()
        after, finished = machine.read_state(), _now()
    return LatencyReport(
        program=__version__,
        started_at=started,
        finished_at=finished,
        machine=facts,
        before=before,
        after=after,
        others_cores=others,
        width=plan.size[0],
        height=plan.size[1],
        pictures=len(PICTURES),
        runs=plan.runs,
        warm_up=CRITERION,
        results=tuple(
            _result(model, bundles[model], threads, rounds[model or DEFAULT_MODEL, threads])
            for model, threads in product(plan.models, plan.threads)
        ),
        void=machine_reasons(before, after, others),
    )


def _require_accelerator(plan: Plan, bundle: Bundle, path: Path) -> None:
    """Whether the model runs on what was asked for, and answers as it promises (BackendError)."""
    if plan.accelerator.accelerator == "edgetpu" or bundle.manifest.compiled:
        plan.accelerator.openings()(bundle, path).close()


def shares(runs: int) -> list[int]:
    """The runs of each round: as equal as can be, none of them 0."""
    rounds = min(ROUNDS, runs)
    return [runs // rounds + (i < runs % rounds) for i in range(rounds)]


def launch(job: Job) -> Round:
    """Do a job in a fresh process; the time to its first verdict counts from here."""
    command = [sys.executable, "-m", "corrosion_edge.benchmarks.worker", job.to_json()]
    spawned_ns = time.monotonic_ns()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise errors.BackendError(f"{job.model}: {_how_it_ended(done)}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if "error" in answer:
        raise _error(job, answer)
    answer["start"]["interpreter_ns"] = answer.pop("entered_ns") - spawned_ns
    return Round.from_dict(answer)


def _all_rounds(
    plan: Plan, pictures: Path, launch_job: Launch
) -> dict[tuple[Path, int], list[Round]]:
    """The rounds of each configuration, taken in turn, so that a drift hits all alike."""
    rounds: dict[tuple[Path, int], list[Round]] = {key: [] for key in plan.configurations}
    jobs = [_job(plan, key, pictures, runs) for runs in shares(plan.runs) for key in rounds]
    for job in progress(jobs, "measuring", len(jobs)):
        rounds[Path(job.model), job.threads].append(launch_job(job))
    return rounds


def _job(plan: Plan, key: tuple[Path, int], pictures: Path, runs: int) -> Job:
    width, height = plan.size
    asked = plan.accelerator
    return Job(
        str(key[0]), key[1], runs, str(pictures), len(PICTURES), width, height,
        asked.accelerator, asked.delegate, asked.accelerator_device,
    )  # fmt: skip


def _result(model: Path | None, bundle: Bundle, threads: int, rounds: list[Round]) -> Result:
    return Result(
        model="default" if model is None else str(model),
        model_name=bundle.manifest.name,
        model_sha256=bundle.manifest.model_sha256,
        file_bytes=(model or DEFAULT_MODEL).stat().st_size,
        threads=threads,
        rounds=tuple(rounds),
        void=result_reasons(rounds),
    )


@contextmanager
def _pictures(size: tuple[int, int]) -> Iterator[Path]:
    """A temporary file of rendered frames, raw, one after the other."""
    from corrosion_edge.render import surface

    with tempfile.TemporaryDirectory(prefix="corrosion-edge-") as folder:
        path = Path(folder, "pictures.raw")
        with path.open("wb") as stream:
            items = progress(list(enumerate(PICTURES)), "rendering pictures")
            for seed, (kind, rust) in items:
                stream.write(surface(kind, rust=rust, seed=seed, size=size).tobytes())
        yield path


class _Usage:
    """Processor time from now on: all programs' and, from that, the others'."""

    def __init__(self) -> None:
        self._busy, self._own, self._time = machine.busy_seconds(), _own_seconds(), time.monotonic()

    def others_cores(self) -> float | str:
        """Cores that other programs kept busy, on average, or "unavailable"."""
        busy = machine.busy_seconds()
        if busy is None or self._busy is None:
            return UNAVAILABLE
        others = (busy - self._busy) - (_own_seconds() - self._own)
        return max(0.0, others / (time.monotonic() - self._time))


def _own_seconds() -> float:
    """Processor time of this process and of the children it has waited for, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _how_it_ended(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"the measuring process was ended by {signal.Signals(-done.returncode).name}"
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return f"the measuring process failed ({last})"


def _error(job: Job, answer: dict[str, Any]) -> errors.CorrosionEdgeError:
    """The error of the measuring process, naming the file."""
    kind: type[errors.CorrosionEdgeError] = getattr(errors, answer["error"])
    message = answer["message"]
    needs_name = kind is errors.BackendError and job.model not in message
    return kind(f"{job.model}: {message}" if needs_name else message)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
