"""When nothing was watched: cameras away, pictures unusable, the watch itself not running."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.store.event import Event

__all__ = ["AWAY", "Downtime", "downtimes", "moment"]

AWAY = {
    "camera_lost": ("camera", "lost"),
    "camera_degraded": ("camera", "degraded"),
    "camera_recovered": ("camera", ""),
    "unusable": ("picture", "picture unusable"),
    "usable": ("picture", ""),
}
"""Events that begin or end a downtime: what is away, and how, empty at the end."""


@dataclass(frozen=True, slots=True)
class Downtime:
    """From ``start`` to ``end`` (None: not over); ``camera`` is empty for the whole watch."""

    camera: str
    what: str
    start: datetime
    end: datetime | None
    reason: str


def moment(text: str) -> datetime:
    """A stored time."""
    return datetime.fromisoformat(text)


def downtimes(events: Iterable[Event], summaries: Sequence[Summary]) -> list[Downtime]:
    """All of them, by their end's place in the chain; those that go on come last.

    A watch that was killed was last alive at its last event or summary before the new start.
    """
    found: list[Downtime] = []
    open_: dict[tuple[str, str], tuple[datetime, str, str]] = {}
    alive: datetime | None = None
    for event in events:
        fields, at = event.fields, moment(event.at)
        if fields["kind"] == "started" and alive is not None:
            found.append(_pause(alive, at, summaries, open_))
            open_ = {}
        if told := AWAY.get(fields["kind"]):
            key = (fields["camera"], told[0])
            if key in open_:
                start, what, reason = open_.pop(key)
                found.append(Downtime(key[0], what, start, at, reason))
            if told[1]:
                open_[key] = (at, told[1], fields["reason"])
        if fields["kind"] == "stopped":
            open_[("", "watch")] = (at, "watch stopped", fields["reason"])
        alive = at
    rest = [Downtime(k[0], what, start, None, why) for k, (start, what, why) in open_.items()]
    return found + rest


def _pause(
    alive: datetime,
    at: datetime,
    summaries: Sequence[Summary],
    open_: dict[tuple[str, str], tuple[datetime, str, str]],
) -> Downtime:
    if stopped := open_.get(("", "watch")):
        return Downtime("", "watch stopped", stopped[0], at, stopped[2])
    last = max([alive, *(s.at for s in summaries if alive < s.at < at)])
    return Downtime("", "watch broke off", last, at, "killed, or without power")
