"""How many frames it takes to begin and to end an event."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from corrosion_edge.errors import UsageError

__all__ = ["LEAVE_SHARE", "Detection", "Mean", "Settings", "Votes", "parse_smoothing"]

LEAVE_SHARE: Final = 0.8
"""Without an abstain band, an event ends from this share of the threshold down: our choice."""


@dataclass(frozen=True, slots=True)
class Votes:
    """``needed`` of the last ``window`` frames that are evidence; more than half of them.

    More than half, so that beginning and ending can't both hold (UsageError).
    """

    needed: int
    window: int

    def __post_init__(self) -> None:
        if not self.window / 2 < self.needed <= self.window <= 1000:
            raise UsageError(
                f"smoothing: expected N/M with N more than half of M and M up to 1000, "
                f"got {self.needed}/{self.window}"
            )


@dataclass(frozen=True, slots=True)
class Mean:
    """The exponential mean of the scores, with a time constant of ``seconds``."""

    seconds: float

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 86400:
            raise UsageError(f"smoothing: expected more than 0 s up to 86400 s, got {self.seconds}")


def parse_smoothing(text: str) -> Votes | Mean:
    """Read ``3/5`` (votes) or ``30s`` (time constant); UsageError for anything else."""
    if found := re.fullmatch(r"(\d{1,4})/(\d{1,4})", text):
        return Votes(int(found[1]), int(found[2]))
    if found := re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s?s", text):
        return Mean(float(found[1]))
    raise UsageError(f"smoothing: expected N/M such as 3/5, or seconds such as 30s, got {text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Smoothing and hysteresis.

    Evidence for corrosion is a score of ``enter`` or more, against it one of ``leave`` or less;
    both in [0, 1]. Scores within ``unsure``, both ends included, are no evidence at all. After
    ``gap`` seconds without evidence, longer where frames are far apart (see ``Spacing``), what went
    before is forgotten. ``steady`` frames in a row make a camera's picture unusable, or usable
    again. UsageError for values out of range.
    """

    enter: float
    leave: float
    unsure: tuple[float, float] | None = None
    smoothing: Votes | Mean = Votes(3, 5)
    gap: float = 300.0
    steady: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.leave <= self.enter <= 1:
            raise UsageError(
                "--enter, --leave: expected 0 <= leave <= enter <= 1, "
                f"got enter {self.enter:g} and leave {self.leave:g}"
            )
        if not self.gap > 0 or self.steady < 1:
            raise UsageError(f"gap, steady: expected more than 0, got {self.gap}, {self.steady}")

    @classmethod
    def for_model(
        cls,
        threshold: float,
        unsure: tuple[float, float] | None,
        *,
        smoothing: Votes | Mean = Votes(3, 5),
        enter: float | None = None,
        leave: float | None = None,
    ) -> "Detection":
        """The defaults for a threshold and a model's abstain band.

        Where the threshold lies inside the band, its ends are ``enter`` and ``leave``. A threshold
        at an end or outside was chosen against the band (as that for high recall), which then
        does not count: evidence begins at the threshold, and ends at ``LEAVE_SHARE`` of it.
        UsageError for what does not go together.
        """
        band = unsure if unsure and unsure[0] < threshold < unsure[1] else None
        low, high = band or (LEAVE_SHARE * threshold, threshold)
        if leave is not None and enter is None and leave > high:
            raise UsageError(
                f"--leave {leave:g}: expected no more than enter, which is {high:g} with this "
                "model and threshold; set --enter too"
            )
        return cls(
            enter=high if enter is None else enter,
            leave=min(low, high if enter is None else enter) if leave is None else leave,
            unsure=band,
            smoothing=smoothing,
        )

    def is_unsure(self, score: float) -> bool:
        """Whether the score lies where the model cannot tell.

        ``enter`` and ``leave`` that were set inside the band say what is evidence all the same.
        """
        if self.unsure is None or not self.unsure[0] <= score <= self.unsure[1]:
            return False
        for_it = score >= self.enter and self.enter < self.unsure[1]
        against = score <= self.leave and self.leave > self.unsure[0]
        return not (for_it or against)


Settings = Callable[[float, tuple[float, float] | None], Detection]
"""What makes them for a model's threshold and its band of unsure scores."""
