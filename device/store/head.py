"""The head of a chain as it is noted elsewhere: number and hash of the newest event."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from corrosion_edge import output
from corrosion_edge.errors import OutputError, UsageError

__all__ = ["Head", "HeadFile"]

_LONGEST: Final = 100  # bytes of a head file

_NOTED: Final = re.compile(r"\s*(?:(\d{1,18})\s+)?([0-9a-fA-F]{64})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """Hash in hex, lower case, and number, None where only the hash was noted."""

    hash: str
    sequence: int | None = None

    @classmethod
    def of(cls, text: str) -> "Head":
        """As ``HASH``, or as a head file has it, ``NUMBER HASH`` (UsageError)."""
        found = _NOTED.fullmatch(text)
        if found is None:
            raise UsageError(
                "--expect: expected a hash of 64 hex digits, or the content of a head file "
                f"(number and hash), got {text[:80]!r}"
            )
        number, digits = found.groups()
        return cls(digits.lower(), None if number is None else int(number))


class HeadFile:
    """The file of ``--head-file``, which always has the newest head (UsageError if it cannot)."""

    def __init__(self, path: Path, store: Path) -> None:
        self.path = path
        if path.resolve().is_relative_to(store.resolve()):
            raise UsageError(f"--head-file {path}: lies inside the store, where who changes the "
                             "store changes it too; name a file elsewhere")  # fmt: skip
        if not path.parent.is_dir():
            raise UsageError(f"--head-file {path}: there is no folder {path.parent}; make it first")
        self.noted = self._read()
        if not os.access(path.parent, os.W_OK):
            raise UsageError(f"--head-file {path}: the folder {path.parent} cannot be written")

    def _read(self) -> Head | None:
        """What is noted, None for a new or empty file."""
        refused = UsageError(f"--head-file {self.path}: is there and is no head file; it would be "
                             "overwritten: name another file")  # fmt: skip
        if not (self.path.exists() or self.path.is_symlink()):
            return None
        if not self.path.is_file():
            raise refused
        try:
            with self.path.open("rb") as stream:
                text = stream.read(_LONGEST + 1).decode("ascii")
            return Head.of(text) if text.strip() else None
        except OSError as error:
            raise UsageError(
                f"--head-file {self.path}: cannot be read ({error.strerror})"
            ) from None
        except ValueError:
            raise refused from None

    def keep(self) -> Path:
        """Keep what is noted in a file beside it, named by the time; that (OutputError)."""
        kept = self.path.with_name(f"{self.path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
        try:
            return self.path.rename(kept)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be kept ({error.strerror})") from None

    def write(self, sequence: int, linked: str) -> None:
        """Note a head (OutputError)."""
        output.write(self.path, f"{sequence} {linked}\n")
