"""What a soak showed, check by check: kept, exceeded, or open where it cannot be told."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from corrosion_edge.benchmarks.soak.trend import Slope, growth, quarters, slope
from corrosion_edge.benchmarks.soak.watched import WATCHDOG
from corrosion_edge.benchmarks.stats import percentile
from corrosion_edge.errors import DataError

__all__ = ["FLOOR", "LEAST_MINUTES", "SLOPE_LIMIT", "Check", "Limits", "Result", "judged"]

SLOPE_LIMIT: Final = 1.0
"""MB (10^6 bytes) an hour."""

LEAST_MINUTES: Final = 30.0
"""Below this a slope says nothing about an hour, unless a limit for it is asked for."""

FLOOR: Final = 10.0
"""The percentile that counts as floor; a leak lifts it as it lifts all."""

_KB: Final = 1024 / 1e6  # MB in a unit of /proc
_HOUR: Final = 3600.0

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """``slope`` in MB an hour, None for ``SLOPE_LIMIT`` where the run is long enough.

    ``growth``: files, threads and children more in the last quarter than in the first. Cameras and
    page clients come and go, so what is compared is the ``FLOOR``, what is there at least, of the
    samples at which no fault was under way: a lost camera has no decoder and no connection.
    ``latency``: how many times the first quarter's median the last one's may be.
    """

    slope: float | None = None
    growth: float = 1.0
    latency: float = 1.5


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, what was allowed; ``state`` kept, exceeded or open."""

    what: str
    found: str
    limit: str
    state: str


@dataclass(frozen=True, slots=True)
class Result:
    """A soak's figures; ``samples`` are those after the warm-up, ``everything`` all of them.

    ``slope`` is that of the resident set, ``anon`` of what no file backs in it, ``used`` of what
    the heap has given out, None where the watch did not tell.
    """

    start: Line
    everything: Sequence[Line]
    samples: Sequence[Line]
    faults: Sequence[Line]
    end: Line | None
    slope: Slope
    anon: Slope
    used: Slope | None
    checks: Sequence[Check]

    @property
    def exceeded(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.state == "exceeded"]

    @property
    def minutes(self) -> float:
        """How long the judged part is."""
        return _minutes(self.samples)

    def by_kind(self) -> dict[str, list[Line]]:
        """The faults that are over, by kind."""
        names = sorted({fault["what"] for fault in self.faults})
        return {name: [f for f in self.faults if f["what"] == name] for name in names}

    def latencies(self, key: str = "latency_ms") -> list[tuple[float, float, int]]:
        """p50, p99 and number of verdicts in each quarter."""
        parts = [[v for s in part for v in s[key]] for part in quarters(self.samples)]
        return [(percentile(p, 50), percentile(p, 99), len(p)) for p in parts if p]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        slopes = {name: {"mb_per_hour": s.value, "ci95": [s.low, s.high],
                         "least_squares": s.least_squares}
                  for name, s in (("rss", self.slope), ("anonymous", self.anon),
                                  ("heap_in_use", self.used)) if s}  # fmt: skip
        return {
            "minutes": round(self.minutes, 2),
            "slope": slopes,
            "growth": {key: growth(column(_at_rest(self.samples), key), FLOOR) for key in _COUNTED},
            "latency_ms": self.latencies(),
            "age_ms": self.latencies("age_ms"),
            "faults": {kind: dict(Counter(f["outcome"] for f in found))
                       for kind, found in self.by_kind().items()},
            "end": self.end,
            "checks": [{"what": c.what, "found": c.found, "limit": c.limit, "state": c.state}
                       for c in self.checks],
        }  # fmt: skip


_COUNTED: Final = ("files", "threads", "children")


def judged(lines: Sequence[Line], limits: Limits, warm_up: float | None = None) -> Result:
    """Judge a record; ``warm_up`` minutes of it are left out, by default those of its plan.

    DataError for one that is too short.
    """
    start = next((line for line in lines if line["kind"] == "start"), None)
    if start is None:
        raise DataError("the record has no start: the watch never came up")
    warm = 60 * (start["plan"]["warm_up"] if warm_up is None else warm_up)
    everything = [line for line in lines if line["kind"] == "sample"]
    samples = [line for line in everything if line["s"] >= warm]
    faults = [line for line in lines if line["kind"] == "fault"]
    end = next((line for line in lines if line["kind"] == "end"), None)
    try:
        rss, anon = (_slope(samples, key) for key in ("rss_kb", "anon_kb"))
        used = _slope(samples, "heap_kb") if all(s.get("heap_kb") for s in samples) else None
    except ValueError:
        raise DataError(
            f"only {len(samples)} samples after the warm-up of {warm / 60:g} minutes: too few"
        ) from None
    memory = [_memory(what, found, samples, limits)
              for what, found in (("memory", rss), ("heap in use", used)) if found]  # fmt: skip
    checks = [*memory, *_counted(samples, limits), *_speed(samples, limits), *_faults(faults),
              *_ending(end)]  # fmt: skip
    return Result(start, everything, samples, faults, end, rss, anon, used, checks)


