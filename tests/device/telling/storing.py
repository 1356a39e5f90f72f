"""A store with events in it."""

from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store.store import Entry, Store


def fill(store: Store, count: int, kind: str = "usable") -> list[str]:
    """Store so many events; their uuids."""
    fields = [Happening(kind=kind, at=Stamp.now(), camera="deck").to_dict() for _ in range(count)]
    for each in fields:
        store.append(Entry(each))
    return [str(each["uuid"]) for each in fields]
