"""Stores that are full, damaged, or written by somebody else, under a real ``watch --store``."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
import rig
from happenings import Clock, happening, scene
from injecting import BASE, PATIENCE, Fault, Found, lost_of
from watching import verdict, watching

from corrosion_edge.device.store import Keeper, Reader, Store
from corrosion_edge.device.store.aside import ASIDE
from corrosion_edge.device.store.database import DATABASE

__all__ = ["STORES"]

PAGE = 4096  # bytes


def _refused(store: Path) -> str:
    """What a watch says that does not start."""
    done = rig.native("-m", "corrosion_edge", "watch", "--camera", "demo", "--frames", "1",
                      "--store", store, *BASE, within=PATIENCE)  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: "), last
    return last.removeprefix(f"Error: {store}: ")


def _starts(store: Path, *kinds: str) -> Found:
    """Seconds from a start to its first verdict; the first event must be one of those kinds."""
    begin = time.monotonic()
    with watching("--camera", "demo", "--store", store, *BASE) as watch:
        lines = watch.until(1, verdict, PATIENCE)
        seconds = time.monotonic() - begin
        told = watch.end()
    seen = [line["event"] for line in lines if "event" in line]
    assert set(kinds) <= set(seen), seen
    return Found(seconds, ", ".join(seen), lost_of(store, told))


def second_watch(folder: Path, draw: Random) -> Found:
    """Another watch is started on the store of one that runs, which goes on."""
    store = folder / "store"
    with watching("--camera", "demo", "--store", store, *BASE) as watch:
        watch.until(1, verdict, PATIENCE)
        time.sleep(draw.uniform(0, 1))
        said = _refused(store)
        begin = time.monotonic()
        seen = sum(map(verdict, watch.lines))
        watch.until(seen, verdict, PATIENCE)  # one was waited for before: so a new one
        seconds = time.monotonic() - begin
        told = watch.end()
    return Found(seconds, said, lost_of(store, told))


@contextmanager
def _disk(folder: Path) -> Iterator[Path]:
    """A file system of 8 MB; skips where none can be mounted."""
    disk = folder / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)],
                          capture_output=True, text=True)  # fmt: skip
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as stream:
        while True:
            stream.write(os.urandom(512))


def full_at_the_start(folder: Path, draw: Random) -> Found:
    """The disk is full at the start, and nothing on it can make room; then there is room."""
    with _disk(folder) as disk:
        store = disk / "store"
        if draw.random() < 0.5:
            with Keeper(Store(store), now=Clock()) as keeper:
                keeper.append(happening("started"))
        _fill(disk)
        said = _refused(store)
        (disk / "ballast").unlink()
        found = _starts(store, "started")
    return Found(found.back, f"{said.split(' (')[0]}; then {found.told}", found.lost)


def full_at_the_start_with_pictures(folder: Path, draw: Random) -> Found:
    """The disk is full at the start, but for pictures of earlier events."""
    with _disk(folder) as disk:
        store = disk / "store"
        with Keeper(Store(store), now=Clock()) as keeper:
            for number in range(draw.randrange(4, 20)):
                keeper.append(happening(seconds=number, scene=scene(number, (480, 640))))
        _fill(disk)
        return _starts(store, "pictures_removed", "started")


def page_overwritten(folder: Path, draw: Random) -> Found:
    """A page of the database is overwritten between two watches."""
    store = folder / "store"
    with Keeper(Store(store), now=Clock()) as keeper:
        for number in range(6):
            keeper.append(happening(seconds=number))
    with Reader(store) as reader:
        names = {p.path.name for each in reader.events() for p in each.pictures.values()}
    file = store / DATABASE
    with file.open("r+b") as stream:
        stream.seek(PAGE * draw.randrange(3))
        stream.write(b"\xff" * PAGE)
    found = _starts(store, "store_set_aside")
    (place,) = (store / ASIDE).iterdir()
    kept = {each.name for each in (place / "pictures").iterdir()}
    return Found(found.back, found.told, found.lost + len(names - kept))


STORES: tuple[Fault, ...] = (
    second_watch, full_at_the_start, full_at_the_start_with_pictures, page_overwritten,
)  # fmt: skip
