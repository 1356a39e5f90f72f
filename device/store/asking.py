"""What the writer of a store asks of it."""

import shutil
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.store import last_good
from corrosion_edge.device.store.aside import KIND, places
from corrosion_edge.device.store.chain import parsed
from corrosion_edge.device.store.correction import Anchors, known_time, times
from corrosion_edge.device.store.database import FILES
from corrosion_edge.device.store.event import Event
from corrosion_edge.errors import OutputError

__all__ = ["Asking"]

_BODY: Final = "SELECT body FROM events WHERE sequence = ?"


class Asking(Closing):
    """A store's questions to its database; OutputError for what cannot be read."""

    folder: Path
    _database: sqlite3.Connection
    _anchors: Anchors

    def taken(self) -> list[Taken]:
        """The files of followed folders that had their turn (OutputError)."""
        return [Taken(*row) for row in self._asked("SELECT path, size, changed_ns FROM taken")]

    def unfinished(self) -> list[Event]:
        """Corrosion that began and has no end: the process was killed."""
        rows = self._asked(
            "SELECT max(sequence), body, hash, kind FROM events WHERE kind IN "
            "('corrosion_began', 'corrosion_ended') GROUP BY camera ORDER BY 1"
        )
        found = [row for row in rows if row[3] == "corrosion_began"]
        return [Event(number, parsed(body), body, linked, {}) for number, body, linked, _ in found]

    @property
    def broke_off(self) -> bool:
        """Whether there are events, and the last is not that a watch stopped."""
        last = self._asked("SELECT kind FROM events ORDER BY sequence DESC LIMIT 1")
        return last not in ([], [("stopped",)])

    def kept_pictures(self) -> list[tuple[int, int]]:
        """Sequence and bytes of the events whose pictures are kept, oldest first."""
        return self._asked(
            "SELECT sequence, sum(bytes) FROM pictures WHERE removed IS NULL "
            "GROUP BY sequence ORDER BY sequence"
        )

    def known_time(self, sequence: int) -> str:
        """When that event was, corrected if need be; empty where nobody knows (OutputError)."""
        try:
            fields = parsed(self._asked(_BODY, (sequence,))[0][0])
            return known_time(fields, times(fields, partial(self._anchor, sequence)))
        except (ValueError, TypeError):
            return ""
        except sqlite3.Error as error:
            raise OutputError(f"{self.folder}: cannot be read ({error})") from None

    def has(self, linked: str) -> bool:
        """Whether an event has that hash (OutputError)."""
        return bool(self._asked("SELECT 1 FROM events WHERE hash = ?", (linked,)))

    def not_told(self) -> list[Path]:
        """Where something was set aside, as no event tells yet (OutputError)."""
        told = self._asked(
            "SELECT json_extract(body, '$.details.place') FROM events WHERE kind = ?", (KIND,)
        )
        return places(self.folder, {place for (place,) in told})

    def has_room(self, size: int) -> bool:
        """Whether the file system has that many bytes free; False if it can't be asked."""
        try:
            return self.free() >= size
        except OSError:
            return False

    def free(self) -> int:
        """Bytes that the file system has free (OSError)."""
        return shutil.disk_usage(self.folder).free

    def size(self) -> int:
        """Bytes of the database, its log, the kept model and the kept pictures (OutputError)."""
        files = [self.folder / name for name in FILES[:2]]
        files += (self.folder / last_good.FOLDER).glob("*")
        kept = sum(bytes_ for _, bytes_ in self.kept_pictures())
        return kept + sum(map(_bytes, files))

    def _anchor(self, sequence: int, boot: str) -> Stamp | None:
        return self._anchors.after(self._database, boot, sequence)

    def _names(self, where: str, values: tuple[int, ...] = ()) -> list[tuple[str, str]]:
        """Uuid and role of pictures; no uuid for those of a damaged row."""
        return self._asked(
            f"SELECT uuid, role FROM pictures JOIN events USING (sequence) WHERE {where}",
            values,
        )

    def _asked(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """All rows (OutputError if they cannot be read)."""
        try:
            return list(self._database.execute(query, values))
        except sqlite3.Error as error:
            raise OutputError(f"{self.folder}: cannot be read ({error})") from None


def _bytes(file: Path) -> int:
    """None of a file that is not there, or no longer: another thread changes the kept model."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
