"""How much of the interpreter's time each camera had of late."""

import math
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["MEMORY", "Shares"]

MEMORY: Final = 5.0
"""Seconds in which time that was used is forgotten to 37 %: enough for slow pictures of many tiles
to count, and little enough that one that was away catches up for 3.5 s at most (ln 2 of it)."""


class Shares:
    """The time that each of the ``names`` used, forgotten exponentially.

    ``clock`` gives seconds. One at a time uses it, from ``begin`` to ``end``.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used = dict.fromkeys(names, 0.0)
        self._turns = list(names)
        self._user = ""
        self._since = clock()

    def begin(self, name: str) -> None:
        """From now on it is used for that one, which goes behind those that used as much."""
        self.end()
        self._user = name
        self._turns.remove(name)
        self._turns.append(name)

    def end(self) -> None:
        """It is used for nobody from now on."""
        now = self._clock()
        seconds, self._since = now - self._since, now
        kept = math.exp(-seconds / MEMORY)
        self._used = {name: kept * used for name, used in self._used.items()}
        if self._user:
            self._used[self._user] += seconds
        self._user = ""

    def order(self) -> list[str]:
        """Who comes first: those that used least; of equals those whose turn is longer ago."""
        return sorted(self._turns, key=self._used.__getitem__)
