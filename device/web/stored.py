"""What the page shows of the event store: read anew for each question, never written."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from corrosion_edge.device.store.chain import ROLES
from corrosion_edge.device.store.correction import Anchors
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.errors import CorrosionEdgeError

__all__ = ["MOST", "Stored"]

T = TypeVar("T")

MOST: Final = 50
"""Events in one answer."""

_SHOWN: Final = ("sequence", "kind", "at", "camera", "asset", "position", "start", "end",
                 "duration_s", "peak", "mean", "threshold", "reason", "clock_set")  # fmt: skip


class Stored:
    """Events of a store that a watch writes to; nothing without one, or while it is damaged."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self._anchors = folder, Anchors()

    def after(self, sequence: int, count: int = MOST) -> list[dict[str, Any]]:
        """The events behind that number, oldest first."""
        return _all_shown(self._asked(lambda reader: reader.after(sequence, min(count, MOST)), []))

    def newest(self, count: int = MOST) -> list[dict[str, Any]]:
        """The newest events, newest first."""
        return _all_shown(self._asked(lambda reader: reader.newest(min(count, MOST)), []))

    def last(self) -> int | None:
        """The number of the newest event, which is how many were stored; None without a store."""
        return self._asked(Reader.last, None)

    def picture(self, sequence: int, role: str) -> bytes | None:
        """An event's picture as a JPEG file; None where there is none."""
        event = self._asked(lambda reader: reader.event(str(sequence)), None)
        if event is None or role not in ROLES or role not in event.pictures:
            return None
        try:
            return event.pictures[role].path.read_bytes()
        except OSError:
            return None

    def _asked(self, ask: Callable[[Reader], T], nothing: T) -> T:
        """What the store answers; ``nothing`` without one, or while it cannot be read."""
        if self.folder is None:
            return nothing
        try:
            with Reader(self.folder, self._anchors) as reader:
                return ask(reader)
        except (CorrosionEdgeError, sqlite3.Error):
            return nothing


def _all_shown(events: list[Event]) -> list[dict[str, Any]]:
    return [_shown(event) for event in events]


def _shown(event: Event) -> dict[str, Any]:
    pictures = [role for role in ROLES if role in event.pictures
                and not event.pictures[role].removed]  # fmt: skip
    fields = {name: event.fields.get(name) for name in _SHOWN} | event.times.to_dict()
    return {**fields, "sequence": event.sequence, "hash": event.hash, "pictures": pictures}
