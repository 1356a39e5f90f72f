"""The clock of a real ``watch --store`` is set by a stand-in for the kernel's."""

import functools
import shutil
import struct
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from injecting import BASE, PATIENCE, Fault, Found, event, lost_of
from watching import verdict, watching

from corrosion_edge.device.clock import SYNCHRONISED_VARIABLE
from corrosion_edge.device.store import Reader

__all__ = ["CLOCKS"]

HOUR = 3600.0
NEAR = 2.0
"""Seconds by which a corrected time may be off."""

Set = Callable[[float, bool], None]


@functools.cache
def _library(into: Path) -> Path:
    """The stand-in, see ``set_clock.c``, built there; skips where nothing builds it."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc to build the stand-in for the kernel's clock")
    built = into / "set_clock.so"
    source = Path(__file__).with_name("set_clock.c")
    words = ["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-O1", "-o", str(built), str(source)]
    subprocess.run(words, check=True)
    return built


def _watched(folder: Path, story: Callable[[Set, Callable[[], object]], float]) -> Found:
    """Watch by a clock that ``story`` sets; it returns when the clock was set for good."""
    file = folder / "clock"

    def put(error: float, doubted: bool) -> None:
        with file.open("r+b" if file.exists() else "w+b") as stream:
            stream.write(struct.pack("dd", error, doubted))

    put(0.0, False)
    environment = {"LD_PRELOAD": str(_library(folder.parent)), "CLOCK_ERROR": str(file),
                   SYNCHRONISED_VARIABLE: ""}  # fmt: skip
    words = ("--camera", "demo", "--store", folder / "store", *BASE, "--enter", "0.3")
    with watching(*words, environment=environment) as watch:
        watch.until(2, verdict, PATIENCE)
        begin = story(put, lambda: watch.until(1, event("corrosion_began"), PATIENCE))
        lines = watch.until(1, event("clock_set"), PATIENCE)
        seconds = time.monotonic() - begin
        watch.until(2, verdict, PATIENCE)
        told = watch.end()
    lost = lost_of(folder / "store", told) + _out_of_place(folder / "store")
    way = "back" if lines[-1]["details"]["jump_s"] < 0 else "forward"
    return Found(seconds, f"clock_set, {way}", lost)


def _out_of_place(store: Path) -> int:
    """Numbers that are missing, and events that were doubtful and are not near the true time."""
    with Reader(store) as reader:
        events = list(reader.events())
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))
    now = datetime.now(UTC)
    far = [each for each in events if each.fields["clock_set"] is False
           and not 0 <= (now - datetime.fromisoformat(each.at)).total_seconds() < 120]  # fmt: skip
    return len(far) + sum(each.doubtful for each in events)


def clock_stepped_back(folder: Path, draw: Random) -> Found:
    """Set back at one blow, as by a time service; the kernel calls it right all the while."""
    return _stepped(folder, -draw.uniform(2, HOUR))


def clock_stepped_forward(folder: Path, draw: Random) -> Found:
    """The same, forward."""
    return _stepped(folder, draw.uniform(2, HOUR))


def _stepped(folder: Path, jump: float) -> Found:
    def story(put: Set, began: Callable[[], object]) -> float:
        put(float(int(jump)), False)
        return time.monotonic()

    return _watched(folder, story)


def clock_back_and_right_again(folder: Path, draw: Random) -> Found:
    """Set back by hand, which the kernel doubts, as corrosion begins; then set by the network."""

    def story(put: Set, began: Callable[[], object]) -> float:
        put(float(-int(draw.uniform(2, HOUR))), True)
        began()
        put(0.0, False)
        return time.monotonic()

    return _watched(folder, story)


CLOCKS: tuple[Fault, ...] = (
    clock_stepped_back, clock_stepped_forward, clock_back_and_right_again,
)  # fmt: skip
