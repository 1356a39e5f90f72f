"""Measuring one configuration, in its own process."""

import importlib
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Samples
from corrosion_edge.benchmarks.warmup import warm_up
from corrosion_edge.errors import CorrosionEdgeError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from corrosion_edge.device.classifier import Classifier

    Pixels = npt.NDArray[np.uint8]

__all__ = ["Bench", "answer", "measure"]


class Bench:
    """A classifier and one frame's buffer, as on a device; it takes the laps of each stage.

    Pictures are read one after the other into the same buffer, outside the timing, so that the
    process holds one frame and no picture stays in the processor's cache from run to run.
    """

    def __init__(self, classifier: "Classifier", job: Job) -> None:
        import numpy as np

        self._classifier = classifier
        self._job = job
        self._frame = np.empty((job.height, job.width, 3), np.uint8)
        self._next = 0

    def read_picture(self) -> None:
        """Read the next picture of the file, the first again after the last."""
        with Path(self._job.pictures).open("rb", buffering=0) as stream:
            stream.seek(self._frame.nbytes * (self._next % self._job.count))
            stream.readinto(self._frame.data)
        self._next += 1

    def path(self) -> tuple[int, int, int, "Pixels"]:
        """One frame path: nanoseconds to prepare, invoke and decode; and the network's input."""
        clock, classifier = time.monotonic_ns, self._classifier
        t0 = clock()
        prepared = classifier.prepare(self._frame)[None]
        t1 = clock()
        outputs = classifier.backend.run(prepared)
        t2 = clock()
        classifier.decode(outputs)
        t3 = clock()
        return t1 - t0, t2 - t1, t3 - t2, prepared

    def warm(self) -> int:
        """One frame path with the next picture, in nanoseconds."""
        self.read_picture()
        return sum(self.path()[:3])

    def run(self) -> tuple[int, int, int, int]:
        """One run with the next picture: the path's three stages, then the invoke alone."""
        self.read_picture()
        prepare, invoke, decode, prepared = self.path()
        start = time.monotonic_ns()
        self._classifier.backend.run(prepared)
        return prepare, invoke, decode, time.monotonic_ns() - start


def _open(job: Job) -> "Classifier":
    """Without a try of an accelerator: whoever gave the job made one."""
    from corrosion_edge.device.accelerator.options import Accelerator
    from corrosion_edge.device.classifier import Classifier

    asked = Accelerator(job.accelerator, job.delegate, job.device)
    opening = asked.openings(threads=job.threads, trusted=True)
    return Classifier.open(Path(job.model), opening=opening)


def _import() -> None:
    """Import what the first verdict needs, so that loading the model is timed apart."""
    importlib.import_module("corrosion_edge.device.classifier")
    importlib.import_module("corrosion_edge.device.accelerator.opening")
    importlib.import_module("corrosion_edge.device.backends.litert").find_runtime()


def measure(
    job: Job, entered_ns: int, open_classifier: Callable[[Job], "Classifier"] = _open
) -> dict[str, Any]:
    """Do a job: a ``Round`` as plain values, its ``interpreter_ns`` replaced by ``entered_ns``."""
    clock = time.monotonic_ns
    _import()
    imported = clock()
    with open_classifier(job) as classifier:
        loaded = clock()
        bench = Bench(classifier, job)
        bench.read_picture()
        seen = clock()
        prepare, invoke, decode, _ = bench.path()
        start = {
            "imports_ns": imported - entered_ns,
            "load_ns": loaded - imported,
            "picture_ns": seen - loaded,
            "prepare_ns": prepare,
            "invoke_ns": invoke,
            "decode_ns": decode,
        }
        return {"entered_ns": entered_ns, "start": start, **_steady(bench, job, classifier)}


def _steady(bench: Bench, job: Job, classifier: "Classifier") -> dict[str, Any]:
    warm = warm_up(bench.warm)
    series = zip(*(bench.run() for _ in range(job.runs)), strict=True)
    return {
        "backend": classifier.backend.name,
        "warm_up": asdict(warm),
        "samples": asdict(Samples(*map(tuple, series))),
        "peak_memory_bytes": _peak_memory(Path("/proc/self/status")),
    }


def _peak_memory(status: Path) -> int | str:
    """VmHWM in bytes; getrusage would give the parent's peak, which survives fork and exec."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)
    except OSError:
        return UNAVAILABLE
    return int(found[1]) * 1024 if found else UNAVAILABLE


def answer(text: str, entered_ns: int) -> dict[str, Any]:
    """The job's measurement, or the error that a user can meet, by its name and message."""
    try:
        return measure(Job.from_json(text), entered_ns)
    except CorrosionEdgeError as error:
        return {"error": type(error).__name__, "message": str(error)}
