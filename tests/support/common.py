"""What one process of a test run makes and the others use."""

from pathlib import Path

__all__ = ["Common"]


class Common:
    """``folder`` is the same in all processes of this run; the tests' conftest sets it."""

    folder: Path
