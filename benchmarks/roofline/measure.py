"""Peaks of this machine and speeds of models, in turn, so that what disturbs one disturbs all."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from corrosion_edge.benchmarks.machine import Machine, read_machine
from corrosion_edge.benchmarks.roofline.cost import Cost, cost_of
from corrosion_edge.benchmarks.roofline.probes import KINDS, SHAPES, macs_of, probe
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle, naming
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.errors import BundleError
from corrosion_edge.network.sound import require_sound

__all__ = ["Copying", "Point", "Roofline", "largest_cache", "measure"]

_RUNS: Final = 10  # of each network in a round
_TIMES_CACHE: Final = 4  # STREAM's rule for its arrays: https://www.cs.virginia.edu/stream/ref.html
_LEAST_BYTES: Final = 2**26
_MOST_BYTES: Final = 2**29
_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")


@dataclass(frozen=True, slots=True)
class Point:
    """A model: its cost, the median of its invokes in seconds, and ``of_peak``.

    That is the share of the peak of its kind that it reached, the median over the rounds, with
    the ``least`` and ``most`` of them.
    """

    name: str
    cost: Cost
    seconds: float
    of_peak: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Roofline:
    """Of so many ``threads``.

    ``peaks`` are multiply-accumulates a second by kind, medians over the ``rounds``, with the
    (channels, side) of the squares on which they were reached; ``bytes_per_second`` are read and
    written by copying ``copied_bytes``; ``cache_bytes`` is the size of the largest cache, 0 if
    unknown.
    """

    machine: Machine
    runtime: str
    threads: int
    rounds: int
    peaks: dict[str, float]
    shapes: dict[str, tuple[int, int]]
    bytes_per_second: float
    copied_bytes: int
    cache_bytes: int
    points: tuple[Point, ...]

    def floors(self, point: Point) -> tuple[float, float, float]:
        """Seconds that a model takes at least, by each of three limits.

        Multiplying at the peak; reading the parameters from memory once; and moving all
        activations through memory too, as if no cache held any.
        """
        cost = point.cost
        moved = cost.parameter_bytes + cost.activation_bytes
        speed = self.bytes_per_second
        return cost.macs / self.peaks[cost.kind], cost.parameter_bytes / speed, moved / speed


def measure(models: Sequence[Path | None], threads: int, rounds: int) -> Roofline:
    """Measure peaks and models in turn (BundleError for a file that is no model)."""
    runtime, version = find_runtime()

    def opened(content: bytes) -> Callable[[], float]:
        return _timed(runtime.Interpreter(model_content=content, num_threads=threads))

    shapes, peaks = {}, {}
    for kind in KINDS:
        shapes[kind], peaks[kind] = _best(kind, opened)
    networks = {_named(model): _network(model) for model in models}
    runs = {name: opened(content) for name, (content, _) in networks.items()}
    cache = largest_cache(_CACHES)
    machine = read_machine()
    size = _copied(cache, machine.memory_bytes)
    copying = Copying(size, threads)
    found = [_round(peaks, runs, copying) for _ in range(rounds)]
    rates = {kind: [macs_of(*shapes[kind]) / one[kind] for one in found] for kind in KINDS}
    points = [_point(name, cost, [one[name] for one in found], rates[cost.kind])
              for name, (_, cost) in networks.items()]  # fmt: skip
    return Roofline(
        machine, version, threads, rounds, {k: median(v) for k, v in rates.items()},
        shapes, median(one[_COPY] for one in found), size, cache, tuple(points),
    )  # fmt: skip


_COPY: Final = "\0copy"  # no model's name


def _round(
    peaks: dict[str, Callable[[], float]],
    runs: dict[str, Callable[[], float]],
    copying: "Copying",
) -> dict[str, float]:
    """The median seconds of each network, and bytes a second of copying."""
    found = {name: run() for name, run in {**peaks, **runs}.items()}
    return {**found, _COPY: copying.rate()}


def _best(
    kind: str, opened: Callable[[bytes], Callable[[], float]]
) -> tuple[tuple[int, int], Callable[[], float]]:
    """The shape on which most is multiplied a second, and what runs it."""
    runs = {shape: opened(probe(kind, *shape)) for shape in SHAPES}
    rates = {shape: macs_of(*shape) / run() for shape, run in runs.items()}
    shape = max(rates, key=rates.__getitem__)
    return shape, runs[shape]


def _timed(interpreter: Any) -> Callable[[], float]:
    """What gives the median seconds of some invokes, the first of all not counted."""
    interpreter.allocate_tensors()
    interpreter.invoke()

    def run() -> float:
        return median(_seconds(interpreter.invoke) for _ in range(_RUNS))

    return run


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _named(model: Path | None) -> str:
    return "default" if model is None else str(model)


def _network(model: Path | None) -> tuple[bytes, Cost]:
    path = model or DEFAULT_MODEL
    content = Bundle.load(path).model
    with naming(path):
        cost = cost_of(require_sound(content))
        if cost.kind not in KINDS:
            raise BundleError(f"multiplies {cost.kind}, whose peak is not measured")
        return content, cost


def _point(name: str, cost: Cost, seconds: list[float], peaks: list[float]) -> Point:
    shares = [cost.macs / one / peak for one, peak in zip(seconds, peaks, strict=True)]
    return Point(name, cost, median(seconds), median(shares), min(shares), max(shares))


def _copied(cache: int, memory: int | float | str) -> int:
    """How many bytes to copy: beyond the caches, and no more than an eighth of the memory."""
    most = _MOST_BYTES if isinstance(memory, str) else min(_MOST_BYTES, int(memory) // 8)
    return min(max(_LEAST_BYTES, _TIMES_CACHE * cache), most)


class Copying:
    """Copies ``size`` bytes, parted among ``threads``, from memory that is there to such."""

    def __init__(self, size: int, threads: int) -> None:
        part = size // threads
        # ones: memory that was never written is not there yet, and takes a fault a page.
        self._pairs = [(np.ones(part, np.uint8), np.ones(part, np.uint8)) for _ in range(threads)]
        self._bytes = 2 * part * threads

    def rate(self) -> float:
        """Bytes a second that are read and written."""
        gate = threading.Barrier(len(self._pairs) + 1)

        def copy(source: Any, target: Any) -> None:
            gate.wait()
            np.copyto(target, source)  # without the interpreter's lock
            gate.wait()

        workers = [threading.Thread(target=copy, args=pair) for pair in self._pairs]
        for worker in workers:
            worker.start()
        gate.wait()
        start = time.perf_counter()
        gate.wait()
        seconds = time.perf_counter() - start
        for worker in workers:
            worker.join()
        return self._bytes / seconds


def largest_cache(folder: Path) -> int:
    """Bytes of the largest cache of a processor's folder in /sys, 0 if it does not tell."""
    sizes = [0]
    for file in folder.glob("index*/size"):
        if found := re.fullmatch(r"(\d+)([KM])", file.read_text().strip()):
            sizes.append(int(found[1]) * {"K": 2**10, "M": 2**20}[found[2]])
    return max(sizes)
