"""What waits for brokers and webhooks, by what they have reached and what the store has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from corrosion_edge.device.clock import local_time
from corrosion_edge.device.telling.backlog import Backlog, Tells
from corrosion_edge.device.web.stored import Stored

__all__ = ["Waiting", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many events wait for a consumer, and when the first of them happened.

    ``count`` is None where that is not known, or no events are delivered there; ``since`` is None
    where none waits, and carries a time zone.
    """

    backlog: Backlog
    count: int | None
    since: datetime | None

    @property
    def sentence(self) -> str:
        """What is not as it should be; empty where all is."""
        error = self.backlog.error
        if not error:
            return ""
        held = ""
        if self.count:
            since = f" since {local_time(self.since)}" if self.since else ""
            held = f"{self.count} event{'s' if self.count > 1 else ''} waiting{since}; "
        return f"{self.backlog.to}: {held}{error}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; times are UTC in ISO 8601."""
        return {
            "name": self.backlog.consumer,
            "to": self.backlog.to,
            "waiting": self.count,
            "since": _iso(self.since),
            "error": self.backlog.error,
            "failing_since": _iso(self.backlog.failing_since),
        }


def waiting(backlogs: Sequence[Tells], stored: Stored) -> list[Waiting]:
    """How it is with each; the store is read."""
    if not backlogs:
        return []
    newest = stored.last()
    return [_one(tells(), newest, stored) for tells in backlogs]


def _one(backlog: Backlog, newest: int | None, stored: Stored) -> Waiting:
    if backlog.reached is None or newest is None:
        return Waiting(backlog, None, None)
    count = max(newest - backlog.reached, 0)
    first = stored.after(backlog.reached, 1) if count else []
    return Waiting(backlog, count, _at(first[0]) if first else None)


def _at(event: dict[str, Any]) -> datetime | None:
    """When it happened, as far as that is known; None for a damaged row."""
    try:
        return datetime.fromisoformat(event["corrected_at"] or event["at"])
    except (TypeError, ValueError):
        return None


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
