"""Where results go: found out before the work, and written after it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from corrosion_edge import output
from corrosion_edge.errors import GateError, UsageError

__all__ = ["STDOUT", "require_files", "require_none"]

STDOUT: Final = Path("-")
"""Stands for standard output where an option can print."""

_TOLD: Final = 3  # reasons in the error's sentence; the report has all


def require_files(options: Mapping[str, Path | None], *, printing: tuple[str, ...] = ()) -> None:
    """Find out before the work whether its results can be written.

    Each option names a file of its own; those that are ``printing`` may name ``STDOUT``. Raises
    UsageError, and OutputError for a folder that cannot be written.
    """
    taken: dict[Path, str] = {}
    for option, path in _given(options):
        if path == STDOUT and option not in printing:
            raise UsageError(f"{option}: expected a file, got -, which is standard output")
        if path.is_dir():
            raise UsageError(f"{option}: expected a file, got the folder {path}")
        if first := taken.setdefault(_place(path), ""):
            raise UsageError(f"{first} and {option}: expected two files, got {path} twice")
        taken[_place(path)] = option
    for _, path in _given(options):
        if path != STDOUT and not output.is_device(path):
            output.require_writable(path.parent)


def require_none(reasons: Sequence[str]) -> None:
    """GateError if there are reasons for void, once the report is written that has all of them."""
    if reasons:
        more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
        raise GateError(f"figures are void, measure again: {'; '.join(reasons[:_TOLD])}{more}")


def _given(options: Mapping[str, Path | None]) -> Iterator[tuple[str, Path]]:
    return ((option, path) for option, path in options.items() if path is not None)


def _place(path: Path) -> Path:
    return path if path == STDOUT else path.resolve()
