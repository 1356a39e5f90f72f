"""The verdicts at what a model carries beside its threshold: its recall threshold, its band."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from corrosion_edge.confidence import Confidence, Labels, Scores
from corrosion_edge.intervals import Interval, wilson

__all__ = ["Abstention", "OperatingPoint", "abstention", "at_recall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """The verdicts at a threshold that was chosen, on other photos, for the recall ``target``.

    Fractions in [0, 1]; ``missed`` and ``false_alarms`` count photos. ``ci95`` are Wilson's.
    """

    target: float
    threshold: float
    accuracy: float
    recall: float
    precision: float
    specificity: float
    missed: int
    false_alarms: int
    ci95: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        return asdict(self) | {"ci95": {k: list(v) for k, v in self.ci95.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """What a model decides that abstains from ``low`` to ``high``, both included.

    ``share`` of the photos, ``unsure`` by count, is within. Above the band the verdict is
    corrosion, below it is not; ``accuracy``, ``missed`` and ``false_alarms`` are of the
    ``decided`` photos, and accuracy is None if there are none. ``ci95`` are Wilson's.
    """

    low: float
    high: float
    alpha: float
    share: float
    unsure: int
    decided: int
    accuracy: float | None
    missed: int
    false_alarms: int
    ci95: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        return asdict(self) | {"ci95": {k: list(v) for k, v in self.ci95.items()}}


def at_recall(labels: Labels, scores: Scores, confidence: Confidence) -> OperatingPoint:
    """Judge scores [n] against labels [n] (1 = corrosion) at the model's recall threshold."""
    called = scores >= confidence.recall_threshold
    found, alarms = int(np.sum(called & (labels == 1))), int(np.sum(called & (labels == 0)))
    corroded, n = int(labels.sum()), len(labels)
    clean = n - corroded
    counts = {
        "accuracy": (found + clean - alarms, n),
        "recall": (found, corroded),
        "precision": (found, found + alarms),
        "specificity": (clean - alarms, clean),
    }
    return OperatingPoint(
        target=confidence.recall_target,
        threshold=confidence.recall_threshold,
        **{name: k / m if m else 0.0 for name, (k, m) in counts.items()},
        missed=corroded - found,
        false_alarms=alarms,
        ci95={name: wilson(k, m) for name, (k, m) in counts.items()},
    )


def abstention(labels: Labels, scores: Scores, confidence: Confidence) -> Abstention | None:
    """Judge scores [n] outside the model's abstain band; None for a model without one."""
    if confidence.unsure is None:
        return None
    low, high = confidence.unsure
    missed = int(np.sum((scores < low) & (labels == 1)))
    alarms = int(np.sum((scores > high) & (labels == 0)))
    decided = int(np.sum((scores < low) | (scores > high)))
    unsure, right = len(scores) - decided, decided - missed - alarms
    return Abstention(
        low=low,
        high=high,
        alpha=confidence.alpha,
        share=unsure / len(scores),
        unsure=unsure,
        decided=decided,
        accuracy=right / decided if decided else None,
        missed=missed,
        false_alarms=alarms,
        ci95={"share": wilson(unsure, len(scores)), "accuracy": wilson(right, decided)},
    )
