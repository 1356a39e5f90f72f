"""What else went on while something was measured."""

import time

from corrosion_edge.benchmarks import state
from corrosion_edge.benchmarks.layout import Unavailable
from corrosion_edge.benchmarks.samples import UNAVAILABLE

__all__ = ["Usage"]


class Usage:
    """From now on: the processor time of other programs, and swapping."""

    def __init__(self) -> None:
        self._busy, self._own = state.busy_seconds(), state.own_seconds()
        self._swapped, self._time = state.swapped_pages(), time.monotonic()

    def others_cores(self, children: float = 0.0) -> float | Unavailable:
        """Cores that other programs kept busy, on average, or "unavailable".

        ``children`` is the processor time in it of own processes that still run, in seconds.
        """
        busy = state.busy_seconds()
        if busy is None or self._busy is None:
            return UNAVAILABLE
        own = state.own_seconds() + children - self._own
        return max(0.0, (busy - self._busy - own) / (time.monotonic() - self._time))

    def swapped_pages(self) -> int | Unavailable:
        """Pages swapped in and out, or "unavailable"."""
        now = state.swapped_pages()
        return UNAVAILABLE if now is None or self._swapped is None else now - self._swapped
