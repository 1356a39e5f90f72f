"""A folder into which pictures are dropped: those that are there, then each new one."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from corrosion_edge import image
from corrosion_edge.device.capture.state import CameraState, Observer
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.sources.source import PhotoError, Source, nobody
from corrosion_edge.errors import ImageError, NoSuchSource, SourceError
from corrosion_edge.frame import Frame
from corrosion_edge.photos import find_photos

__all__ = ["FollowedFolder"]

_SETTLE: Final = 1.0  # seconds without a change after which a file counts as written
_GIVE_UP: Final = 10.0  # seconds without a change after which one that cannot be read is broken
_LOOK: Final = 0.5  # seconds between two looks; more where a look takes long
_SHARE: Final = 10  # a look may take this part of the time


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was at a look; ``since`` is when it was first seen so."""

    size: int
    changed_ns: int
    since: float
    done: bool = False


class FollowedFolder(Source):
    """The photos in and below a folder, in the order of their last change, and it never ends.

    A file gets its turn once it has not changed for a second, or was last changed ten seconds
    ago; one that cannot be read then is tried again for ten seconds, for its writer may pause. A
    file written anew is a new picture. The folder may be empty; while it is gone (a share, a
    stick) it is waited for, which ``observe`` is told, of the ``camera`` or else of the folder.
    Raises SourceError where there is no folder at the start, unless it is ``awaited``; then also
    a share that is mounted over it, before a photo was seen, is taken for it.

    The folder is looked through twice a second, less often where that takes long: notification
    by the kernel does not reach over network shares.
    """

    def __init__(
        self,
        path: Path,
        *,
        camera: str = "",
        awaited: bool = False,
        observe: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        _require_folder(path, awaited)
        self.name = f"{path} (followed)"
        self._path, self._observe, self._camera = path, observe, camera or str(path)
        self._clock, self._sleep, self._wall = clock, sleep, wall
        self._awaited = awaited
        self._device = _device_of(path)
        self._gone = False
        self._files: dict[Path, _File] = {}
        self._ready: list[Path] = []
        self._known: dict[str, tuple[int, int]] = {}
        self.on_idle: Callable[[], None] = nobody
        self._look_at = clock()
        self._index = 0
        self._closed = False

    def read(self) -> Frame | None:
        """The next picture, however long it takes to come; None after the close."""
        while not self._closed:
            frame = self._next()
            if frame is not None:
                return frame
            self._sleep(max(0.0, self._look_at - self._clock()))
            self.on_wait()
            self.on_idle()
            self._look()
        return None

    def pass_over(self, taken: Iterable[Taken]) -> None:
        """Before the first read: these files had their turn already, if they are still the same."""
        self._known = {file.path: (file.size, file.changed_ns) for file in taken}

    def taken(self, name: str) -> list[Taken]:
        """The file of the last frame, called ``name``, and those known before that left since."""
        file = self._files[Path(name)]
        here = self._path.absolute()
        present = {str(path.absolute()) for path in self._files}
        gone = [path for path in self._known
                if path not in present and Path(path).is_relative_to(here)]  # fmt: skip
        for path in gone:
            del self._known[path]
        path = str(Path(name).absolute())
        self._known[path] = (file.size, file.changed_ns)
        return [Taken(path, file.size, file.changed_ns), *(Taken(p, gone=True) for p in gone)]

    def close(self) -> None:
        """See ``Source.close``."""
        self._closed = True

    def _next(self) -> Frame | None:
        while self._ready:
            path = self._ready.pop(0)
            try:
                pixels = image.read(path)
            except ImageError as error:
                if self._is_broken(path):
                    self._finish(path)
                    self._index += 1
                    raise PhotoError(str(error), str(path), self._index - 1) from None
                continue
            self._finish(path)
            self._index += 1
            return Frame.now(pixels, self._index - 1, str(path))
        return None

    def _finish(self, path: Path) -> None:
        self._files[path] = replace(self._files[path], done=True)

    def _is_broken(self, path: Path) -> bool:
        return path.exists() and self._clock() - self._files[path].since >= _GIVE_UP

    def _look(self) -> None:
        start = self._clock()
        if self._is_there():
            self._files = {path: seen for path in find_photos(self._path).photos
                           if (seen := self._seen(path))}  # fmt: skip
            ready = (path for path, file in self._files.items() if self._is_written(file))
            self._ready = sorted(ready, key=lambda path: (self._files[path].changed_ns, path))
        took = self._clock() - start
        self._look_at = start + max(_LOOK, _SHARE * took)

    def _is_there(self) -> bool:
        """Whether it is the same folder as at the start, and not the place of what is unmounted."""
        device = _device_of(self._path)
        if self._device is None or (self._awaited and not self._index and not self._files):
            self._device = device or self._device
        there = device is not None and device == self._device
        if there == self._gone:
            self._gone = not there
            self._tell(there)
        return there

    def _tell(self, there: bool) -> None:
        state, before = ("running", "lost") if there else ("lost", "running")
        gone = "there is no such folder yet" if self._device is None else "the folder is gone"
        reason = "the folder is there" if there else f"{gone}; it is waited for"
        if self._observe is not None:
            now = datetime.now(UTC)
            self._observe(CameraState(self._camera, state, reason, now, before, self._index))

    def _seen(self, path: Path) -> _File | None:
        try:
            facts = path.stat()
        except OSError:  # it left meanwhile
            return None
        known = self._files.get(path)
        if known and (known.size, known.changed_ns) == (facts.st_size, facts.st_mtime_ns):
            return known
        now = facts.st_size, facts.st_mtime_ns
        done = known is None and self._known.get(str(path.absolute())) == now
        return _File(*now, self._clock(), done)

    def _is_written(self, file: _File) -> bool:
        settled = self._clock() - file.since >= _SETTLE
        old = self._wall() - file.changed_ns / 1e9 >= _GIVE_UP
        return not file.done and (settled or old)


def _require_folder(path: Path, awaited: bool) -> None:
    """NoSuchSource for a file; SourceError where there is nothing yet and nobody waits for it."""
    if path.exists() and not path.is_dir():
        raise NoSuchSource(f"{path}: no folder; only a folder can be followed")
    if not awaited and not path.is_dir():
        raise SourceError(f"{path}: no folder; only a folder can be followed; to wait until it "
                          "comes, add --await-cameras")  # fmt: skip


def _device_of(folder: Path) -> int | None:
    """The number of the file system it lies on; None where there is no folder."""
    try:
        return folder.stat().st_dev if folder.is_dir() else None
    except OSError:
        return None
