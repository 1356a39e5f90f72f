"""What a comparison of a float and an int8 model found, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corrosion_edge.intervals import Interval
from corrosion_edge.metrics import Metrics
from corrosion_edge.precision import INT8
from corrosion_edge.quantize.evidence.limits import Check, Limits
from corrosion_edge.quantize.evidence.paired import McNemar

__all__ = ["Comparison", "DriftReport", "Flips"]


@dataclass(frozen=True, slots=True)
class Flips:
    """Verdicts that turned: to no corrosion (``missed``) and to corrosion (``added``)."""

    missed: int
    added: int

    def to_dict(self) -> dict[str, int]:
        """Plain values."""
        return {"corrosion_missed": self.missed, "corrosion_added": self.added}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Float against int8 on the same ``n`` photos, of one class or both.

    ``agreement`` is the share of photos with the same verdict at ``threshold``. ``mean_change``,
    ``p99_change`` (99th percentile) and ``largest_change`` are of the absolute change of a
    photo's probability, in [0, 1]; ``mean_signed_change`` is that of int8 minus float, in
    [-1, 1], ``mean_signed_log_odds`` the same of the log-odds, probabilities taken no nearer than
    1/256 to 0 and 1. ``flips`` are by the label of the photos' class. ``false_alarms`` are the
    ``clean`` photos (without corrosion) that float and int8 call corrosion, ``missed`` the others
    that they do not. ``ci95`` are 95 % intervals by the name of the figure; empty where they were
    left out. ``checks`` are the limits that were judged. ``converted`` is the precision of the
    model that is called int8 here.
    """

    n: int
    clean: int
    threshold: float
    agreement: float
    mean_change: float
    p99_change: float
    largest_change: float
    mean_signed_change: float
    mean_signed_log_odds: float
    flips: Mapping[str, Flips]
    false_alarms: tuple[int, int]
    missed: tuple[int, int]
    mcnemar: McNemar
    ci95: Mapping[str, Interval]
    checks: tuple[Check, ...]
    limits: Limits
    converted: str = INT8

    @property
    def corrosion_missed(self) -> int:
        """Verdicts that turned from corrosion to no corrosion, right or wrong."""
        return sum(flips.missed for flips in self.flips.values())

    @property
    def corrosion_added(self) -> int:
        """Verdicts that turned from no corrosion to corrosion, right or wrong."""
        return sum(flips.added for flips in self.flips.values())

    @property
    def false_alarm_rise(self) -> float:
        """Share of the clean photos, int8 minus float; 0 where there are none."""
        before, after = self.false_alarms
        return (after - before) / self.clean if self.clean else 0.0

    @property
    def broken(self) -> list[str]:
        """A sentence for each limit that was not kept."""
        return [check.sentence for check in self.checks if not check.kept]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        names = ("n", "clean", "threshold", "agreement", "mean_change", "p99_change",
                 "largest_change", "mean_signed_change", "mean_signed_log_odds",
                 "corrosion_missed", "corrosion_added", "false_alarm_rise")  # fmt: skip
        sides = ("float", self.converted)
        return {name: getattr(self, name) for name in names} | {
            "precision": self.converted,
            "flips": {label: flips.to_dict() for label, flips in self.flips.items()},
            "false_alarms": dict(zip(sides, self.false_alarms, strict=True)),
            "missed": dict(zip(sides, self.missed, strict=True)),
            "mcnemar": self.mcnemar.to_dict(self.converted),
            "ci95": {name: list(interval) for name, interval in self.ci95.items()},
            "checks": [check.to_dict() for check in self.checks],
            "limits": self.limits.to_dict(),
            "broken": self.broken,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport(Comparison):
    """Float against int8 on photos of both classes: with the figures of merit of either model."""

    reference: Metrics
    quantized: Metrics

    @property
    def accuracy_drop(self) -> float:
        """Float minus int8; negative where int8 is better."""
        return self.reference.accuracy - self.quantized.accuracy

    @property
    def auc_drop(self) -> float:
        """Float minus int8; negative where int8 is better."""
        return self.reference.auc - self.quantized.auc

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "float": self.reference.to_dict(),
            self.converted: self.quantized.to_dict(),
            "accuracy_drop": self.accuracy_drop,
            "auc_drop": self.auc_drop,
        } | Comparison.to_dict(self)
