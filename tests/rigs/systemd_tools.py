"""For ``systemd_guest.py``: asking systemd, the journal and the store inside the machine."""

import contextlib
import ctypes
import json
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "CONFIG", "Found", "PATIENCE", "PROGRAM", "SERVICE", "STATE", "STORE", "active", "another",
    "changed_unit", "counted", "events", "journal", "judging", "owners", "ran", "set_by_hand",
    "set_by_network", "shown", "stored", "until",
]  # fmt: skip

PROGRAM = "/opt/corrosion-edge/bin/corrosion-edge"
SERVICE = "corrosion-edge.service"
CONFIG = Path("/etc/corrosion-edge/watch.toml")
STATE = Path("/var/lib/corrosion-edge")
STORE = STATE / "events"
DROP_IN = Path(f"/run/systemd/system/{SERVICE}.d/rig.conf")
PATIENCE = 90.0
"""Seconds for anything that must happen; emulation is slow."""

_STATUS_AND_MAXERROR = 0x0010 | 0x0004

Found = dict[str, Any]


def ran(*words: str) -> Found:
    """What a command said, and its exit code."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


def shown() -> dict[str, str]:
    """What systemd knows of the service."""
    lines = ran("systemctl", "show", SERVICE)["out"].splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def until(condition: Callable[[dict[str, str]], object]) -> dict[str, str]:
    """Wait until what systemd knows is so; TimeoutError after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition(known := shown()):
        if time.monotonic() > end:
            raise TimeoutError(f"{known} {journal()}")
        time.sleep(0.2)
    return known


def active(known: dict[str, str]) -> bool:
    """Whether it said that it is ready."""
    return known["ActiveState"] == "active"


def judging(known: dict[str, str]) -> bool:
    """Whether its status line counts verdicts; that is renewed with each ping."""
    return active(known) and re.search(r"\b[1-9]\d* verdicts", known["StatusText"]) is not None


def another(process: str) -> Callable[[dict[str, str]], bool]:
    """Whether another process than that one is ready."""
    return lambda known: active(known) and known["MainPID"] != process


def journal() -> list[str]:
    """What the service and systemd said of it since the machine's start."""
    words = ["journalctl", "-b", "-u", SERVICE, "-o", "cat", "--no-pager"]
    return ran(*words)["out"].splitlines()


def events() -> list[Found]:
    """The stored events, oldest first, straight from the database, for that is quick."""
    path = STORE / "events.sqlite"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            rows = database.execute("SELECT body FROM events ORDER BY sequence").fetchall()
        except sqlite3.OperationalError:  # being made
            return []
    return [json.loads(body) for (body,) in rows]


def stored(kind: str, count: int) -> list[Found]:
    """Wait until so many events of a kind are stored."""
    end = time.monotonic() + PATIENCE
    while counted(kind, found := events()) < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{kind}: {found} {journal()}")
        time.sleep(0.3)
    return found


def counted(kind: str, found: list[Found]) -> int:
    """How many of them are of that kind."""
    return sum(event["kind"] == kind for event in found)


def owners(*folders: Path) -> dict[str, list[str]]:
    """Owner and mode of all that is below."""
    paths = [path for folder in folders for path in [folder, *sorted(folder.rglob("*"))]]
    return {str(path): [path.owner(), path.group(), f"{path.stat().st_mode & 0o7777:o}"]
            for path in paths}  # fmt: skip


def set_by_hand(seconds: float) -> None:
    """Set the clock, in seconds since 1970; the kernel no longer holds it for synchronised."""
    time.clock_settime(time.CLOCK_REALTIME, seconds)


def set_by_network(seconds: float) -> None:
    """Set the clock and tell the kernel that it is synchronised, as systemd-timesyncd does."""
    set_by_hand(seconds)
    words = (ctypes.c_long * 32)()  # struct timex (adjtimex(2)): modes, offset, freq, maxerror, …
    words[0] = _STATUS_AND_MAXERROR  # all others 0: no error, and no STA_UNSYNC among the flags
    if ctypes.CDLL(None).adjtimex(ctypes.byref(words)) < 0:
        raise OSError("adjtimex failed")


@contextlib.contextmanager
def changed_unit(text: str) -> Iterator[None]:
    """Lines that are put over the unit's for a while."""
    DROP_IN.parent.mkdir(parents=True, exist_ok=True)
    DROP_IN.write_text(text)
    ran("systemctl", "daemon-reload")
    try:
        yield
    finally:
        DROP_IN.unlink()
        ran("systemctl", "daemon-reload")
