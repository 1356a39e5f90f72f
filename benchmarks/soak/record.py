"""What a soak saw, a JSON object a line, so that nothing is lost if it is killed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.lines import json_line
from corrosion_edge.errors import DataError, OutputError

__all__ = ["RECORD", "Record", "read_record"]

RECORD: Final = "soak.jsonl"


class Record(Closing):
    """Writes lines to a new ``soak.jsonl`` in a folder; each has ``kind`` and ``s``, its second.

    OutputError if there is one already, or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / RECORD
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        except FileExistsError:
            why = "is there already; name another folder, or --judge it"
            raise OutputError(f"{path}: {why}") from None
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from None

    def add(self, kind: str, seconds: float, **fields: Any) -> None:
        """One line, in the file at once."""
        line = {"kind": kind, "s": round(seconds, 3), **fields}
        try:
            os.write(self._file, (json_line(line) + "\n").encode())
        except OSError as error:
            raise OutputError(f"{RECORD}: cannot be written ({error.strerror})") from None

    def close(self) -> None:
        """Give the file back."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def read_record(folder: Path) -> list[dict[str, Any]]:
    """The lines of a soak; a last one that is cut off is left out (DataError for no record)."""
    path = folder / RECORD
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        why = f"{path}: cannot be read ({error.strerror}); name a soak's folder"
        raise DataError(why) from None
    return list(_parsed(path, lines))


def _parsed(path: Path, lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines[:-1], 1):  # after the last newline nothing is whole
        try:
            found = json.loads(line)
        except ValueError:
            raise DataError(f"{path}:{number}: is no JSON; the file was changed") from None
        if not isinstance(found, dict) or not {"kind", "s"} <= found.keys():
            raise DataError(f"{path}:{number}: expected an object with kind and s")
        yield found