def column(samples: Sequence[Line], key: str) -> list[float]:
    """One figure of all samples."""
    return [float(sample[key]) for sample in samples]


def _slope(samples: Sequence[Line], key: str) -> Slope:
    hours = [sample["s"] / _HOUR for sample in samples]
    return slope(hours, [_KB * value for value in column(samples, key)])


def _minutes(samples: Sequence[Line]) -> float:
    return float(samples[-1]["s"] - samples[0]["s"]) / 60


def _memory(what: str, found: Slope, samples: Sequence[Line], limits: Limits) -> Check:
    words = f"{found.value:+.2f} MB an hour ({found.low:+.2f} to {found.high:+.2f})"
    limit = SLOPE_LIMIT if limits.slope is None else limits.slope
    state = "exceeded" if found.value >= limit else "kept" if found.high < limit else "open"
    if limits.slope is None and _minutes(samples) < LEAST_MINUTES:
        words, state = f"{words}; too short to say", "open"
    return Check(what, words, f"under {limit:g} MB an hour", state)


def _at_rest(samples: Sequence[Line]) -> Sequence[Line]:
    """Those at which no fault was under way; all where that leaves fewer than one in ten."""
    rest = [sample for sample in samples if sample["faults"] == 0]
    return rest if 10 * len(rest) >= len(samples) else samples


def _counted(samples: Sequence[Line], limits: Limits) -> Iterator[Check]:
    for key in _COUNTED:
        values = column(samples, key)
        more = growth(column(_at_rest(samples), key), FLOOR)
        words = f"{more:+g} (median {median(values):g}, most {max(values):g})"
        yield _check(f"open {key}" if key == "files" else key, words,
                     f"at most {limits.growth:g} more", more <= limits.growth)  # fmt: skip


def _speed(samples: Sequence[Line], limits: Limits) -> Iterator[Check]:
    parts = [[v for sample in part for v in sample["latency_ms"]] for part in quarters(samples)]
    if not all(parts):
        yield Check("latency", "a quarter without a verdict", "verdicts all the time", "exceeded")
    else:
        first, last = (percentile(parts[n], 50) for n in (0, -1))
        words = f"p50 {first:.2f} ms in the first quarter, {last:.2f} ms in the last"
        good = last <= limits.latency * first
        yield _check("latency", words, f"at most {limits.latency:g} times", good)
    gap = max(column(samples, "ping_gap_s"))
    words = f"{gap:.1f} s between two pings at most"
    yield _check("watchdog", words, f"{WATCHDOG:g} s", gap < WATCHDOG)


def _faults(faults: Sequence[Line]) -> Iterator[Check]:
    bad = [fault for fault in faults if fault["outcome"] != "recovered"]
    words = f"{len(faults)}, of which {len(faults) - len(bad)} noticed and recovered from"
    for fault in bad:
        words += f"; {fault['what']} of {fault['target']} at {fault['s']:.0f} s: {fault['outcome']}"
    yield _check("faults", words, "all", not bad)


_ENDING: Final[tuple[tuple[str, str, Callable[[Line], bool]], ...]] = (
    ("events lost", "lost", lambda end: end["lost"] == 0),
    ("events otherwise told than stored", "untold", lambda end: end["untold"] == 0),
    ("events not delivered", "undelivered", lambda end: end["undelivered"] == 0),
    ("store", "verify", lambda end: not end["verify"]),
    ("exit code", "exit_code", lambda end: end["exit_code"] == 0 and not end["early"]),
)


def _ending(end: Line | None) -> Iterator[Check]:
    if end is None:
        yield Check("end", "the record stops before the end", "an account of all events", "open")
        return
    for what, key, good in _ENDING:
        found = f"{end[key]}" if end[key] != "" else "verified"
        if key == "exit_code" and end["early"]:
            found += ", before its time"
        yield _check(what, found, "verified" if key == "verify" else "0", good(end))


def _check(what: str, found: str, limit: str, good: bool) -> Check:
    return Check(what, found, limit, "kept" if good else "exceeded")
