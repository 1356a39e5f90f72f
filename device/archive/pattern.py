"""Whether a path fits a pattern, of a folder or of an object store."""

from fnmatch import fnmatchcase
from functools import lru_cache

__all__ = ["fits"]


@lru_cache(maxsize=4096)
def fits(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path's parts match a pattern's; ``**`` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return fits(parts, pattern[1:]) or (bool(parts) and fits(parts[1:], pattern))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and fits(parts[1:], pattern[1:])
