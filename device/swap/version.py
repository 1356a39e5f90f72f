"""Whether a file is another than before, and whether whoever writes it is done."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settling", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """What stat(2) says of a file, links followed: one that was written or renamed is another.

    The inode's change time ``ctime_ns`` cannot be set by a program, so that also ``cp -p`` and
    ``rsync --times`` are seen.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Version | None":
        """The file's version now; None if there is none, or nobody may look."""
        try:
            found = path.stat()
        except OSError:
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Settling:
    """Tells when a file that changed is quiet; polled by one thread."""

    def __init__(self, handled: Version | None) -> None:
        self._handled = self._last = handled
        self._since = 0.0

    def due(self, now: Version | None, seconds: float) -> bool:
        """Whether this version was not handled, and is the same as at the poll before."""
        same = now == self._last
        if not same:
            self._last, self._since = now, seconds
        return same and now != self._handled

    def quiet_for(self, seconds: float) -> float:
        """How long the last version has been the same, in seconds."""
        return seconds - self._since

    def handled(self, version: Version | None) -> None:
        """Nothing more is to be done about this version."""
        self._handled = version

    def again(self) -> None:
        """Handle the version that is there once more."""
        self._handled = Version(0, 0, -1, 0, 0)
