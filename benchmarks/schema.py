"""The report of a benchmark; its fields are the JSON's one definition."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

from corrosion_edge.benchmarks.machine import Machine, State
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Round, Samples
from corrosion_edge.benchmarks.stats import Statistics

__all__ = ["FORMAT", "LatencyReport", "Result"]

FORMAT: Final = 1
"""Version of the layout; a reader refuses another one."""

_SERIES: Final = ("invoke", "path", "prepare", "path_invoke", "decode")


@dataclass(frozen=True, slots=True)
class Result:
    """One configuration: a model on a number of threads.

    ``model`` is the name the user gave, ``model_name`` that in its manifest, ``model_sha256``
    the network's SHA-256 and ``file_bytes`` the size of the whole model file. Each of ``rounds``
    is one fresh process. ``void`` says why the figures are not to be trusted, if so.
    """

    model: str
    model_name: str
    model_sha256: str
    file_bytes: int
    threads: int
    rounds: tuple[Round, ...]
    void: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("file_bytes", "threads"):
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
    def samples(self) -> Samples:
        """The samples of all rounds."""
        return Samples.joined([part.samples for part in self.rounds])

    @property
    def statistics(self) -> dict[str, Statistics]:
        """By series: ``invoke`` alone, the whole frame ``path``, and the stages of the path."""
        samples = self.samples
        return {name: Statistics.of(getattr(samples, f"{name}_ns")) for name in _SERIES}

    @property
    def ratio(self) -> float:
        """Median frame path / median invoke alone, of the same runs."""
        statistics = self.statistics
        return statistics["path"].p50 / statistics["invoke"].p50

    @property
    def first_verdict_ms(self) -> float:
        """Median over the rounds of the time from spawn to first verdict, in ms."""
        return median(part.start.total_ns for part in self.rounds) / 1e6

    @property
    def peak_memory_bytes(self) -> int | str:
        """The highest peak of the rounds, or "unavailable"."""
        peaks = [part.peak_memory_bytes for part in self.rounds]
        known = [peak for peak in peaks if isinstance(peak, int)]
        return max(known) if len(known) == len(peaks) else UNAVAILABLE

    def summary(self) -> dict[str, Any]:
        """What follows from the rounds: written for the reader, checked when read back."""
        return {
            "first_verdict_ms": self.first_verdict_ms,
            "ratio": self.ratio,
            "peak_memory_bytes": self.peak_memory_bytes,
            "statistics": {name: asdict(value) for name, value in self.statistics.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Result":
        """Read it back; ValueError if its summary does not follow from its samples."""
        fields = dict(content)
        summary = fields.pop("summary")
        fields["rounds"] = tuple(Round.from_dict(part) for part in fields["rounds"])
        fields["void"] = tuple(fields["void"])
        result = cls(**fields)
        if summary != result.summary():
            raise ValueError(f"{result.model}: the summary does not follow from the samples")
        return result


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
    width, height       of a frame before it is prepared, in pixels
    pictures            how many different frames were taken in turn
    runs                runs asked for, per configuration
    warm_up             when a process counts as warm
    results             see ``Result``; each has in JSON a ``summary`` with
                        ``first_verdict_ms``, ``ratio``, ``peak_memory_bytes`` and the
                        ``statistics`` of each series (milliseconds; ``per_second`` in 1/s)
    void                why no figure of this report is to be trusted, if so

    Names end in their unit: ``_ns`` nanoseconds, ``_ms`` milliseconds, ``_bytes`` bytes, ``_c``
    degrees Celsius, ``_mhz`` megahertz.
    """

    program: str
    started_at: str
    finished_at: str
    machine: Machine
    before: State
    after: State
    others_cores: float | str
    width: int
    height: int
    pictures: int
    runs: int
    warm_up: str
    results: tuple[Result, ...]
    void: tuple[str, ...] = ()
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format: this version reads {FORMAT}, got {self.format!r}")
        for name in ("width", "height", "pictures", "runs"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                raise ValueError(f"{name}: expected 1 or more, got {value!r}")
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

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, with each result's summary."""
        content = asdict(self)
        for plain, result in zip(content["results"], self.results, strict=True):
            plain["summary"] = result.summary()
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "LatencyReport":
        """Read a report back; ValueError says what is wrong with it."""
        try:
            fields = dict(content)
            fields["machine"] = Machine(**fields["machine"])
            fields["before"] = State(**fields["before"])
            fields["after"] = State(**fields["after"])
            fields["results"] = tuple(Result.from_dict(part) for part in fields["results"])
            fields["void"] = tuple(fields["void"])
            return cls(**fields)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"latency report: {error}") from None


def _utc(name: str, text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None or moment.utcoffset().total_seconds() != 0:  # type: ignore[union-attr]
        raise ValueError(f"{name}: expected a time in UTC, got {text!r}")
    return moment
