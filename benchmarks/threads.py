"""The option ``--threads`` of what measures several numbers of them."""

import re
from typing import Final

from corrosion_edge.errors import UsageError

__all__ = ["parse_threads"]

_MOST: Final = 256


def parse_threads(option: str) -> tuple[int, ...]:
    """The numbers in ``1,2``, each once (UsageError)."""
    parts = option.split(",")
    if not all(re.fullmatch(r"\s*\d{1,4}\s*", part, re.ASCII) for part in parts):
        raise UsageError(f"--threads: expected whole numbers such as 1,2, got {option!r}")
    numbers = [int(part) for part in parts]
    if wrong := [number for number in numbers if not 1 <= number <= _MOST]:
        raise UsageError(f"--threads: expected 1 to {_MOST}, got {wrong[0]}")
    return tuple(dict.fromkeys(numbers))
