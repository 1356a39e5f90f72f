"""Whether a store is what was written: the chain, link by link, and each picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corrosion_edge.device.store import chain
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.errors import TamperError

__all__ = ["Verified", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found right: events, pictures present, pictures that retention removed, the head."""

    events: int
    pictures: int
    removed: int
    head: str


def verify(folder: Path, expected: str = "") -> Verified:
    """Check every hash and picture of a store.

    Raises TamperError that names the first event where something was changed, removed or
    reordered. ``expected`` is a head hash that was noted earlier: it must be in the chain, or
    events were cut off (or all rewritten). Without it a cut end cannot be seen.
    """
    previous, pictures, removed = chain.GENESIS, 0, 0
    with Reader(folder) as reader:
        events = list(reader.events())
        through = _removed_through(events)
        for place, event in enumerate(events, 1):
            for problem in _problems(event, place, previous, through):
                if not _removed_meanwhile(reader, event):
                    raise TamperError(f"{folder}: event {event.sequence}: {problem}")
            previous = event.hash
            gone = sum(bool(picture.removed) for picture in event.pictures.values())
            removed, pictures = removed + gone, pictures + len(event.pictures) - gone
    if expected and expected.lower() not in (chain.GENESIS, *(event.hash for event in events)):
        raise TamperError(
            f"{folder}: the noted head {expected[:16]}… is not in the chain: events were cut off "
            "at the end, or all were written anew"
        )
    return Verified(len(events), pictures, removed, previous)


def _removed_through(events: list[Event]) -> int:
    """Up to which event retention removed pictures, as the chain itself says."""
    told = [e.fields.get("details") for e in events if e.fields["kind"] == "pictures_removed"]
    return max((d["through"] for d in told if isinstance(d, dict) and "through" in d), default=0)


def _removed_meanwhile(reader: Reader, event: Event) -> bool:
    """Whether a watch at work removed the event's pictures since it was read, and only that."""
    now = reader.event(str(event.sequence))
    same = now.hash == event.hash and now.body == event.body
    return same and now.pictures != event.pictures and all(p.removed for p in now.pictures.values())


def _problems(event: Event, place: int, previous: str, through: int) -> Iterator[str]:
    """What is wrong with an event, the most telling first."""
    if event.sequence != place:
        yield f"number {place} should be here: events before it were removed"
    if event.fields.get("sequence") != event.sequence:
        yield f"its text is that of event {event.fields.get('sequence')}: reordered, or changed"
    digests = {role: picture.digest for role, picture in event.pictures.items()}
    if not event.body.isascii() or chain.link(previous, event.body, digests) != event.hash:
        yield "its text, its pictures' digests or its hash were changed"
    for role, picture in event.pictures.items():
        if picture.removed:
            if event.sequence > through:
                yield f"its picture {role} is marked removed, but no removal is recorded"
        elif not picture.path.is_file():
            yield f"its picture {picture.path.name} is missing"
        elif chain.digest(picture.path.read_bytes()) != picture.digest:
            yield f"its picture {picture.path.name} was changed"
