"""Reading a file that somebody else named: it may be a pipe, a device, or without end."""

import os
import stat
from pathlib import Path

__all__ = ["read_regular"]


def read_regular(path: Path, most: int) -> tuple[bytes, int]:
    """A regular file's content and its mode, both of one and the same open file.

    Raises OSError if it cannot be opened, is a pipe, device or folder, or has over ``most`` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # never waits for a pipe
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "not a regular file")
        if found.st_size > most:
            raise OSError(0, f"larger than {most:,} bytes")
        with os.fdopen(os.dup(handle), "rb") as stream:
            return stream.read(most), found.st_mode
    finally:
        os.close(handle)
