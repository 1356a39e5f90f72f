"""What is set aside and never deleted: a damaged database, pictures that no row names.

A place is ``DIR/set-aside/TIME``, laid out as a store is: what is in it can be read as one. The
next event of the chain says what is there, so that a new chain shows that an old one existed.
"""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from corrosion_edge.device.store.database import DATABASE, FILES, connect
from corrosion_edge.errors import OutputError

__all__ = ["ASIDE", "KIND", "new_place", "places", "put_aside", "reason_of", "told_of"]

ASIDE: Final = "set-aside"
"""The folder of the places, in the store's folder."""

KIND: Final = "store_set_aside"
"""The kind of the event that tells of a place."""


def new_place(folder: Path) -> Path:
    """Make a place, named by the time in UTC (OutputError)."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    try:
        for number in range(1, 1000):
            place = folder / ASIDE / (name if number == 1 else f"{name}-{number}")
            with suppress(FileExistsError):
                place.mkdir(parents=True)
                return place
    except OSError as error:
        raise OutputError(f"{folder / ASIDE}: cannot be made ({error.strerror})") from None
    raise OutputError(f"{folder / ASIDE}: too many things of one second; remove old ones")


def put_aside(files: Iterable[Path], place: Path) -> None:
    """Move the files that are there into a place, which is made (OutputError)."""
    try:
        place.mkdir(exist_ok=True)
        for file in files:
            with suppress(FileNotFoundError):
                file.rename(place / file.name)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error.strerror})") from None


def places(folder: Path, told: Collection[str]) -> list[Path]:
    """The places of a store that are not among those ``told``, in the order of their names."""
    found = folder / ASIDE
    every = sorted(found.iterdir()) if found.is_dir() else []
    return [place for place in every if place.is_dir() and place.name not in told]


def told_of(place: Path) -> dict[str, Any]:
    """What the event says of a place: files and digests, number and hash of the old chain's head.

    ``None`` stands for what the damage does not let be read.
    """
    files = {name: _digest(place / name) for name in FILES[:2] if (place / name).exists()}
    sequence, head = _head(place / DATABASE)
    pictures = place / "pictures"
    return {
        "place": place.name,
        "files": files,
        "events": sequence,
        "head": head,
        "pictures": sum(1 for _ in pictures.iterdir()) if pictures.is_dir() else 0,
    }


def reason_of(told: dict[str, Any]) -> str:
    """The event's reason: what was set aside, and where."""
    where = f"in {ASIDE}/{told['place']}"
    if not told["files"]:
        return (f"pictures that no event names ({told['pictures']}) were set aside {where}: a "
                "crash left them, or the database was lost or is an older one")  # fmt: skip
    old = "its head cannot be read"
    if told["head"] is not None:
        old = f"its head is event {told['events']}, {told['head']}"
    return f"another chain was damaged and set aside {where}; {old}"


def _head(path: Path) -> tuple[int | None, str | None]:
    """Number and hash of the last event; only its own pages need be whole."""
    if not path.is_file():
        return None, None
    log = path.with_name(FILES[1])
    merged = "" if log.exists() and log.stat().st_size else "&immutable=1"  # makes no new files
    address = f"file:{quote(str(path.absolute()))}?mode=ro{merged}"
    try:
        with closing(connect(address, seconds=1, uri=True)) as database:
            row = database.execute(
                "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
    except sqlite3.Error:
        return None, None
    return (int(row[0]), str(row[1])) if row else (0, None)


def _digest(file: Path) -> str | None:
    """SHA-256 in hex; None where the disk cannot read it."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
