"""How much of the processors other programs use meanwhile."""

import os
import time

from corrosion_edge.benchmarks.machine import busy_seconds

__all__ = ["Usage"]


class Usage:
    """From its making on."""

    def __init__(self) -> None:
        self._time, self._busy, self._own = time.monotonic(), busy_seconds(), _own_seconds()

    def others_cores(self) -> float | None:
        """On average, in cores; None where it cannot be read. Children count once they ended."""
        busy = busy_seconds()
        if busy is None or self._busy is None:
            return None
        others = (busy - self._busy) - (_own_seconds() - self._own)
        return max(0.0, others / (time.monotonic() - self._time))


def _own_seconds() -> float:
    return sum(os.times()[:4])  # user and system, of this process and of its children
