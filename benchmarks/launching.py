"""Measuring processes: each job in a fresh one, which ends in one sentence if it fails."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from corrosion_edge import errors
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.layout import read
from corrosion_edge.benchmarks.samples import Round

__all__ = ["WORKER", "failure", "launch", "require_answer"]

WORKER: Final = "corrosion_edge.benchmarks.worker"


def launch(job: Job) -> Round:
    """Do a job in a fresh process; the time to its first verdict counts from here.

    Raises the measuring process's own error, or BackendError if it crashed.
    """
    command = [sys.executable, "-m", WORKER, job.to_json()]
    spawned_ns = time.monotonic_ns()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise failure(job, done.returncode, done.stderr)
    answer = require_answer(job, done.stdout.splitlines()[-1])
    answer["start"]["interpreter_ns"] = answer.pop("entered_ns") - spawned_ns
    return read(Round, answer, "round")


def require_answer(job: Job, line: str) -> dict[str, Any]:
    """What a measuring process said, or the error that it met, naming the file."""
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise _error(job, answer)
    return answer


def failure(job: Job, returncode: int, told: str) -> errors.BackendError:
    """The error for a process that ended itself, or was ended; ``told`` is its standard error."""
    if returncode < 0:
        how = f"was ended by {signal.Signals(-returncode).name}"
    else:
        how = f"failed ({(told.strip().splitlines() or ['it said nothing'])[-1]})"
    return errors.BackendError(f"{job.model}: the measuring process {how}")


def _error(job: Job, answer: Mapping[str, Any]) -> errors.CorrosionEdgeError:
    kind: type[errors.CorrosionEdgeError] = getattr(errors, answer["error"])
    message = answer["message"]
    needs_name = kind is errors.BackendError and job.model not in message
    return kind(f"{job.model}: {message}" if needs_name else message)
