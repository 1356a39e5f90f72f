"""Peaks of this machine and speeds of models, in turn, so that what disturbs one disturbs all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.machine import Machine, read_machine
from corrosion_edge.benchmarks.roofline.copying import Copying, bytes_to_copy, largest_cache
from corrosion_edge.benchmarks.roofline.cost import Cost, Part, cost_of
from corrosion_edge.benchmarks.roofline.probes import KINDS, SHAPES, macs_of, probe
from corrosion_edge.benchmarks.state import State, fastest_mhz, read_state
from corrosion_edge.benchmarks.usage import Usage
from corrosion_edge.benchmarks.void import clock_reasons, machine_reasons
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle, naming
from corrosion_edge.device.backends.interpreting import runtime_errors
from corrosion_edge.device.backends.litert import find_runtime
from corrosion_edge.errors import BundleError
from corrosion_edge.network.sound import require_sound
from corrosion_edge.quiet import quiet

__all__ = ["Point", "Roofline", "measure"]

_RUNS: Final = 10  # of each network in a round
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
    unknown. ``void`` says why not to trust it, if so: ``before``, ``after``, ``others_cores`` and
    ``swapped_pages`` are those of a ``LatencyReport``, ``clocks_mhz`` the fastest core's after each
    round, empty where it cannot be read.
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
    before: State
    after: State
    others_cores: float | Unavailable
    swapped_pages: int | Unavailable
    clocks_mhz: tuple[int, ...]
    void: tuple[str, ...] = ()

    def floors(self, point: Point) -> tuple[float, float, float]:
        """Seconds that a model takes at least, by each of three limits.

        Multiplying at the peak; reading the parameters from memory once; and moving all
        activations through memory too, as if no cache held any.
        """
        cost = point.cost
        moved = cost.parameter_bytes + cost.activation_bytes
        speed = self.bytes_per_second
        return cost.macs / self.peaks[cost.kind], cost.parameter_bytes / speed, moved / speed

    def estimate_of(self, part: Part, kind: str) -> float:
        """Seconds estimated for these operators: multiplying at the peak, or moving bytes."""
        return max(part.macs / self.peaks[kind], part.moved_bytes / self.bytes_per_second)


def measure(
    models: Sequence[Path | None], threads: Sequence[int], rounds: int
) -> tuple[Roofline, ...]:
    """Measure peaks and models in turn, with each number of threads.

    Raises BundleError for a file that is no model, before anything is measured, and BackendError
    for one that the runtime refuses.
    """
    networks = {_named(model): _network(model) for model in models}
    return tuple(_measured(networks, count, rounds) for count in threads)


def _measured(networks: Mapping[str, tuple[bytes, Cost]], threads: int, rounds: int) -> Roofline:
    runtime, version = find_runtime()

    def opened(content: bytes, name: str = "") -> Callable[[], float]:
        refused = f"{name}: the runtime refuses the model" if name else "the runtime fails"
        with runtime_errors(refused), quiet():
            interpreter = runtime.Interpreter(model_content=content, num_threads=threads)
            interpreter.allocate_tensors()
            interpreter.invoke()
        return _timed(interpreter)

    runs = {name: opened(content, name) for name, (content, _) in networks.items()}
    shapes, peaks = {}, {}
    for kind in KINDS:
        shapes[kind], peaks[kind] = _best(kind, opened)
    cache, machine = largest_cache(_CACHES), read_machine()
    size = bytes_to_copy(cache, machine.memory_bytes)
    copying = Copying(size, threads)
    before, usage = read_state(), Usage()
    found, clocks = _rounds(peaks, runs, copying, rounds)
    others, swapped, after = usage.others_cores(), usage.swapped_pages(), read_state()
    rates = {kind: [macs_of(*shapes[kind]) / one[kind] for one in found] for kind in KINDS}
    points = [_point(name, cost, [one[name] for one in found], rates[cost.kind])
              for name, (_, cost) in networks.items()]  # fmt: skip
    return Roofline(
        machine, version, threads, rounds, {k: median(v) for k, v in rates.items()},
        shapes, median(one[_COPY] for one in found), size, cache, tuple(points),
        before, after, others, swapped, tuple(clocks),
        (*machine_reasons(before, after, others, swapped), *clock_reasons(clocks)),
    )  # fmt: skip


def _rounds(
    peaks: dict[str, Callable[[], float]],
    runs: dict[str, Callable[[], float]],
    copying: Copying,
    count: int,
) -> tuple[list[dict[str, float]], list[int]]:
    """What each round gave, and the clock of the fastest core after each, in MHz."""
    found, clocks = [], []
    for _ in range(count):
        found.append(_round(peaks, runs, copying))
        if (clock := fastest_mhz()) is not None:
            clocks.append(clock)
    return found, clocks


_COPY: Final = "\0copy"  # no model's name


def _round(
    peaks: dict[str, Callable[[], float]],
    runs: dict[str, Callable[[], float]],
    copying: Copying,
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
    """What gives the median seconds of some invokes."""

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
