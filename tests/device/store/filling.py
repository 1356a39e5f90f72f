"""Fills a disk again and again under a keeper, and counts what was lost.

``python filling.py FOLDER ROUNDS``, where FOLDER is a small file system of its own. Each round
fills the rest of the disk, lets 20 events happen, frees the disk, and lets a summary come.
"""

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from happenings import Clock, happening, summary

from corrosion_edge.device.store import Keeper, Reader, Store
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.verify import verify


@dataclass
class Account:
    """Times the disk was full; events sent, stored, reported as stored and yet lost, unpictured."""

    full: int = 0
    sent: int = 0
    stored: int = 0
    lost: int = 0
    without_pictures: int = 0


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
    verify(folder / "store")
    with Reader(folder / "store") as reader:
        events = list(reader.events())
    there = {event.sequence: event.hash for event in events}
    order = [e.fields["uuid"] for e in events if e.fields["kind"] != "store_recovered"]
    if order != uuids:
        raise AssertionError("events are not all there, once each, in their order")
    account.full = sum(e.fields["kind"] == "store_recovered" for e in events)
    account.sent, account.stored = len(uuids), len(order)
    account.lost = sum(there.get(one.sequence) != one.hash for one in told)
    account.without_pictures = sum("pictures" in e.fields["details"] for e in events)
    return account


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as stream:
        while True:
            stream.write(os.urandom(512))


if __name__ == "__main__":
    print(fill_often(Path(sys.argv[1]), int(sys.argv[2])))
