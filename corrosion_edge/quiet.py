"""Keeping native libraries' chatter off the user's terminal."""

import contextlib
import os
from collections.abc import Iterator

__all__ = ["quiet"]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what C and C++ code writes to standard error nowhere, for the length of the block.

    For loading libraries only: their errors reach Python as exceptions, their notices on
    optimisation reach nobody. Python's own ``sys.stderr`` writes to the same place and is
    silent as well.
    """
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as null:  # noqa: PTH123 - a descriptor is wanted
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
