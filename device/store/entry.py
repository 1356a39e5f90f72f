"""An event on its way into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.stamp import Stamp

__all__ = ["Entry", "ended", "without_pictures"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be stored: the event's fields with its ``uuid``, and its JPEGs by role."""

    fields: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def without_pictures(entry: Entry) -> Entry:
    """The same event, saying that its pictures could not be stored."""
    if not entry.pictures:
        return entry
    details = {**entry.fields["details"], "pictures": "could not be stored"}
    return Entry({**entry.fields, "details": details})


def ended(began: Mapping[str, Any], now: Stamp, clock_set: bool | None) -> Entry:
    """The end of corrosion whose watch was killed: what its begin said, and no more."""
    happening = Happening(kind="corrosion_ended", at=now, clock_set=clock_set).to_dict()
    taken = ("uuid", "kind", "at", "boot", "monotonic_s", "clock_set", "recording")
    same_boot = began.get("boot") == now.boot
    reason = "the watch broke off; when it ended was not recorded"
    told: dict[str, Any] = {
        "start_monotonic_s": began.get("start_monotonic_s") if same_boot else None,
        "duration_s": None,
        "clock_jump_s": None,
        "reason": reason,
        "details": {},
    }
    return Entry({**began, **{name: happening[name] for name in taken}, **told})
