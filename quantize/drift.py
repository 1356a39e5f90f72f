"""How far the integer model's answers are from the float model's, photo by photo."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.metrics import Metrics, measure

__all__ = ["DriftReport", "Limits", "compare"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that accuracy and ROC-AUC may drop, each a fraction in [0, 1]."""

    accuracy_drop: float = 0.01
    auc_drop: float = 0.005

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a number in [0, 1], got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Float against int8 on the same photos.

    ``agreement`` is the fraction of photos with the same verdict; ``mean_change`` and
    ``largest_change`` are of the absolute difference of the probabilities, in [0, 1];
    ``corrosion_missed`` counts verdicts that turned from corrosion to no corrosion,
    ``corrosion_added`` the other way.
    """

    reference: Metrics
    quantized: Metrics
    agreement: float
    mean_change: float
    largest_change: float
    corrosion_missed: int
    corrosion_added: int
    limits: Limits

    @property
    def accuracy_drop(self) -> float:
        """Float minus int8; negative where int8 is better."""
        return self.reference.accuracy - self.quantized.accuracy

    @property
    def auc_drop(self) -> float:
        """Float minus int8; negative where int8 is better."""
        return self.reference.auc - self.quantized.auc

    @property
    def broken(self) -> list[str]:
        """A sentence for each limit that was not kept."""
        found = []
        for name, title in (("accuracy_drop", "accuracy"), ("auc_drop", "ROC-AUC")):
            drop, limit = getattr(self, name), getattr(self.limits, name)
            if drop > limit:
                found.append(f"{title} drops by {drop:.4f}, more than {limit:g}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n": self.reference.n,
            "float": self.reference.to_dict(),
            "int8": self.quantized.to_dict(),
            "accuracy_drop": self.accuracy_drop,
            "auc_drop": self.auc_drop,
            "agreement": self.agreement,
            "mean_change": self.mean_change,
            "largest_change": self.largest_change,
            "corrosion_missed": self.corrosion_missed,
            "corrosion_added": self.corrosion_added,
            "limits": {name: getattr(self.limits, name) for name in self.limits.__slots__},
            "broken": self.broken,
        }


def compare(
    labels: npt.NDArray[np.int64],
    reference: Scores,
    quantized: Scores,
    threshold: float,
    limits: Limits,
) -> DriftReport:
    """Compare probabilities [n] of the float and the int8 model on photos with labels [n]."""
    before, after = reference >= threshold, quantized >= threshold
    change = np.abs(reference - quantized)
    return DriftReport(
        reference=measure(labels, reference, threshold),
        quantized=measure(labels, quantized, threshold),
        agreement=float(np.mean(before == after)),
        mean_change=float(change.mean()),
        largest_change=float(change.max()),
        corrosion_missed=int(np.sum(before & ~after)),
        corrosion_added=int(np.sum(~before & after)),
        limits=limits,
    )
