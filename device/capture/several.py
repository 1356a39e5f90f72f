"""Several cameras that share one interpreter."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.capture.beside import Beside
from corrosion_edge.device.capture.shares import Shares
from corrosion_edge.device.capture.supervised import Supervised
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.naming import split
from corrosion_edge.device.sources.source import WAIT_STEP, PhotoError, Source, nobody
from corrosion_edge.errors import UsageError
from corrosion_edge.frame import Frame

__all__ = ["Several", "named", "open_several"]


class Several(Source):
    """The newest frames of live cameras in turn, each frame with its camera's name.

    And every picture of followed folders: these are kept back until they are due.

    Of those with a new frame the one comes first that had least of the interpreter's time of late:
    that from the delivery of its frame to the next read. So neither a fast camera nor one of many
    tiles keeps the others from it, and one that is away costs them nothing. A frame is never
    interrupted. Their ``bell`` must be the same. An error of a camera that is not opened again
    passes through.
    """

    live = True

    def __init__(
        self,
        cameras: Mapping[str, Supervised | Beside],
        bell: Bell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not cameras:
            raise UsageError("cameras: expected one or more")
        self.name = ", ".join(f"{name}={camera.name}" for name, camera in cameras.items())
        self._cameras = dict(cameras)
        self._shares = Shares(tuple(cameras), clock)
        self._bell = bell
        self._last = ""
        self.on_idle: Callable[[], None] = nobody

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """The sum of all cameras."""
        return sum(camera.dropped for camera in self._cameras.values())

    @property
    def paced(self) -> bool:  # type: ignore[override]
        """Whether all cameras keep their rate."""
        return all(camera.paced for camera in self._cameras.values())

    def dropped_by_camera(self) -> dict[str, int]:
        """See ``Source.dropped_by_camera``."""
        return {name: camera.dropped for name, camera in self._cameras.items()}

    def read(self) -> Frame:
        """The next frame; waits until any camera has one."""
        self._shares.end()
        while True:
            heard = self._bell.rings
            frame = self._polled()
            if frame is not None:
                return frame
            due = min(camera.due_in() for camera in self._cameras.values())
            self._bell.wait(heard, min(due, WAIT_STEP))
            self.on_wait()
            self.on_idle()

    def put_back(self, frame: Frame, seconds: float) -> bool:
        """See ``Source.put_back``: only a folder's are kept."""
        return self._cameras[frame.camera].put_back(frame, seconds)

    def pass_over(self, taken: Iterable[Taken]) -> None:
        """Before the first read, see ``FollowedFolder.pass_over``."""
        known = list(taken)
        for folder in self._folders():
            folder.pass_over(known)

    def taken(self, name: str) -> list[Taken]:
        """What is to be remembered of the last picture, if it is a folder's, called ``name``."""
        last = self._cameras.get(self._last)
        return last.taken(name) if isinstance(last, Beside) else []

    def keeps_rate(self, camera: str) -> bool:
        """See ``Source.keeps_rate``."""
        return self._cameras[camera].paced

    def close(self) -> None:
        """Stop all readers, then wait for each no longer than two seconds."""
        for camera in self._cameras.values():
            camera.stop()
        for camera in self._cameras.values():
            camera.close()

    def _folders(self) -> list[Beside]:
        return [camera for camera in self._cameras.values() if isinstance(camera, Beside)]

    def _polled(self) -> Frame | None:
        for name in self._shares.order():
            try:
                frame = self._cameras[name].poll()
            except PhotoError as error:
                self._had_its_turn(name)
                raise PhotoError(str(error), error.name, error.index, name) from None
            if frame is not None:
                self._had_its_turn(name)
                return replace(frame, camera=name)
        return None

    def _had_its_turn(self, name: str) -> None:
        self._last = name
        self._shares.begin(name)


def named(specs: Iterable[str]) -> dict[str, str]:
    """``NAME=SOURCE`` each, as a mapping; a single source without a name gets the name ''.

    A name has letters, digits, ``-`` and ``_``, up to 32; a file that is called so goes before.
    Raises UsageError for several without names, or one name twice.
    """
    found: dict[str, str] = {}
    for spec in specs:
        name, source = ("", spec) if _is_path(spec) else split(spec)
        if name in found:
            wrong = f"the name {name} stands twice" if name else "several need names"
            raise UsageError(f"--camera {spec}: {wrong}; write --camera NAME=SOURCE for each")
        found[name] = source
    if "" in found and len(found) > 1:
        raise UsageError(f"--camera {found['']}: several need names; write NAME=SOURCE for each")
    return found


def open_several(
    sources: Mapping[str, str], open_one: Callable[[str, str, Bell], Source]
) -> Source:
    """Open named cameras with ``open_one`` (source, name, bell); all, or none of them.

    Raises UsageError for what is neither live nor followed, and whatever ``open_one`` raises.
    """
    bell = Bell()
    with ExitStack() as opened:
        cameras: dict[str, Supervised | Beside] = {}
        for name, spec in sources.items():
            source = opened.enter_context(open_one(spec, name, bell))
            if not isinstance(source, Supervised | Beside):
                raise UsageError(
                    f"--camera {name}={source.name}: only live cameras have names and go "
                    "together, and folders with --follow; watch a file or the demo alone"
                )
            cameras[name] = source
        several = Several(cameras, bell)
        opened.pop_all()
    return several


def _is_path(spec: str) -> bool:
    try:
        return Path(spec).exists()
    except (OSError, ValueError):
        return False
