"""The C library's heap: few arenas, and what is free goes back to the system."""

import ctypes
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from corrosion_edge.closing import Closing

__all__ = ["ARENAS", "EVERY", "GivingBack", "bound_arenas", "give_back"]

ARENAS: Final = 2
"""How many arenas. glibc gives threads up to eight a core, and what one held at its fullest mostly
stays with it: each model that a thread examines, and each stream that one opens, may leave its
most in yet another."""

EVERY: Final = 60.0
"""Seconds from one giving back to the next. Without it a heap only grows: to what models, decoders
and pictures once needed at the same time, and by the holes between what stayed."""

_M_ARENA_MAX: Final = -8  # malloc.h


def bound_arenas(environment: Mapping[str, str] = os.environ) -> bool:
    """Bound glibc's arenas of this process (mallopt(3)); whether that was done.

    To be called before threads are started. ``MALLOC_ARENA_MAX`` in the environment goes before;
    other C libraries have no such thing.
    """
    if "MALLOC_ARENA_MAX" in environment:
        return False
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
    return False


def give_back() -> bool:
    """Give memory that is free to the system (malloc_trim(3)); whether there was any.

    It takes milliseconds, in which other threads may wait for the heap.
    """
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).malloc_trim(0))
    return False


class GivingBack(Closing):
    """Gives back each ``seconds``, in a thread of its own, until it is closed."""

    def __init__(self, seconds: float = EVERY) -> None:
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gives memory back", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            give_back()
