"""Work for the tests of parallel work: it must be importable where it is done."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Holding", "Squares", "Unable"]


@dataclass(frozen=True)
class Squares:
    """Squares numbers; some end the process, some only the first time, some wait."""

    deadly: frozenset[int] = frozenset()
    deadly_once: frozenset[int] = frozenset()
    slow: frozenset[int] = frozenset()
    notes: Path | None = None
    ballast: bytes = b""

    def __call__(self):
        return self.work

    def work(self, number: int) -> int:
        if number in self.slow:
            time.sleep(60)
        if number in self.deadly or (number in self.deadly_once and self._first(number)):
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    def _first(self, number: int) -> bool:
        assert self.notes is not None
        note = self.notes / str(number)
        first = not note.exists()
        note.touch()
        return first


class Unable:
    """Cannot be opened."""

    def __call__(self):
        raise ValueError("no interpreter")


@dataclass(frozen=True)
class Holding:
    """Holds arrays; tells the sum of one, and whether its memory is its own and may be changed."""

    arrays: tuple[npt.NDArray[np.int64], ...]

    def __call__(self):
        return self.work

    def work(self, place: int) -> tuple[int, bool, bool]:
        array = self.arrays[place]
        return int(array.sum()), array.flags.writeable, array.flags.aligned
