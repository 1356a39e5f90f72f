"""A followed folder that is watched beside other cameras."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.capture.follow import FollowedFolder
from corrosion_edge.device.capture.state import CameraState, Observer
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.sources.source import WAIT_STEP, PhotoError, Source
from corrosion_edge.frame import Frame

__all__ = ["Beside"]

_GIVE_UP: Final = 2.0  # seconds that the thread gets to finish; a share may hang


class Beside(Source):
    """The pictures of a followed folder, none dropped, which a thread of its own looks for.

    So a share that hangs, or a folder of many files, costs the others nothing. ``make`` makes the
    folder, given what it is to tell; ``observe`` is told by the thread that polls. ``bell`` rings
    when it is worth asking. The thread starts with the first ``poll``.
    """

    def __init__(
        self,
        make: Callable[[Observer], FollowedFolder],
        bell: Bell,
        observe: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = make(self._note)
        self.name = self._folder.name
        self._bell, self._observe, self._clock = bell, observe, clock
        self._states: deque[CameraState] = deque()
        self._waiting: queue.Queue[tuple[Frame | BaseException, list[Taken]]] = queue.Queue(1)
        self._back: Frame | None = None
        self._due = 0.0
        self._taken: tuple[str, list[Taken]] = "", []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reads {self.name}", daemon=True)
        self._started = False

    def poll(self) -> Frame | None:
        """The next picture, or None at once; PhotoError for one that cannot be read."""
        self._start()
        while self._states:
            state = self._states.popleft()
            if self._observe is not None:
                self._observe(state)
        if self._back is not None:
            return self._due_again()
        try:
            found, taken = self._waiting.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, Frame):
            self._taken = found.name, taken
            return found
        if isinstance(found, PhotoError):
            self._taken = found.name, taken
        raise found

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        while not self._stopping.is_set():
            heard = self._bell.rings
            if (frame := self.poll()) is not None:
                return frame
            self._bell.wait(heard, min(self.due_in(), WAIT_STEP))
            self.on_wait()
        return None

    def put_back(self, frame: Frame, seconds: float) -> bool:
        """See ``Source.put_back``."""
        self._back, self._due = frame, self._clock() + seconds
        return True

    def due_in(self) -> float:
        """Seconds until ``poll`` may have something to do though the bell did not ring."""
        return WAIT_STEP if self._back is None else max(0.001, self._due - self._clock())

    def pass_over(self, taken: Iterable[Taken]) -> None:
        """Before the first poll, see ``FollowedFolder.pass_over``."""
        self._folder.pass_over(taken)

    def taken(self, name: str) -> list[Taken]:
        """What is to be remembered of the last picture, called ``name``."""
        last, taken = self._taken
        return taken if last == name else []

    def stop(self) -> None:
        """Ask the thread to end, without waiting; ``close`` waits."""
        self._stopping.set()
        self._folder.close()

    def close(self) -> None:
        """See ``Source.close``; a look that hangs is left to its thread after two seconds."""
        self.stop()
        end = self._clock() + _GIVE_UP
        while self._started and self._thread.is_alive() and self._clock() < end:
            if not self._waiting.empty():
                self._waiting.get()
            self._thread.join(0.05)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._thread.start()

    def _due_again(self) -> Frame | None:
        if self._clock() < self._due:
            return None
        frame, self._back = self._back, None
        return frame

    def _note(self, state: CameraState) -> None:
        self._states.append(state)
        self._bell.ring()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                found: Frame | BaseException | None = self._folder.read()
            except BaseException as error:  # the consumer must learn of any end
                found = error
            if found is None:
                return
            named = found.name if isinstance(found, Frame | PhotoError) else ""
            # Asked here, as the next look may forget a file that left meanwhile.
            self._waiting.put((found, self._folder.taken(named) if named else []))
            self._bell.ring()
            if not named:
                return
