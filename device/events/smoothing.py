"""Many scores, one opinion: votes of the last frames, or an exponential mean."""

import math
from collections import deque
from typing import Protocol

from corrosion_edge.device.events.settings import Detection, Votes

__all__ = ["Opinion", "Smoother", "smoother"]


class Smoother(Protocol):
    """Takes the scores that are evidence, and has an opinion."""

    def add(self, score: float, seconds: float) -> None:
        """Take a score in [0, 1], ``seconds`` (0 or more) after the one before."""

    def forget(self) -> None:
        """Start anew."""

    @property
    def opinion(self) -> "Opinion":
        """``True`` corroded, ``False`` clean, None undecided."""

    @property
    def quiet(self) -> bool:
        """Whether nothing speaks for corrosion."""


Opinion = bool | None


def smoother(settings: Detection) -> Smoother:
    """The one that the settings name."""
    return _Votes(settings) if isinstance(settings.smoothing, Votes) else _Mean(settings)


class _Votes:
    """N of the last M."""

    def __init__(self, settings: Detection) -> None:
        assert isinstance(settings.smoothing, Votes)
        self._settings = settings
        self._needed = settings.smoothing.needed
        self._scores: deque[float] = deque(maxlen=settings.smoothing.window)

    def add(self, score: float, seconds: float) -> None:
        self._scores.append(score)

    def forget(self) -> None:
        self._scores.clear()

    @property
    def opinion(self) -> Opinion:
        if self._for >= self._needed:
            return True
        # A score that is both (enter = leave) speaks for corrosion: a miss costs most.
        against = sum(s <= self._settings.leave and s < self._settings.enter for s in self._scores)
        return False if against >= self._needed else None

    @property
    def quiet(self) -> bool:
        return self._for == 0

    @property
    def _for(self) -> int:
        return sum(score >= self._settings.enter for score in self._scores)


class _Mean:
    """Exponential mean over time; undecided until the evidence spans one time constant.

    The weight of a score is the time since the one before it, discounted by exp(-age / constant)
    (exponential smoothing at irregular times, divided by the sum of weights so that the first
    score has no head start). A score stands for half a time constant at most, so that
    frames that are further apart are smoothed too.
    """

    def __init__(self, settings: Detection) -> None:
        assert not isinstance(settings.smoothing, Votes)
        self._settings = settings
        self._constant = settings.smoothing.seconds
        self.forget()

    def forget(self) -> None:
        self._sum = self._weight = self._span = 0.0
        self._last = 0.0

    def add(self, score: float, seconds: float) -> None:
        seconds = min(seconds, self._constant / 2)
        fading = math.exp(-seconds / self._constant)
        self._sum = self._sum * fading + score * (1 - fading)
        self._weight = self._weight * fading + (1 - fading)
        self._span += seconds
        self._last = score

    @property
    def _level(self) -> float:
        return self._sum / self._weight if self._weight > 0 else self._last

    @property
    def opinion(self) -> Opinion:
        if self._span < self._constant:
            return None
        if self._level >= self._settings.enter:
            return True
        return False if self._level <= self._settings.leave else None

    @property
    def quiet(self) -> bool:
        return self._level <= self._settings.leave and self._last < self._settings.enter
