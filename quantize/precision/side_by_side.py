"""Conversions of one network to several precisions, side by side: size, latency, drift."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.precision import INT8
from corrosion_edge.progress import say
from corrosion_edge.quantize.drift import DriftReport
from corrosion_edge.quantize.judge import Judge
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.precision.latency import Conditions, Latency, latencies
from corrosion_edge.quantize.precision.names import PLAIN

__all__ = ["Candidate", "Row", "SideBySide", "candidates", "compare_precisions"]

_FIGURES: Final = ("mean_change", "p99_change", "largest_change", "agreement", "accuracy_drop",
                   "auc_drop")  # fmt: skip

Measure = Callable[[Mapping[str, Bundle], str], tuple[dict[str, Latency], Conditions]]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A conversion to compare: its name, precision and finished flatbuffer."""

    name: str
    precision: str
    model: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """What was found of one; where it could not be made or run, only why: ``failed``.

    ``bytes`` are those of the flatbuffer, metadata included. ``taken`` marks the one that the
    evidence is about.
    """

    name: str
    precision: str
    taken: bool = False
    bytes: int = 0
    latency: Latency | None = None
    report: DriftReport | None = None
    failed: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        said = {"name": self.name, "precision": self.precision, "taken": self.taken}
        if self.report is None or self.latency is None:
            return said | {"failed": self.failed}
        report = self.report
        return said | {
            "bytes": self.bytes,
            "latency": self.latency.to_dict(),
            "accuracy": report.quantized.accuracy,
            "auc": report.quantized.auc,
            **{name: getattr(report, name) for name in _FIGURES},
            "limits_broken": list(report.broken),
        }


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """The rows, the plain int8 conversion first, and how the latencies were measured."""

    rows: tuple[Row, ...]
    conditions: Conditions

    @property
    def reference(self) -> DriftReport:
        """Any row's report, for the float model's figures, which are the same in all."""
        return next(row.report for row in self.rows if row.report is not None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        float_model = self.reference.reference
        return {
            "float": {"accuracy": float_model.accuracy, "auc": float_model.auc},
            "photos": self.reference.n,
            "rows": [row.to_dict() for row in self.rows],
            "latency_measured": self.conditions.to_dict(),
        }


def candidates(rungs: Sequence[Rung], taken: Rung, precision: str) -> list[Candidate]:
    """What is there already: the plain conversion, if it was a rung, and what was taken, last."""
    plain = [rung for rung in rungs if rung.name == PLAIN and rung is not taken]
    return [Candidate(rung.name, precision, rung.model) for rung in (*plain, taken)]


def compare_precisions(
    names: Sequence[str],
    given: Sequence[Candidate],
    make: Callable[[str], bytes],
    seal: Callable[[bytes, str], Bundle],
    judge: Judge,
    measure: Measure = latencies,
) -> SideBySide:
    """Make what is asked for by ``names``, and measure all of it.

    ``given`` are those that are there already, the last of them the one that was taken;
    ``make(name)`` gives a finished flatbuffer, ``seal(model, precision)`` a bundle. The plain int8
    conversion is always among them, as the ratios are to it. One that cannot be made or run gets
    a row that says so; BackendError where that is the plain one.
    """
    rows: dict[str, Row] = {}
    bundles: dict[str, Bundle] = {}
    known = {one.name: one for one in given}
    for name in dict.fromkeys((PLAIN, *names, *known)):
        taken = name == given[-1].name
        try:
            one = known.get(name) or Candidate(name, _precision_of(name), make(name))
            report = judge(one.model, one.precision)
            bundles[name] = seal(one.model, one.precision)
        except (BackendError, BundleError) as error:
            if name == PLAIN:
                raise
            rows[name] = Row(name=name, precision=_precision_of(name), failed=str(error))
            continue
        rows[name] = Row(name=name, precision=one.precision, taken=taken, report=report)
    say(f"Measuring the latency of {len(bundles)} conversions in turn")
    timed, conditions = measure(bundles, PLAIN)
    return SideBySide(tuple(_timed(row, bundles, timed) for row in rows.values()), conditions)


def _precision_of(name: str) -> str:
    """The precision of a conversion by the name that ``--compare`` knows it by."""
    return INT8 if name == PLAIN else name


def _timed(row: Row, bundles: Mapping[str, Bundle], timed: Mapping[str, Latency]) -> Row:
    if row.failed:
        return row
    return Row(
        name=row.name, precision=row.precision, taken=row.taken, report=row.report,
        bytes=len(bundles[row.name].model), latency=timed[row.name],
    )  # fmt: skip
