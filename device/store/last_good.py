"""A copy of the model file that was accepted last, for a start at which the file is bad."""

import hashlib
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from corrosion_edge import output
from corrosion_edge.bundle import read_file
from corrosion_edge.errors import BundleError, OutputError

__all__ = ["FOLDER", "LastGood"]

FOLDER: Final = "model"
"""Its name in the store's folder."""

_INDEX: Final = "accepted.json"


class LastGood:
    """The content of the last accepted model file, in a ``store``'s folder, and where it stood.

    The content is written under its SHA-256 first, then the index that names it and ``file``; the
    copy before goes last. So a kill or power cut at any moment leaves the old or the new one whole.
    Nothing is written before ``begin``. ``warn`` is told what could not be written.
    """

    def __init__(self, store: Path, file: Path, warn: Callable[[str], None]) -> None:
        self.folder = store / FOLDER
        self._path = str(file.absolute())
        self._warn = warn
        self._begun = False
        self._written = ""
        self._lock = threading.Lock()

    def find(self) -> bytes | None:
        """The copy's content, None where there is none of this very path (BundleError: damaged)."""
        digest = self._accepted()
        if digest is None:
            return None
        content = read_file(self._place(digest))
        if _sha256(content) != digest:
            raise BundleError(f"{self._place(digest)}: damaged (SHA-256 differs)")
        return content

    @property
    def is_kept(self) -> bool:
        """Whether something of this path was accepted and kept."""
        return self._accepted() is not None

    def begin(self) -> None:
        """Allow writing: from here on this process alone writes to the store."""
        self._begun = True

    def prepare(self, content: bytes) -> None:
        """Write what may be accepted soon, so that ``accept`` is quick; it tells of errors."""
        if not self._begun:
            return
        with self._lock, suppress(OSError):
            self._write(content)

    def accept(self, content: bytes) -> None:
        """Keep this content durably instead of that before; once for each content and path."""
        if not self._begun:
            return
        digest = _sha256(content)
        with self._lock:
            try:
                if self._is_current(digest):
                    return
                self._write(content)
                told = {"path": self._path, "sha256": digest, "bytes": len(content)}
                output.write(self.folder / _INDEX, json.dumps(told) + "\n")
                _sync(self.folder)
                self._sweep(digest)
            except OSError as error:
                self._warn(f"the model file could not be kept ({_why(error)}); a start with a bad "
                           "one fails until the next good one is kept")  # fmt: skip

    def _is_current(self, digest: str) -> bool:
        try:
            return self._accepted() == digest and self.find() is not None
        except BundleError:
            return False

    def _write(self, content: bytes) -> None:
        digest = _sha256(content)
        if self._written == digest:
            return
        if not self.folder.is_dir():
            output.make_folder(self.folder)
            _sync(self.folder.parent)
        self._written = ""
        self._sweep(self._index().get("sha256", ""))  # there are never more than two
        output.write(self._place(digest), content)
        _sync(self.folder)
        self._written = digest

    def _sweep(self, digest: str) -> None:
        """Delete all but this copy, the prepared one, and the index."""
        kept = {_INDEX, self._place(digest).name, self._place(self._written).name}
        for file in self.folder.iterdir():
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def _accepted(self) -> str | None:
        found = self._index()
        return found.get("sha256") if found.get("path") == self._path else None

    def _index(self) -> dict[str, str]:
        """What the index says; nothing where there is none, or nobody can read it."""
        try:
            found = json.loads((self.folder / _INDEX).read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {key: found[key] for key in ("path", "sha256") if isinstance(found.get(key), str)}

    def _place(self, digest: str) -> Path:
        return self.folder / f"{Path(digest).name}.tflite"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sync(folder: Path) -> None:
    """Make new names in it durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _why(error: OSError) -> str:
    return str(error) if isinstance(error, OutputError) else f"{error.strerror or error}"
