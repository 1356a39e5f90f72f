"""Measuring one configuration, in its own process."""

import importlib
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from corrosion_edge.benchmarks.delivered import Delivered, PixelFormat
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.layout import plain
from corrosion_edge.benchmarks.memory import peak_bytes
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Samples, Xnnpack
from corrosion_edge.benchmarks.state import fastest_mhz
from corrosion_edge.benchmarks.warmup import warm_up
from corrosion_edge.errors import CorrosionEdgeError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from corrosion_edge.device.classifier import Classifier

    Pixels = npt.NDArray[np.uint8]

__all__ = ["Bench", "answer", "measure", "open_classifier"]

_LOOKS: Final = 10  # at the clock, in a process
_AROUND: Final = 20  # files read and lines written in a process: photos may take seconds each


class Bench:
    """A classifier and one frame's buffer, as on a device; it takes the laps of each stage.

    Pictures are read one after the other into the same buffer, and delivered in the job's pixel
    format, outside the timing, so that the process holds one frame and no picture stays in the
    processor's cache from run to run.
    """

    def __init__(self, classifier: "Classifier", job: Job) -> None:
        import numpy as np

        self._classifier = classifier
        self._job = job
        self._frame = np.empty((job.height, job.width, 3), np.uint8)
        self._delivered = Delivered(classifier, job.pixel_format)
        self._next = 0

    def read_picture(self) -> None:
        """Read the next picture of the file, the first again after the last."""
        with Path(self._job.pictures).open("rb", buffering=0) as stream:
            stream.seek(self._frame.nbytes * (self._next % self._job.count))
            stream.readinto(self._frame.data)
        self._delivered.show(self._frame)
        self._next += 1

    def path(self) -> tuple[int, int, int, int, "Pixels"]:
        """One frame path: ns to scale, gate, invoke and decode; and the network's input."""
        clock, classifier = time.monotonic_ns, self._classifier
        t0 = clock()
        prepared = self._delivered.prepared()
        t1 = clock()
        outputs = classifier.backend.run(prepared)
        t2 = clock()
        classifier.decode(outputs)
        t3 = clock()
        gate = self._delivered.gate_ns
        return t1 - t0 - gate, gate, t2 - t1, t3 - t2, prepared

    def warm(self) -> int:
        """One frame path with the next picture, in nanoseconds."""
        self.read_picture()
        return sum(self.path()[:4])

    def run(self) -> tuple[int, ...]:
        """One run with the next picture: the path's four stages, then the invoke alone."""
        self.read_picture()
        *stages, prepared = self.path()
        start = time.monotonic_ns()
        self._classifier.backend.run(prepared)
        return (*stages, time.monotonic_ns() - start)

    def reads(self) -> tuple[int, ...]:
        """Decoding pictures' files, in nanoseconds."""
        from corrosion_edge import image

        paths = cycle(map(Path, self._job.files))
        return self._often(lambda: image.read(next(paths)))

    def sinks(self) -> tuple[int, ...]:
        """Writing a verdict as a JSON line to /dev/null, in nanoseconds."""
        from corrosion_edge.device.sinks import JsonSink
        from corrosion_edge.device.verdict import Verdict
        from corrosion_edge.frame import Frame

        frame = Frame(self._frame, 0, datetime.now(UTC))
        verdict = Verdict(frame, self._classifier.classify(self._frame), 1.0)
        with Path(os.devnull).open("w", encoding="utf-8") as stream:
            sink = JsonSink(stream)
            return self._often(lambda: sink.write(verdict))

    def _often(self, work: Callable[[], object]) -> tuple[int, ...]:
        """Its durations, after a first time that is not counted: it may import and allocate."""
        work()
        return tuple(_timed(work) for _ in range(min(self._job.runs, _AROUND)))


def _timed(work: Callable[[], object]) -> int:
    start = time.monotonic_ns()
    work()
    return time.monotonic_ns() - start


def open_classifier(job: Job) -> "Classifier":
    """Without a try of an accelerator: whoever gave the job made one."""
    from corrosion_edge.device.accelerator.options import Accelerator
    from corrosion_edge.device.classifier import Classifier

    asked = Accelerator(
        job.accelerator, job.kernels, delegate=job.delegate, accelerator_device=job.device
    )
    opening = asked.openings(threads=job.threads, trusted=True)
    return Classifier.open(Path(job.model), opening=opening)


def _import(pixel_format: PixelFormat) -> None:
    """Import what the first verdict needs, so that loading the model is timed apart."""
    importlib.import_module("corrosion_edge.device.classifier")
    importlib.import_module("corrosion_edge.device.accelerator.opening")
    importlib.import_module("corrosion_edge.device.backends.litert").find_runtime()
    importlib.import_module("corrosion_edge.device.capture.quality")
    if pixel_format == "yuv420p":
        importlib.import_module("corrosion_edge.device.sources.scaling")


def measure(
    job: Job, entered_ns: int, opener: Callable[[Job], "Classifier"] = open_classifier
) -> dict[str, Any]:
    """Do a job: a ``Round`` as plain values, its ``interpreter_ns`` replaced by ``entered_ns``."""
    clock = time.monotonic_ns
    _import(job.pixel_format)
    imported = clock()
    with opener(job) as classifier:
        loaded = clock()
        bench = Bench(classifier, job)
        bench.read_picture()
        seen = clock()
        scale, gate, invoke, decode, _ = bench.path()
        start = {
            "imports_ns": imported - entered_ns,
            "load_ns": loaded - imported,
            "picture_ns": seen - loaded,
            "prepare_ns": scale + gate,
            "invoke_ns": invoke,
            "decode_ns": decode,
        }
        return {"entered_ns": entered_ns, "start": start, **_steady(bench, job, classifier)}


def _steady(bench: Bench, job: Job, classifier: "Classifier") -> dict[str, Any]:
    warm = warm_up(bench.warm)
    runs, clocks = _runs(bench, job.runs)
    peak = peak_bytes()  # before whole photos are decoded
    series = [*map(tuple, zip(*runs, strict=True)), bench.reads(), bench.sinks()]
    return {
        "backend": classifier.backend.name,
        "xnnpack": _xnnpack(classifier),
        "warm_up": plain(warm),
        "samples": plain(Samples(*series)),
        "clocks_mhz": clocks,
        "peak_memory_bytes": peak,
    }


def _runs(bench: Bench, count: int) -> tuple[list[tuple[int, ...]], list[int]]:
    """The runs, and the clock of the fastest core after each tenth of them, in MHz."""
    runs, clocks = [], []
    for number in range(count):
        runs.append(bench.run())
        looks = number % -(-count // _LOOKS) == 0
        if looks and (clock := fastest_mhz()) is not None:
            clocks.append(clock)
    return runs, clocks


def _xnnpack(classifier: "Classifier") -> Xnnpack:
    used = getattr(classifier.backend, "xnnpack", None)
    return UNAVAILABLE if used is None else "on" if used else "off"


def answer(job: Job, entered_ns: int) -> dict[str, Any]:
    """The job's measurement, or the error that a user can meet, by its name and message."""
    try:
        return measure(job, entered_ns)
    except CorrosionEdgeError as error:
        return {"error": type(error).__name__, "message": str(error)}
