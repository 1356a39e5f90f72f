"""What one process of a test run makes and the others use."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Common"]


class Common:
    """``folder`` is the same in all processes of this run; the tests' conftest sets it."""

    folder: Path

    @classmethod
    @contextmanager
    def held(cls, name: str) -> Iterator[Path]:
        """The path of that name in the folder, for one process at a time."""
        path = cls.folder / name
        with path.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path
