"""What a model's scores are worth: calibration error, a threshold for a recall, an abstain band.

It travels in a run and in the model file, and needs NumPy alone, so that a device can read it.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.calibration import expected_calibration_error

__all__ = [
    "ALPHA",
    "RECALL",
    "Confidence",
    "assess",
    "lower_threshold",
    "reassess",
    "upper_threshold",
]

RECALL: Final = 0.98
"""The recall that a threshold is chosen for, unless another is asked."""

ALPHA: Final = 0.02
"""The share of each class that may fall on the wrong side of the abstain band."""

_ROUNDING = 1e-9  # (1 - 0.9) * 10 is 0.9999999999999998
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """What a model's scores are worth, as found on ``n`` photos that it did not learn from.

    The scores are those of the delivered model: ``temperature`` (1: none) is already in its
    head. ``ece_before`` and ``ece_after`` are the expected calibration errors, in [0, 1], without
    and with it. ``on`` names the photos, of which ``corroded`` showed corrosion.
    ``recall_threshold`` is the score from which, on new photos of the same kind, a recall of at
    least ``recall_target`` is expected. Scores within ``unsure``, both ends included, are those
    to abstain on: at most the share ``alpha`` of corroded photos is expected below it, at most
    ``alpha`` of the clean ones above; None where no score is unsure. ValueError for values out
    of range.
    """

    temperature: float
    ece_before: float
    ece_after: float
    n: int
    corroded: int
    on: str
    recall_target: float
    recall_threshold: float
    alpha: float
    unsure: tuple[float, float] | None

    def __post_init__(self) -> None:
        _require_number("temperature", self.temperature, 1e-6, 1e6)
        for name in ("ece_before", "ece_after", "recall_threshold"):
            _require_number(name, getattr(self, name), 0, 1)
        for name in ("recall_target", "alpha"):
            _require_number(name, getattr(self, name), 1e-6, 1 - 1e-6)
        _require_count("n", self.n, 2, math.inf)
        _require_count("corroded", self.corroded, 1, self.n - 1)
        if not isinstance(self.on, str) or not self.on:
            raise ValueError(f"on: expected the name of the photos, got {self.on!r}")
        if self.unsure is not None:
            _require_band(self.unsure)

    @property
    def needed(self) -> int:
        """The least number of corroded photos that a threshold for the target is found on."""
        return math.ceil(1 / (1 - self.recall_target) - 1e-6) - 1

    @property
    def remark(self) -> str:
        """A sentence where there were too few corroded photos for the target, else empty."""
        if self.corroded >= self.needed:
            return ""
        return (
            f"{self.corroded} corroded {self.on} photos are too few for a recall of "
            f"{self.recall_target:g}: {self.needed} are needed, and the threshold is 0"
        )

    def band(self, threshold: float) -> tuple[float, float] | None:
        """The scores to abstain on beside a threshold in [0, 1]; None where none is unsure.

        ``unsure``, stretched to a threshold outside of it: a verdict must not be sure between the
        two, and unsure again further on.
        """
        if self.unsure is None:
            return None
        return min(self.unsure[0], threshold), max(self.unsure[1], threshold)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; ``unsure`` is a list of two, or None."""
        return asdict(self) | {"unsure": list(self.unsure) if self.unsure else None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Confidence":
        """Read ``to_dict``'s values back (ValueError on unknown, missing or wrong fields)."""
        if not isinstance(values, Mapping):
            raise ValueError(f"confidence: expected fields, got {values!r}")
        if set(values) != (names := {field.name for field in fields(cls)}):
            raise ValueError(f"confidence: expected {sorted(names)}, got {sorted(values)}")
        unsure = values["unsure"]
        if unsure is not None and not isinstance(unsure, list | tuple):
            raise ValueError(f"unsure: expected two scores or none, got {unsure!r}")
        return cls(**{**values, "unsure": tuple(unsure) if unsure is not None else None})


def assess(
    labels: Labels,
    scores: Scores,
    *,
    temperature: float = 1.0,
    uncalibrated: Scores | None = None,
    on: str = "validation",
    recall: float = RECALL,
    alpha: float = ALPHA,
) -> Confidence:
    """Find calibration error, thresholds and band on held-out photos.

    ``scores`` [n] are the delivered model's probabilities of corrosion, ``temperature`` within
    them; ``uncalibrated`` are those without it. ``labels`` [n] are 1 for corrosion; both classes
    must be there.
    """
    corroded, clean = scores[labels == 1], scores[labels == 0]
    low, high = lower_threshold(corroded, alpha), upper_threshold(clean, alpha)
    before = scores if uncalibrated is None else uncalibrated
    return Confidence(
        temperature=temperature,
        ece_before=expected_calibration_error(labels, before),
        ece_after=expected_calibration_error(labels, scores),
        n=len(labels),
        corroded=len(corroded),
        on=on,
        recall_target=recall,
        recall_threshold=lower_threshold(corroded, 1 - recall),
        alpha=alpha,
        unsure=(low, high) if low <= high else None,
    )


def reassess(confidence: Confidence, labels: Labels, scores: Scores) -> Confidence:
    """The same for a model made from another (int8 from float): only its temperature stays.

    ``scores`` [n] are the new model's on photos of the same kind; targets stay as they were.
    """
    found = assess(
        labels, scores, on=confidence.on, recall=confidence.recall_target, alpha=confidence.alpha
    )
    return replace(found, temperature=confidence.temperature, ece_before=confidence.ece_before)


def lower_threshold(scores: Scores, share: float) -> float:
    """The score below which at most ``share`` of new photos like these [n] are expected.

    It is the k-th smallest, k = floor(share (n + 1)): a new photo, exchangeable with the n, has
    one of the k lowest ranks with probability k / (n + 1) (split conformal prediction, Vovk;
    within one class: Sadinle, Lei and Wasserman 2019). Ties only lower that share. 0 where k = 0:
    then n is too few for such a promise.
    """
    k = math.floor(share * (len(scores) + 1) + _ROUNDING)
    return float(np.sort(scores)[min(k, len(scores)) - 1]) if k else 0.0


def upper_threshold(scores: Scores, share: float) -> float:
    """The score above which at most ``share`` is expected: ``lower_threshold`` mirrored.

    1 where n is too few.
    """
    k = math.floor(share * (len(scores) + 1) + _ROUNDING)
    return float(np.sort(scores)[-min(k, len(scores))]) if k else 1.0


def _require_number(name: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}: expected a number from {low:g} to {high:g}, got {value!r}")


def _require_count(name: str, value: int, low: int, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: expected a count from {low} to {high}, got {value!r}")


def _require_band(band: tuple[float, float]) -> None:
    if len(band) != 2:
        raise ValueError(f"unsure: expected two scores, got {band}")
    for score in band:
        _require_number("unsure", score, 0, 1)
    if band[0] > band[1]:
        raise ValueError(f"unsure: expected the lower score first, got {band}")
