"""A file of a followed folder that had its turn."""

from dataclasses import dataclass

__all__ = ["Taken"]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file by its absolute path, as it was: size in bytes, last change in ns since 1970.

    ``gone`` says that it left the folder, and need not be remembered.
    """

    path: str
    size: int = 0
    changed_ns: int = 0
    gone: bool = False
