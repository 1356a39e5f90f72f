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

__all__ = ["MOST", "TITLES", "Stored"]

T = TypeVar("T")

MOST: Final = 50
"""Events in one answer."""

_SHOWN: Final = ("sequence", "kind", "at", "camera", "asset", "position", "start", "end",
                 "duration_s", "peak", "mean", "threshold", "reason", "clock_set")  # fmt: skip


TITLES: Final = {
    "started": "Watch started",
    "stopped": "Watch stopped",
    "corrosion_began": "Corrosion began",
    "corrosion_ended": "Corrosion ended",
    "camera_degraded": "Frames were late",
    "camera_lost": "Camera lost",
    "camera_recovered": "Camera recovered",
    "unusable": "Pictures unusable",
    "usable": "Pictures usable again",
    "model_changed": "Model changed",
    "model_refused": "Model refused",
    "accelerator_lost": "Accelerator lost",
    "accelerator_replaced": "CPU in place of the accelerator",
    "accelerator_recovered": "Accelerator recovered",
    "clock_set": "Clock set",
    "pictures_removed": "Old pictures removed",
    "store_recovered": "Store recovered",
    "store_set_aside": "Damaged store set aside",
}
"""What people call each kind of event."""


class Stored:
    """Events of a store that a watch writes to; nothing without one, or while it is damaged."""

    def __init__(self, folder: Path | None) -> None:
        self.folder, self._anchors = folder, Anchors()

    def after(self, sequence: int, count: int = MOST) -> list[dict[str, Any]]:
        """The events behind that number, oldest first."""
        return _all_shown(self._asked(lambda reader: reader.after(sequence, min(count, MOST)), []))

    def before(self, sequence: int | None = None, count: int = MOST) -> list[dict[str, Any]]:
        """The events before that number, or the newest of all, newest first."""
        most = min(count, MOST)
        if sequence is None:
            return _all_shown(self._asked(lambda reader: reader.newest(most), []))
        return _all_shown(self._asked(lambda reader: reader.before(sequence, most), []))

    def chain(self) -> str | None:
        """The hash of the first event: another one is another store's, whose numbers mean others.

        None while there is no event.
        """
        first = self._asked(lambda reader: reader.at(1), None)
        return first.hash if first else None

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
    title = TITLES.get(event.fields["kind"], event.fields["kind"])
    return {**fields, "title": title, "sequence": event.sequence, "hash": event.hash,
            "pictures": pictures}  # fmt: skip
