"""What the store holds at the end, against what was reported, told and delivered."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import StoreError

__all__ = ["account"]


def account(
    store: Path, reported: Mapping[int, str], got: Mapping[str, int], told: Mapping[str, int]
) -> dict[str, Any]:
    """Counts for the record.

    ``reported`` are hashes by number, ``got`` deliveries by uuid, ``told`` the JSON lines' events
    by kind. ``lost`` were reported and are not there, or are otherwise; ``untold`` is by how many
    the store has other numbers of events than the JSON lines; ``verify`` is '' or what is wrong.
    """
    with Reader(store) as reader:
        events = list(reader.events())
    there = {event.sequence: event.hash for event in events}
    kinds = Counter(event.fields["kind"] for event in events)
    uuids = [event.fields["uuid"] for event in events]
    return {
        "reported": len(reported),
        "lost": sum(there.get(number) != digest for number, digest in reported.items()),
        "kinds": dict(kinds),
        "untold": sum(abs(kinds[kind] - told.get(kind, 0)) for kind in {*kinds, *told}),
        "verify": _verified(store, reported),
        "undelivered": sum(uuid not in got for uuid in uuids),
        "twice": sum(count > 1 for count in got.values()),
    }


def _verified(store: Path, reported: Mapping[int, str]) -> str:
    try:
        verify(store, reported[max(reported)] if reported else "")
    except StoreError as error:
        return str(error)
    return ""
