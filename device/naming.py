"""What a camera may be called, and ``NAME=SOURCE``."""

import re
from typing import Final

__all__ = ["is_name", "split"]

_NAME: Final = r"[\w-]{1,32}"


def is_name(text: str) -> bool:
    """Whether it is up to 32 letters, digits, ``-`` and ``_``."""
    return re.fullmatch(_NAME, text, re.ASCII) is not None


def split(text: str) -> tuple[str, str]:
    """The name before the first ``=`` and what follows; ('', text) where there is no name."""
    found = re.fullmatch(rf"({_NAME})=(.+)", text, re.ASCII)
    return (found[1], found[2]) if found else ("", text)
