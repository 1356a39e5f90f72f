"""A camera that may hang, freeze or vanish, and comes back."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.capture.patience import Backoff, Patience
from corrosion_edge.device.capture.reader import Reader
from corrosion_edge.device.capture.state import CameraState, Observer, in_words
from corrosion_edge.device.capture.stillness import Stillness
from corrosion_edge.device.sources.source import WAIT_STEP, Source
from corrosion_edge.errors import NoSuchSource, SourceError, SourceLost
from corrosion_edge.frame import Frame

__all__ = ["MOST_ABANDONED", "Supervised"]

MOST_ABANDONED: Final = 4
"""Threads of one camera that may hang in its driver; with more, it is not opened again."""

_CLOSE_WITHIN: Final = 2.0  # seconds that a reader gets to finish


class Supervised(Source):
    """The newest frame of a live source, which is opened again when it fails.

    ``first`` is the open source, ``again`` opens it anew. A thread of its own reads; this
    object, used from one thread, looks after it whenever it is asked for a frame. A read that
    hangs is left alone in its thread, or freed where the driver allows. Without ``again``, and
    before the first frame ever came, a failure is raised instead.

    With None as ``first`` it is awaited: ``again`` is called at once, in that thread, and a
    source that cannot be opened, or fails before its first frame, is one that was lost;
    NoSuchSource and what is no SourceError are raised. Until it comes it is ``called`` so.

    ``observe`` is told every change of state. ``bell`` rings when it is worth asking again.
    """

    live = True

    def __init__(
        self,
        first: Source | None,
        again: Callable[[], Source] | None = None,
        *,
        name: str = "",
        called: str = "",
        patience: Patience | None = None,
        backoff: Backoff | None = None,
        observe: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
        bell: Bell | None = None,
    ) -> None:
        self.name, self.paced = (first.name, first.paced) if first else (called, False)
        self.camera = name or self.name
        self.bell = bell or Bell()
        self._again, self._awaited = again, first is None
        self._patience = patience or Patience()
        self._backoff = backoff or Backoff()
        self._observe = observe
        self._clock = clock
        self._still = Stillness(clock)
        self._abandoned: list[Reader] = []
        self._frames = self._dropped = self._failures = self._index = self._base = 0
        self._state = CameraState(self.camera, "starting", "open", datetime.now(UTC))
        self._error: BaseException | None = None
        self._due = self._came = self._seen = clock()
        self._closed = False
        make = again if first is None else lambda: first
        assert make is not None, "expected an open source, or what opens it"
        self._reader: Reader | None = self._started(make)

    @property
    def dropped(self) -> int:  # type: ignore[override]
        """Frames that a newer one replaced, and those withheld because they are frozen."""
        return self._dropped + (self._reader.replaced if self._reader else 0)

    @property
    def state(self) -> CameraState:
        """The state it is in, with the counts of now."""
        return replace(self._state, **self._counts())

    def read(self) -> Frame:
        """The newest frame that was not read yet; waits for it, however long the camera is away.

        Raises SourceLost, naming the source, where it is not opened again.
        """
        while True:
            heard = self.bell.rings
            frame = self.poll()
            if frame is not None:
                return frame
            self.bell.wait(heard, min(self.due_in(), WAIT_STEP))
            self.on_wait()

    def poll(self) -> Frame | None:
        """The newest frame, or None at once; also gives up, opens again, and tells of it."""
        if self._closed:
            raise SourceLost(f"{self.name}: it is closed")
        reader = self._reader
        if reader is None:
            self._try_again()
            return None
        error = reader.error  # before the frame: the last frame comes before the end
        frame = reader.take()
        if frame is not None:
            return self._judged(frame, reader.progress)
        if error is not None:
            self._fail("lost", error)
        else:
            self._look_at_the_clock(reader)
        return None

    def due_in(self) -> float:
        """Seconds until ``poll`` may have something to do though the bell did not ring."""
        now, reader = self._clock(), self._reader
        if reader is None:
            return max(0.05, self._due - now)
        waited = now - reader.progress
        limits = reader.limits(self._patience)
        return max(0.001, min([at - waited for at in limits if at > waited] or [0.0]))

    def stop(self) -> None:
        """Ask the reader to end, without waiting; ``close`` waits."""
        if self._reader is not None:
            self._reader.stop()

    def close(self) -> None:
        """Stop the reader, waiting for it no longer than two seconds."""
        if self._closed:
            return
        self._closed = True
        if self._reader is not None:
            self._reader.stop()
            self._reader.join(_CLOSE_WITHIN)
            if self._reader.alive:
                self._reader.abandon()
        self._become("ended", "closed")

    def _started(self, make: Callable[[], Source]) -> Reader:
        return Reader(make, self.name, bell=self.bell, still=self._still, clock=self._clock)

    def _look_at_the_clock(self, reader: Reader) -> None:
        waited = self._clock() - reader.progress
        late_after, limit = reader.limits(self._patience)
        if waited >= limit:
            doing = "no frame" if reader.opened else "no answer to its opening"
            advice = "check the camera's cable or network"
            reader.abandon()
            self._fail("lost", SourceLost(f"{self.name}: {doing} for {limit:g} s; {advice}"))
        elif self._state.state == "running" and waited >= late_after:
            self._become("degraded", f"no frame for {waited:.1f} s")

    def _judged(self, frame: Frame, came: float) -> Frame | None:
        if self._still.seconds() >= self._patience.frozen_after:
            limit = f"{self._patience.frozen_after:g} s"
            self._dropped += 1
            self._fail("frozen", SourceLost(f"{self.name}: frozen, the same picture for {limit}"))
            return None
        if self._state.state == "frozen" and not self._still.moved:
            self._dropped += 1
            return None
        self._welcome(came)
        self._seen = came
        self._frames += 1
        self._index = self._base + frame.index
        return replace(frame, index=self._index) if self._base else frame

    def _welcome(self, came: float) -> None:
        now = self._clock()
        if self._state.state != "running":
            self._came = now
            self._become("running", self._coming(came))
        elif now - self._came >= self._patience.steady_after:
            self._backoff.reset()

    def _coming(self, came: float) -> str:
        """How long none came, and from where they come if that is another source."""
        said = "frames come again" if self._frames else "frames come"
        if self._state.state != "starting":
            said += f" after {came - self._seen:.1f} s"
        if self._reader is not None:
            self.paced = self._reader.paced
            if self._reader.name != self.name:
                self.name = self._reader.name
                said += f", now from {self.name}"
        return said

    def _fail(self, state: str, error: BaseException) -> None:
        """Give the reader up; raise the error where it is nobody's to try again."""
        self._retire()
        self._failures += 1
        self._become(state, in_words(error, self.name))
        if self._is_final(error):
            self._again, self._error = None, error
            raise error
        self._due = self._clock() + self._backoff.pause()

    def _is_final(self, error: BaseException) -> bool:
        """Whether it is nobody's to try again."""
        if self._again is None or not isinstance(error, Exception):
            return True
        hopeless = isinstance(error, NoSuchSource) or not isinstance(error, SourceError)
        return not self._frames and (hopeless or not self._awaited)

    def _retire(self) -> None:
        reader, self._reader = self._reader, None
        if reader is None:
            return
        self._dropped += reader.replaced
        self._base = self._index + 1 if self._frames else 0
        reader.stop()
        self._abandoned.append(reader)

    def _try_again(self) -> None:
        if self._error is not None:
            raise self._error
        self._abandoned = [reader for reader in self._abandoned if reader.alive]
        if self._clock() < self._due:
            return
        for reader in self._abandoned:
            reader.abandon()
        if len(self._abandoned) >= MOST_ABANDONED:
            self._due = self._clock() + self._backoff.pause()
            hang = f"{MOST_ABANDONED} reads hang in the driver; unplug the camera or restart"
            self._become("lost", hang)
            return
        self._still.restart()
        if self._again is not None:
            self._reader = self._started(self._again)

    def _become(self, state: str, reason: str) -> None:
        before = self._state
        if (state, reason) == (before.state, before.reason):
            return
        now = datetime.now(UTC)
        self._state = CameraState(self.camera, state, reason, now, before.state, **self._counts())
        if self._observe is not None:
            self._observe(self._state)

    def _counts(self) -> dict[str, Any]:
        hang = sum(reader.alive for reader in self._abandoned)
        counts = {"frames": self._frames, "dropped": self.dropped, "failures": self._failures}
        return {**counts, "abandoned": hang}
