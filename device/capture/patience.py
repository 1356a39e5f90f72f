"""How long a camera is waited for, and when it is tried again."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from corrosion_edge.errors import UsageError

__all__ = ["Backoff", "Patience"]

_PERIODS: Final = 10  # of a camera's frames, so that three of them are late


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a live source gets.

    Without a frame for ``late_after`` it is degraded, for ``hung_after`` it hangs and is given
    up. ``frozen_after`` of one and the same picture count as frozen; infinity never does. An
    opening may take ``open_within``. A camera that ran for ``steady_after`` has recovered for
    good: the next failure is tried again as quickly as a first one.
    """

    hung_after: float = 10.0
    frozen_after: float = 60.0
    open_within: float = 20.0
    steady_after: float = 30.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:  # also not a number
                raise UsageError(f"{name}: expected more than 0 seconds, got {getattr(self, name)}")

    @property
    def late_after(self) -> float:
        """Three tenths of ``hung_after``."""
        return 0.3 * self.hung_after

    def with_period(self, period: float) -> "Patience":
        """That for a camera which takes so many seconds from frame to frame: ten of them at least.

        0 is for one of which that is not known.
        """
        return replace(self, hung_after=max(self.hung_after, _PERIODS * period))


class Backoff:
    """Pauses between the tries: ``first`` seconds, doubled each time, at most ``longest``.

    Each is varied by up to ``jitter`` (a share) either way, so that many devices do not call on
    a server at one moment. ``chance`` gives numbers in [0, 1).
    """

    def __init__(
        self,
        first: float = 1.0,
        longest: float = 60.0,
        jitter: float = 0.2,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not (0 < first <= longest < math.inf and 0 <= jitter < 1):
            raise ValueError(f"back-off: got first {first}, longest {longest}, jitter {jitter}")
        self._first, self._longest, self._jitter, self._chance = first, longest, jitter, chance
        self._next = first

    def pause(self) -> float:
        """Seconds until the next try; at most ``longest``."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return min(pause * (1 + self._jitter * (2 * self._chance() - 1)), self._longest)

    def reset(self) -> None:
        """Begin with the first pause again."""
        self._next = self._first
