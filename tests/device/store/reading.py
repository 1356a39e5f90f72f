"""How long readers need for a large store, by how many stamps are doubtful.

``python reading.py [EVENTS]``: for each case the seconds for all events at once, and in batches of
50 as they are delivered; how many were corrected. And what a look at the clock takes.
"""

import sqlite3
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from corrosion_edge.device.clock_watch import ClockWatch
from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Reader, Store, chain
from corrosion_edge.device.store.correction import Anchors
from corrosion_edge.device.store.store import DATABASE

START = datetime(2026, 11, 1, tzinfo=UTC)
BATCH = 50
LOOKS = 20_000
Tells = Callable[[int, int], bool]

CASES: dict[str, Tells] = {
    "all set": lambda number, count: True,
    "none set": lambda number, count: False,
    "set with the last": lambda number, count: number == count,
    "every second set": lambda number, count: number % 2 == 0,
}


def fill(folder: Path, count: int, is_set: Tells) -> None:
    """A chain of one boot, written at once: a commit an event would take hours."""
    Store(folder).close()
    rows, previous = [], chain.GENESIS
    for number in range(1, count + 1):
        at = Stamp(START + timedelta(seconds=number), float(number), "boot")
        happening = Happening(kind="camera_lost", at=at, camera="north", reason="no frame for 10 s",
                              clock_set=is_set(number, count))  # fmt: skip
        body = chain.canonical({**happening.to_dict(), "sequence": number})
        previous = chain.link(previous, body, {})
        rows.append((number, body, previous))
    database = sqlite3.connect(folder / DATABASE)
    with database:
        database.executemany("INSERT INTO events (sequence, body, hash) VALUES (?, ?, ?)", rows)
    database.close()


def at_once(folder: Path) -> int:
    """As ``events list`` reads."""
    with Reader(folder) as reader:
        return sum(event.times.at is not None for event in reader.events())


def in_batches(folder: Path) -> int:
    """As a backlog is read, the store opened for each look."""
    anchors, place, corrected = Anchors(), 0, 0
    while True:
        with Reader(folder, anchors) as reader:
            found = reader.after(place, BATCH)
        if not found:
            return corrected
        place = found[-1].sequence
        corrected += sum(event.times.at is not None for event in found)


def main(count: int) -> None:
    """Print a line a case, and what a look at the clock takes."""
    look = timeit.timeit(ClockWatch().news, number=LOOKS) / LOOKS
    print(f"a look at the clock {1e6 * look:.1f} µs")
    for name, is_set in CASES.items():
        with tempfile.TemporaryDirectory() as work:
            fill(Path(work), count, is_set)
            told = []
            for read in (at_once, in_batches):
                begin = time.perf_counter()
                corrected = read(Path(work))
                told.append(f"{read.__name__} {time.perf_counter() - begin:.2f} s")
        print(f"{name:18} {', '.join(told)}, {corrected} corrected", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
