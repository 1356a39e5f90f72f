"""The C library's heap: few arenas, large blocks apart, and what is free goes back."""

import ctypes
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from corrosion_edge.closing import Closing

__all__ = [
    "ARENAS", "EVERY", "KEPT", "LARGE", "GivingBack", "Heap", "bound_arenas", "give_back", "keep",
    "look", "map_large_blocks",
]  # fmt: skip

ARENAS: Final = 1
"""How many arenas. glibc gives threads up to eight a core, and what one held at its fullest mostly
stays with it: each model that a thread examines, and each stream that one opens, may leave its
most in yet another. With two, new models put in place each 20 s took 15 MB more than with one."""

EVERY: Final = 60.0
"""Seconds from one giving back to the next. Without it a heap only grows: to what models, decoders
and pictures once needed at the same time, and by the holes between what stayed."""

LARGE: Final = 64 * 1024
"""Bytes from which on a block is mapped by itself. glibc begins at 128 KiB and goes up to 32 MiB
once such blocks were freed: pictures and models then lie in the heap, between what stays. Under
faults for 15 minutes the heap kept 41 to 49 MB with 256 KiB, 26 MB with 64 KiB: packets and JPEGs
are that large."""

KEPT: Final = 256 * 2**20
"""Bytes of free memory up to which a process that handles one large picture after the other keeps
them: pages that go back with each picture are filled with zeros for the next, which on pictures of
1080p takes two thirds as long as to decode and judge them."""

_LARGEST_BLOCKS: Final = (64 * 2**20, 32 * 2**20)  # bytes; older versions of glibc take the second
_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


@dataclass(frozen=True, slots=True)
class Heap:
    """Bytes that glibc gave out of its arenas (``used``), holds free in them, and ``mapped``.

    What leaks shows in ``used`` and ``mapped``; ``free`` may have gone back to the system.
    """

    used: int
    free: int
    mapped: int


class _MallInfo2(ctypes.Structure):
    """``struct mallinfo2`` of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
                     "uordblks", "fordblks", "keepcost")
    )  # fmt: skip


def look() -> Heap | None:
    """The heap of this process (mallinfo2(3), all arenas); None before glibc 2.33 and elsewhere."""
    with suppress(OSError, AttributeError):
        ask = ctypes.CDLL(None).mallinfo2
        ask.restype = _MallInfo2
        found = ask()
        return Heap(found.uordblks, found.fordblks, found.hblkhd)
    return None


def bound_arenas(environment: Mapping[str, str] = os.environ) -> bool:
    """Bound glibc's arenas of this process (mallopt(3)); whether that was done.

    To be called before threads are started. ``MALLOC_ARENA_MAX`` in the environment goes before;
    other C libraries have no such thing.
    """
    return "MALLOC_ARENA_MAX" not in environment and _set(_M_ARENA_MAX, ARENAS)


def map_large_blocks(environment: Mapping[str, str] = os.environ) -> bool:
    """Let each block of ``LARGE`` bytes and more be mapped by itself; whether that was done.

    What is freed is the system's again at once, at the price of fresh pages (for a picture of
    1080p a millisecond). ``MALLOC_MMAP_THRESHOLD_`` in the environment goes before.
    """
    return "MALLOC_MMAP_THRESHOLD_" not in environment and _set(_M_MMAP_THRESHOLD, LARGE)


def keep(environment: Mapping[str, str] = os.environ) -> bool:
    """Keep ``KEPT`` bytes of free memory in this process (mallopt(3)); whether that was done.

    Blocks over 64 MiB still go back at once. ``MALLOC_TRIM_THRESHOLD_`` and
    ``MALLOC_MMAP_THRESHOLD_`` in the environment go before; other C libraries have no such thing.
    """
    if {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & environment.keys():
        return False
    blocks = any(_set(_M_MMAP_THRESHOLD, size) for size in _LARGEST_BLOCKS)
    return blocks and _set(_M_TRIM_THRESHOLD, KEPT)


def _set(option: int, value: int) -> bool:
    with suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).mallopt(option, value))
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
