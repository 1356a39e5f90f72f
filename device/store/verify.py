"""Whether a store is what was written: the chain, link by link, and each picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corrosion_edge.device.store import chain
from corrosion_edge.device.store.aside import ASIDE, KIND
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.head import Head
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.errors import TamperError, UsageError

__all__ = ["Verified", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found right: events, pictures present, pictures that retention removed, the head.

    ``aside`` is what the chain tells of things that were set aside, see ``aside.told_of``; those
    are not verified with it.
    """

    events: int
    pictures: int
    removed: int
    head: str
    aside: tuple[dict[str, Any], ...] = ()


def verify(folder: Path, expected: str | None = None) -> Verified:
    """Check every hash and picture of a store.

    Raises TamperError that names the first event where something was changed, removed or
    reordered. ``expected`` is a head that was noted earlier, as a hash or as a head file has it:
    it must be in the chain, or events were cut off (or all rewritten). Without it a cut end cannot
    be seen. UsageError for what is no head.
    """
    noted = None if expected is None else Head.of(expected)
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
    aside = _details(events, KIND)
    if noted is not None:
        _require(folder, noted, events, aside)
    return Verified(len(events), pictures, removed, previous, tuple(aside))


def _require(
    folder: Path, noted: Head, events: Sequence[Event], aside: Sequence[dict[str, Any]]
) -> None:
    """That the noted head is in the chain (TamperError)."""
    if noted.hash == chain.GENESIS:
        if not events:
            return
        raise UsageError("--expect: 64 zeros are the head of an empty chain, which every chain "
                         "grew from; name a head that was noted later")  # fmt: skip
    if any(event.hash == noted.hash and noted.sequence in (None, event.sequence)
           for event in events):  # fmt: skip
        return
    told = f"{folder}: the noted head {noted.hash[:16]}…"
    if known := [str(one.get("place")) for one in aside if one.get("head") == noted.hash]:
        raise TamperError(f"{told} is that of the chain that was set aside in "
                          f"{folder / ASIDE / known[0]}; verify that one by itself")  # fmt: skip
    raise TamperError(
        f"{told} is not in the chain{'' if noted.sequence is None else ' as that event'}: events "
        "were cut off at the end, or all were written anew"
    )


def _removed_through(events: Sequence[Event]) -> int:
    """Up to which event retention removed pictures, as the chain itself says."""
    told = _details(events, "pictures_removed")
    return max((one["through"] for one in told if "through" in one), default=0)


def _details(events: Sequence[Event], kind: str) -> list[dict[str, Any]]:
    """Those of the events of a kind."""
    every = (event.fields.get("details") for event in events if event.fields["kind"] == kind)
    return [details for details in every if isinstance(details, dict)]


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
        elif not picture.path.stat().st_size:
            yield (f"its picture {picture.path.name} is empty: a watch on a full disk let it go "
                   "and is still to tell so, or another hand did")  # fmt: skip
        elif chain.digest(picture.path.read_bytes()) != picture.digest:
            yield f"its picture {picture.path.name} was changed"
