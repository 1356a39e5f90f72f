"""Fills a disk again and again under a keeper, and counts what was lost.

``python filling.py FOLDER ROUNDS``, where FOLDER is a small file system of its own. Each round
fills the rest of the disk, lets 20 events happen, frees the disk, and lets a summary come.
``python filling.py FOLDER EVENTS --itself``: nobody but the store fills it, with so many events,
each of which has 2 pictures of random bytes, 100 kB each.
"""

import contextlib
import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from happenings import Clock, happening, summary

from corrosion_edge.device.store import Keeper, Reader, Store
from corrosion_edge.device.store.chain import ROLES
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.verify import verify


@dataclass
class Account:
    """Times the disk was full; events sent, stored, reported as stored and yet lost, unpictured.

    ``removed``, ``kept`` are events whose pictures went or are there.
    """

    full: int = 0
    sent: int = 0
    stored: int = 0
    lost: int = 0
    without_pictures: int = 0
    removed: int = 0
    kept: int = 0


def fill_often(folder: Path, rounds: int, each: int = 20) -> Account:
    """See above; the store is opened once."""
    told: list[Event] = []
    account, store, ballast = Account(), Store(folder / "store"), folder / "ballast"
    keeper = Keeper(store, told=told.append, now=Clock(), warn=lambda line: None)
    uuids = []
    for turn in range(rounds):
        _fill(ballast)
        for number in range(each):
            kind = ("corrosion_began", "corrosion_ended")[number % 2]
            what = happening(kind, float(turn * each + number))
            uuids.append(what.uuid)
            keeper.append(what)
        ballast.unlink()
        keeper.summarise(summary())
    keeper.close()
    return _counted(folder, account, uuids, told)


def fill_by_itself(folder: Path, count: int) -> Account:
    """See above; what the keeper has no room for is not waited for."""
    told: list[Event] = []
    draw, uuids = random.Random(1), []
    made = lambda scene: {role: draw.randbytes(100_000) for role in ROLES}  # noqa: E731
    with patch("corrosion_edge.device.store.keeper.jpegs", made):
        keeper = Keeper(Store(folder / "store"), told=told.append, now=Clock(), warn=print)
        for number in range(count):
            what = happening(("corrosion_began", "corrosion_ended")[number % 2], float(number))
            uuids.append(what.uuid)
            keeper.append(what)
        keeper.close()
    return _counted(folder, Account(), uuids, told)


def _counted(folder: Path, account: Account, uuids: list[str], told: list[Event]) -> Account:
    verify(folder / "store")
    with Reader(folder / "store") as reader:
        events = list(reader.events())
    there = {event.sequence: event.hash for event in events}
    order = [e.fields["uuid"] for e in events if e.fields["kind"].startswith("corrosion")]
    if order != uuids:
        raise AssertionError("events are not all there, once each, in their order")
    account.full = sum(e.fields["kind"] == "store_recovered" for e in events)
    account.sent, account.stored = len(uuids), len(order)
    account.lost = sum(there.get(one.sequence) != one.hash for one in told)
    account.without_pictures = sum("pictures" in e.fields["details"] for e in events)
    account.removed = sum(any(p.removed for p in e.pictures.values()) for e in events)
    account.kept = sum(any(not p.removed for p in e.pictures.values()) for e in events)
    return account


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as stream:
        while True:
            stream.write(os.urandom(512))


if __name__ == "__main__":
    fill = fill_by_itself if sys.argv[3:] == ["--itself"] else fill_often
    print(fill(Path(sys.argv[1]), int(sys.argv[2])))
