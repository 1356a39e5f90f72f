"""Few heaps, so that a watch of many threads gives memory back."""

import ctypes
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

__all__ = ["ARENAS", "bound_arenas"]

ARENAS: Final = 2
"""How many heaps. glibc gives threads up to eight a core, and what a heap held at its fullest
mostly stays with it: each model that a thread examines, and each stream that one opens, may leave
its most in yet another. Measured: docs/device.md."""

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
