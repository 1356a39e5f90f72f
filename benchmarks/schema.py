"""The report of a benchmark; its fields are the JSON's one definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, ClassVar, Final, Literal

from corrosion_edge.benchmarks.delivered import PixelFormat
from corrosion_edge.benchmarks.endurance import NOT_MEASURED, Sustained
from corrosion_edge.benchmarks.layout import (
    Count,
    NotNegative,
    Positive,
    Unavailable,
    Whole,
    plain,
    read,
    schema,
)
from corrosion_edge.benchmarks.machine import Machine
from corrosion_edge.benchmarks.pictures import Pictures
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Round, Samples
from corrosion_edge.benchmarks.state import State
from corrosion_edge.benchmarks.stats import Statistics

__all__ = ["FORMAT", "LatencyReport", "Result", "Series", "Summary"]

FORMAT: Final = 4
"""Version of the layout; a reader refuses another one."""


@dataclass(frozen=True, slots=True)
class Series:
    """The statistics of each series of ``Samples``, and of the whole frame ``path``."""

    invoke: Statistics
    path: Statistics
    scale: Statistics
    gate: Statistics
    path_invoke: Statistics
    decode: Statistics
    read: Statistics
    sink: Statistics

    @classmethod
    def of(cls, samples: Samples) -> "Series":
        """The statistics of samples."""
        return cls(*(Statistics.of(getattr(samples, f"{name}_ns")) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Summary:
    """What follows from a result's rounds.

    ``first_verdict_ms`` is the median over the rounds of the time from spawn to first verdict;
    ``ratio`` the median frame path / the median invoke alone, of the same runs;
    ``peak_memory_bytes`` the highest of the rounds.
    """

    first_verdict_ms: Positive
    ratio: Positive
    peak_memory_bytes: Count | Unavailable
    statistics: Series


@dataclass(frozen=True, slots=True)
class Result:
    """One configuration: a model on a number of threads, with frames of one size.

    ``model`` is the name the user gave, ``model_name`` that in its manifest, ``model_sha256``
    the network's SHA-256 and ``file_bytes`` the size of the whole model file. ``width`` and
    ``height`` are those of a frame before it is prepared, in pixels. Each of ``rounds`` is one
    fresh process. ``void`` says why the figures are not to be trusted, if so.
    """

    __derived__: ClassVar[dict[str, Any]] = {"summary": Summary}

    model: str
    model_name: str
    model_sha256: str
    file_bytes: Count
    threads: Count
    width: Count
    height: Count
    rounds: tuple[Round, ...]
    void: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("file_bytes", "threads", "width", "height"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                raise ValueError(f"{name}: expected 1 or more, got {value!r}")
        if not self.rounds:
            raise ValueError("rounds: expected 1 or more, got none")
        if len(self.backends) != 1:
            raise ValueError(f"rounds: expected one backend in all, got {self.backends}")

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends of the rounds, each once."""
        return tuple(dict.fromkeys(part.backend for part in self.rounds))

    @property
    def backend_kind(self) -> str:
        """What it ran on without versions, devices and threads: CPU, or Edge TPU."""
        told = self.backends[0].split(", ")
        kind = told[1] if len(told) > 1 else told[0]
        return "Edge TPU" if kind.startswith("Edge TPU") else kind

    @property
    def size(self) -> str:
        """Width and height, as 1920x1080."""
        return f"{self.width}x{self.height}"

    @property
    def samples(self) -> Samples:
        """The samples of all rounds."""
        return Samples.joined([part.samples for part in self.rounds])

    @property
    def summary(self) -> Summary:
        """What follows from the rounds: written for the reader, checked when read back."""
        statistics = Series.of(self.samples)
        peaks = [part.peak_memory_bytes for part in self.rounds]
        known = [peak for peak in peaks if isinstance(peak, int)]
        return Summary(
            first_verdict_ms=median(part.start.total_ns for part in self.rounds) / 1e6,
            ratio=statistics.path.p50 / statistics.invoke.p50,
            peak_memory_bytes=max(known) if len(known) == len(peaks) else UNAVAILABLE,
            statistics=statistics,
        )


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """The latency of one or more configurations on one machine.

    format              version of this layout
    program             version of corrosion-edge
    started_at, finished_at   UTC, ISO 8601
    machine             see ``Machine``
    before, after       see ``State``
    others_cores        processor time of other programs while measuring, in cores, from
                        /proc/stat less our own; or "unavailable"
    swapped_pages       pages swapped in and out meanwhile, by any program; or "unavailable"
    pictures            see ``Pictures``
    pixel_format        of the frames, as their source delivers them, by FFmpeg's names
    runs                runs asked for, per configuration
    warm_up             when a process counts as warm
    results             see ``Result``; each has in JSON a ``summary``, see ``Summary``, with the
                        statistics of each series (milliseconds; ``per_second`` in 1/s)
    meter               what measured power in the sustained runs; or "not measured"
    sustained           see ``Sustained``; each has in JSON a ``summary``, see ``Endurance``
    void                why no result of this report is to be trusted, if so

    Names end in their unit: ``_ns`` nanoseconds, ``_ms`` milliseconds, ``_bytes`` bytes, ``_c``
    degrees Celsius, ``_mhz`` megahertz, ``_s`` seconds.
    """

    program: str
    started_at: str
    finished_at: str
    machine: Machine
    before: State
    after: State
    others_cores: NotNegative | Unavailable
    swapped_pages: Whole | Unavailable
    pictures: Pictures
    pixel_format: PixelFormat
    runs: Count
    warm_up: str
    results: tuple[Result, ...]
    meter: str = NOT_MEASURED
    sustained: tuple[Sustained, ...] = ()
    void: tuple[str, ...] = ()
    format: Literal[4] = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format: this version reads {FORMAT}, got {self.format!r}")
        if not isinstance(self.runs, int) or self.runs < 1:
            raise ValueError(f"runs: expected 1 or more, got {self.runs!r}")
        if _utc("started_at", self.started_at) > _utc("finished_at", self.finished_at):
            raise ValueError("finished_at: expected a time after started_at")
        if not self.results:
            raise ValueError("results: expected 1 or more, got none")
        others = self.others_cores
        if others != UNAVAILABLE and not (isinstance(others, float) and others >= 0):
            raise ValueError(f"others_cores: expected 0 or more, got {others!r}")

    def void_of(self, result: Result) -> tuple[str, ...]:
        """Every reason why a result's figures are void: the machine's and its own."""
        return (*self.void, *result.void)

    @property
    def is_void(self) -> bool:
        """Whether any of the figures is void."""
        return any(map(self.void_of, self.results)) or any(run.void for run in self.sustained)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, with each result's summary."""
        content: dict[str, Any] = plain(self)
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "LatencyReport":
        """Read a report back; ValueError says what is wrong with it."""
        if isinstance(content, dict) and content.get("format") not in (None, FORMAT):
            raise ValueError(f"format: this version reads {FORMAT}, got {content['format']!r}")
        return read(cls, content)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON schema of a report, which ``report.schema.json`` holds."""
        return schema(cls, f"A benchmark's report of corrosion-edge, format {FORMAT}")


def _utc(name: str, text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None or moment.utcoffset().total_seconds() != 0:  # type: ignore[union-attr]
        raise ValueError(f"{name}: expected a time in UTC, got {text!r}")
    return moment
