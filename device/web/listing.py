"""A page of stored events, for the page's script and for browsers without one."""

from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.device.web.stored import Stored

__all__ = ["PAGE", "Listing"]

PAGE: Final = 24
"""Events on one page."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Up to ``PAGE`` events of a store, one after the other without a gap.

    ``behind`` tells that they are those behind a number, oldest first; else they are the newest,
    or the newest before a number, newest first. ``last`` is the number of the newest event, None
    without a store or while it cannot be read.
    """

    events: tuple[dict[str, Any], ...]
    last: int | None
    behind: bool = False

    @classmethod
    def of(cls, stored: Stored, after: int | None = None, before: int | None = None) -> "Listing":
        """The page behind ``after``, or before ``before``, or of the newest."""
        last = stored.last()
        if after is not None:
            return cls(tuple(stored.after(after, PAGE)), last, behind=True)
        return cls(tuple(stored.before(before, PAGE)), last)

    @property
    def numbers(self) -> tuple[int, int] | None:
        """The lowest and the highest number shown, None where there is nothing."""
        shown = [int(event["sequence"]) for event in self.events]
        return (min(shown), max(shown)) if shown else None

    @property
    def older(self) -> str:
        """The query of the page with those before, '' where there is none."""
        if self.numbers is None or self.numbers[0] == 1:
            return ""
        first = self.numbers[0]
        return f"after={max(0, first - 1 - PAGE)}" if self.behind else f"before={first}"

    @property
    def newer(self) -> str:
        """The query of the page with those behind, '' where there is none."""
        if self.numbers is None or self.last is None or self.numbers[1] >= self.last:
            return ""
        first = self.numbers[1]
        return f"after={first}" if self.behind else f"before={first + 1 + PAGE}"
