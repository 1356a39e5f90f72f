"""The stretch of time that a page shows."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["WEEKS", "period"]

WEEKS: Final = 8
"""Weeks that a page shows unless asked otherwise."""


def period(
    times: Iterable[datetime], since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    """Its first and last moment: as asked for, or else the last ``WEEKS`` of what was recorded.

    Of the recorded ``times`` those later than now, of a clock that was wrong, say nothing.
    """
    now, known = datetime.now(UTC), list(times)
    end = until or max((t for t in known if t <= now), default=now)
    if since is not None:
        return since, end if until or since <= end else max(since, now)
    first = end - timedelta(weeks=WEEKS)
    return max(min((t for t in known if t >= first), default=end), first), end
