"""A sustained run of one configuration: what each second of it was like, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from statistics import median
from typing import Any, ClassVar, Literal

from corrosion_edge.benchmarks.layout import (
    Count,
    NotNegative,
    Positive,
    Unavailable,
    Whole,
)
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.state import throttle_reasons

__all__ = ["NEVER", "NOT_MEASURED", "Endurance", "NotMeasured", "Second", "Sustained"]

NotMeasured = Literal["not measured"]
Never = Literal["never"]
NOT_MEASURED: NotMeasured = "not measured"
NEVER: Never = "never"


@dataclass(frozen=True, slots=True)
class Second:
    """One second, or one frame where that takes longer; ``at_s`` is its end, from the beginning.

    ``p50_ms`` and ``p99_ms`` are those of its frame paths; ``frequency_mhz`` is the clock of the
    fastest core, the highest that was seen right after a frame, when a governor has not yet slowed
    what waits for the next one; ``throttled`` the firmware's flags, ``under_voltage`` what a Pi's
    voltage monitor says, ``memory_bytes`` what is resident, ``swapped_pages`` those swapped in and
    out in it by any program, ``others_cores`` the processor time of other programs in it,
    ``watts`` the mean power.
    """

    at_s: Positive
    frames: Count
    p50_ms: Positive
    p99_ms: Positive
    frequency_mhz: Count | Unavailable
    temperature_c: float | Unavailable
    throttled: str
    under_voltage: Literal["yes", "no", "unavailable"]
    memory_bytes: Count | Unavailable
    swapped_pages: Whole | Unavailable
    others_cores: NotNegative | Unavailable
    watts: NotNegative | Unavailable | NotMeasured

    def __post_init__(self) -> None:
        throttle_reasons(self.throttled)


@dataclass(frozen=True, slots=True)
class Endurance:
    """What follows from the seconds.

    ``first_p50_ms`` and ``last_p50_ms`` are the medians of the seconds' p50 in the first and the
    last quarter, ``slowdown`` their ratio; ``throttled_after_s`` is the end of the first second
    with a flag. ``watts`` is the mean under load, ``joules_per_frame`` that by the time of a frame,
    and ``joules_per_frame_above_idle`` the same of what was drawn beyond the idle machine.
    """

    frames: Count
    frames_per_second: Positive
    first_p50_ms: Positive
    last_p50_ms: Positive
    slowdown: Positive
    throttled_after_s: Positive | Never | Unavailable
    hottest_c: float | Unavailable
    watts: NotNegative | Unavailable | NotMeasured
    joules_per_frame: NotNegative | Unavailable | NotMeasured
    joules_per_frame_above_idle: float | Unavailable | NotMeasured


@dataclass(frozen=True, slots=True)
class Sustained:
    """One configuration that ran frame after frame for ``minutes``, as its ``Second`` objects say.

    The first fields are those of ``Result``. ``rate`` is how many frames a second were asked for;
    ``idle_watts`` the mean power before it began. ``void`` says why not to trust it, if so.
    """

    __derived__: ClassVar[dict[str, Any]] = {"summary": Endurance}

    model: str
    model_name: str
    model_sha256: str
    threads: Count
    width: Count
    height: Count
    backend: str
    started_at: str
    minutes: Positive
    rate: Positive | Literal["full speed"]
    idle_watts: NotNegative | Unavailable | NotMeasured
    seconds: tuple[Second, ...]
    void: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.seconds:
            raise ValueError("seconds: expected 1 or more, got none")

    @property
    def size(self) -> str:
        """Width and height, as 1920x1080."""
        return f"{self.width}x{self.height}"

    @property
    def paced(self) -> bool:
        """Whether it waited between frames, to keep a rate."""
        return self.rate != "full speed"

    @property
    def summary(self) -> Endurance:
        """What follows from the seconds: written for the reader, checked when read back."""
        seconds, quarter = self.seconds, max(1, len(self.seconds) // 4)
        first, last = (
            median(s.p50_ms for s in part) for part in (seconds[:quarter], seconds[-quarter:])
        )
        frames, lasted = sum(s.frames for s in seconds), seconds[-1].at_s
        watts = _mean_watts(seconds)
        heat = [s.temperature_c for s in seconds if not isinstance(s.temperature_c, str)]
        return Endurance(
            frames=frames,
            frames_per_second=frames / lasted,
            first_p50_ms=first,
            last_p50_ms=last,
            slowdown=last / first,
            throttled_after_s=_throttled_after(seconds),
            hottest_c=max(heat, default=UNAVAILABLE),
            watts=watts,
            joules_per_frame=watts if isinstance(watts, str) else watts * lasted / frames,
            joules_per_frame_above_idle=_above(watts, self.idle_watts, lasted / frames),
        )


def _p50(seconds: Sequence[Second]) -> float:
    return median(second.p50_ms for second in seconds)


def _throttled_after(seconds: Sequence[Second]) -> float | Never | Unavailable:
    if all(second.throttled == UNAVAILABLE for second in seconds):
        return UNAVAILABLE
    return next((s.at_s for s in seconds if throttle_reasons(s.throttled)), NEVER)


def _mean_watts(seconds: Sequence[Second]) -> float | Unavailable | NotMeasured:
    """The mean over time; unavailable if the meter was silent in any second."""
    if all(second.watts == NOT_MEASURED for second in seconds):
        return NOT_MEASURED
    known = [s.watts for s in seconds if not isinstance(s.watts, str)]
    if len(known) < len(seconds):
        return UNAVAILABLE
    ends = [0.0, *(second.at_s for second in seconds)]
    spans = [end - start for start, end in pairwise(ends)]
    return fsum(w * span for w, span in zip(known, spans, strict=True)) / ends[-1]


def _above(
    watts: float | Unavailable | NotMeasured,
    idle: float | Unavailable | NotMeasured,
    seconds: float,
) -> float | Unavailable | NotMeasured:
    if isinstance(watts, str):
        return watts
    return idle if isinstance(idle, str) else (watts - idle) * seconds
