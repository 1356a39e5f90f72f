"""What an injected fault comes to, and how a watch is put through one."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from watching import verdict, watching

from corrosion_edge.device.store import Reader
from corrosion_edge.device.store.verify import verify

__all__ = ["BASE", "PATIENCE", "Fault", "Found", "Row", "Way", "event", "lost_of", "through"]

BASE = ("--interval", "0.2", "--threads", "1", "--smooth", "1/1")
PATIENCE = 150.0
"""Seconds for anything that must come: pauses between two tries of a camera are up to 60."""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds from the end of the fault until all was well again; what was told, by its kind;
    how much was lost of what had been reported as stored, or was due."""

    back: float
    told: str
    lost: int = 0


Fault = Callable[[Path, Random], Found]
"""Injects itself once, in an empty folder."""


@dataclass(frozen=True, slots=True)
class Row:
    """All injections of one fault."""

    name: str
    found: Sequence[Found]

    def __str__(self) -> str:
        back = [one.back for one in self.found]
        middle, most = statistics.median(back), max(back)
        told = " | ".join(sorted({one.told for one in self.found}))
        return (f"{self.name}: {len(back)} times, back after {middle:.1f} s (median), {most:.1f} s "
                f"(most), {sum(one.lost for one in self.found)} lost; {told}")  # fmt: skip


def event(*kinds: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a line is an event of one of these kinds."""
    return lambda line: line.get("event") in kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A fault of a camera: its address, what breaks and mends it, and the kinds that tell of it."""

    address: str
    options: Sequence[str]
    blow: Callable[[], object]
    mend: Callable[[], object]
    gone: str
    back: str
    away: float = 10.0
    """Seconds for which it stays away at most, after it was told."""


def through(way: Way, folder: Path, draw: Random) -> Found:
    """Watch, break, wait until that is told, mend, and wait for the first verdict."""
    words = ["--camera", way.address, "--store", folder / "store", *BASE, *way.options]
    with watching(*words) as watch:
        if "--await-cameras" not in way.options:
            watch.until(1, verdict, PATIENCE)
        way.blow()
        watch.until(1, event(way.gone), PATIENCE)
        time.sleep(draw.uniform(0, way.away))
        way.mend()
        begin = time.monotonic()
        lines = watch.until(1, event(way.back), PATIENCE)
        watch.until(1, verdict, PATIENCE)
        seconds = time.monotonic() - begin
        told = watch.end()
    return Found(seconds, f"{way.gone}, {lines[-1]['event']}", lost_of(folder / "store", told))


def lost_of(store: Path, told: str) -> int:
    """Events that standard error reported as stored, and that the store does not have so.

    The chain must be whole (TamperError).
    """
    verify(store)
    with Reader(store) as reader:
        there = {(str(each.sequence), each.hash) for each in reader.events()}
    said = [line.split() for line in told.splitlines() if line.startswith("stored: event ")]
    assert said, told
    return sum((words[2], words[-1]) not in there for words in said)
