"""A stored event as readers have it, and which ones they want."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from corrosion_edge.device.events.event import iso
from corrosion_edge.device.store.correction import AS_STAMPED, Times, known_time

__all__ = ["Event", "Picture", "Wanted"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file, its SHA-256 in hex, and when retention removed it (empty: it did not)."""

    path: Path
    digest: str
    removed: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event: number, fields, the text that was hashed, hash, and pictures by role.

    ``fields`` are as stored. ``times`` says what is corrected, see ``store.correction``; ``at``,
    ``start`` and ``end`` are the best known, as the fields have them.
    """

    sequence: int
    fields: dict[str, Any]
    body: str
    hash: str
    pictures: dict[str, Picture]
    times: Times = AS_STAMPED

    @property
    def at(self) -> str:
        """When it was; empty for a damaged row."""
        return self.times.at or self.fields["at"]

    @property
    def start(self) -> str | None:
        """When corrosion began, None for other events."""
        return self.times.start or self.fields.get("start")

    @property
    def end(self) -> str | None:
        """When corrosion ended, None while it goes on, or where that was not seen."""
        return self.times.end or self.fields.get("end")

    @property
    def doubtful(self) -> bool:
        """Whether its stamp is of a clock that was not set, and was not corrected."""
        return bool(self.at) and not known_time(self.fields, self.times)

    def to_dict(self) -> dict[str, Any]:
        """The fields as stored, what is corrected (``corrected_at``, ``…_start``, ``…_end``, None
        where nothing is), the hash, and each picture's file name, digest and removal."""
        shown = {
            role: {"file": p.path.name, "sha256": p.digest, "removed": p.removed or None}
            for role, p in self.pictures.items()
        }
        return {**self.fields, **self.times.to_dict(), "hash": self.hash, "pictures": shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events: empty means all; ``since`` is included, ``until`` is not."""

    cameras: Sequence[str] = ()
    kinds: Sequence[str] = ()
    assets: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, event: Event) -> bool:
        """Whether an event is wanted; by its corrected time, if it has one."""
        fields = event.fields
        return (
            (not self.cameras or fields["camera"] in self.cameras)
            and (not self.kinds or fields["kind"] in self.kinds)
            and (not self.assets or fields["asset"] in self.assets)
            and (self.since is None or event.at >= iso(self.since))
            and (self.until is None or event.at < iso(self.until))
        )
