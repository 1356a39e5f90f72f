"""What one measuring process reports: its start, its warm-up, its samples, its memory."""

from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from corrosion_edge.benchmarks.layout import Count, Unavailable, Whole

__all__ = ["UNAVAILABLE", "Round", "Samples", "Start", "WarmUp", "Xnnpack"]

UNAVAILABLE: Final = "unavailable"
"""Stands for every fact that cannot be read."""

Xnnpack = Literal["on", "off", "unavailable"]
"""Whether any of the network's operators run in XNNPACK, the CPU's fast kernels."""


@dataclass(frozen=True, slots=True)
class Start:
    """A process from its spawn to its first verdict, in nanoseconds, stage by stage.

    ``interpreter_ns``: from the spawn to the first line of our code (Python's own start);
    ``imports_ns``: classifier, NumPy, Pillow and the runtime; ``load_ns``: reading and checking
    the model file, building the network; ``picture_ns``: reading the first picture, raw pixels;
    then ``prepare_ns`` (scaling and the quality gate), ``invoke_ns`` and ``decode_ns`` for the
    first time.
    """

    interpreter_ns: Whole
    imports_ns: Whole
    load_ns: Whole
    picture_ns: Whole
    prepare_ns: Whole
    invoke_ns: Whole
    decode_ns: Whole

    def __post_init__(self) -> None:
        for field in fields(self):
            _require_duration(field.name, getattr(self, field.name), least=0)

    @property
    def total_ns(self) -> int:
        """Time to the first verdict, in nanoseconds."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How many frame paths were run before the measurement, and whether they settled."""

    runs: Whole
    settled: bool

    def __post_init__(self) -> None:
        if not isinstance(self.runs, int) or self.runs < 0:
            raise ValueError(f"warm-up runs: expected 0 or more, got {self.runs!r}")
        if not isinstance(self.settled, bool):
            raise ValueError(f"warm-up settled: expected true or false, got {self.settled!r}")


@dataclass(frozen=True, slots=True)
class Samples:
    """Durations in nanoseconds, in the order of measuring.

    A run is one frame path, whose stages are ``scale_ns`` and ``gate_ns`` (the quality gate), both
    as ``watch`` has them, ``path_invoke_ns`` and ``decode_ns``, and then ``invoke_ns``: the backend
    alone, again, on the prepared picture. What lies before and after a frame path is taken once
    all runs are done, some times, so that it does not disturb them: ``read_ns`` decodes a
    picture's file to RGB, in the file's own size, and ``sink_ns`` writes a verdict as a JSON line
    to /dev/null.
    """

    scale_ns: tuple[Count, ...]
    gate_ns: tuple[Count, ...]
    path_invoke_ns: tuple[Count, ...]
    decode_ns: tuple[Count, ...]
    invoke_ns: tuple[Count, ...]
    read_ns: tuple[Count, ...]
    sink_ns: tuple[Count, ...]

    def __post_init__(self) -> None:
        counts = [len(getattr(self, field.name)) for field in fields(self)]
        runs, around = set(counts[:5]), set(counts[5:])
        if len(runs) != 1 or len(around) != 1 or 0 in counts:
            raise ValueError(f"samples: expected equally many, 1 or more, of each, got {counts}")
        for field in fields(self):
            for value in getattr(self, field.name):
                _require_duration(field.name, value, least=1)

    @property
    def path_ns(self) -> tuple[int, ...]:
        """Whole frame paths: scale, gate, invoke and decode."""
        stages = (self.scale_ns, self.gate_ns, self.path_invoke_ns, self.decode_ns)
        return tuple(map(sum, zip(*stages, strict=True)))

    @classmethod
    def joined(cls, parts: "list[Samples]") -> "Samples":
        """Several series, one after the other."""
        return cls(
            *(
                tuple(value for part in parts for value in getattr(part, field.name))
                for field in fields(cls)
            )
        )


@dataclass(frozen=True, slots=True)
class Round:
    """One process that measured one configuration.

    ``backend`` is what it really ran on; ``clocks_mhz`` the clock of the fastest core, looked at
    between runs, empty where it cannot be read; ``peak_memory_bytes`` the most memory it ever had
    resident (VmHWM of /proc/self/status), with one frame in hand.
    """

    backend: str
    xnnpack: Xnnpack
    start: Start
    warm_up: WarmUp
    samples: Samples
    clocks_mhz: tuple[Count, ...]
    peak_memory_bytes: Count | Unavailable

    def __post_init__(self) -> None:
        peak = self.peak_memory_bytes
        if peak != UNAVAILABLE and not (isinstance(peak, int) and peak > 0):
            raise ValueError(f"peak_memory_bytes: expected a number above 0, got {peak!r}")


def _require_duration(name: str, value: Any, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}: expected whole nanoseconds from {least}, got {value!r}")
