"""A thread that delivers a store's events to one consumer, for as long as the watch runs."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.store.correction import Anchors
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.telling.backlog import Backlog
from corrosion_edge.device.telling.courier import NOW, Courier
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.sender import Later, NotYet, Sender
from corrosion_edge.device.telling.words import unexpected
from corrosion_edge.errors import CorrosionEdgeError

__all__ = ["DRAIN", "POLL", "Delivery"]

POLL: Final = 1.0
"""Seconds between two looks into the store; a look is one query by the primary key."""

DRAIN: Final = 4.0
"""Seconds that are left at the end for events that still get through."""

_LONGEST: Final = 300.0
_GIVE_UP: Final = 1.0


class Delivery(Closing):
    """Reads events behind the writer's back and hands them to a ``sender``, which it closes.

    Nothing here waits for the watch, nor the watch for it: what cannot be delivered stays in the
    store, and the next start goes on there.
    """

    def __init__(
        self,
        folder: Path,
        consumer: str,
        sender: Sender,
        *,
        begin: str = NOW,
        saying: Saying | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._consumer, self._sender = folder, consumer, sender
        self._begin, self._clock = begin, clock
        self._saying = saying or Saying(sender.name)
        self._backoff = backoff or Backoff(longest=_LONGEST)
        self._courier_now: Courier | None = None
        self._ending = threading.Event()
        self._grace = float("inf")
        self._thread = threading.Thread(target=self._run, name=f"delivers {consumer}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def backlog(self) -> Backlog:
        """How far it has got, and what holds it up; any thread may ask."""
        courier = self._courier_now
        reached = courier.place.sequence if courier else None
        return Backlog(self._consumer, self._sender.name, reached, *self._saying.trouble)

    def finish(self) -> None:
        """Ask for the end, which ``close`` waits for; a second call does nothing."""
        if not self._ending.is_set():
            self._grace = self._clock() + DRAIN
            self._ending.set()

    def close(self) -> None:
        """Deliver what still gets through at once, and end; waits some seconds at most."""
        self.finish()
        if self._thread.ident is not None:
            self._thread.join(max(self._grace - self._clock(), 0.0))
        self._sender.close()
        if self._thread.ident is not None:
            self._thread.join(_GIVE_UP)

    def _run(self) -> None:
        """Open what is needed and work; what the disk refuses now is tried again."""
        while True:
            try:
                with Ledger(self._folder) as ledger:
                    self._courier_now = self._courier(ledger)
                    self._work(self._courier_now)
                    return
            except Exception as error:
                self._saying.failed(_said(error))
            if self._ending.wait(self._backoff.pause()):
                return

    def _courier(self, ledger: Ledger) -> Courier:
        return Courier(
            self._consumer, _Looks(self._folder), ledger, self._sender,
            begin=self._begin, warn=self._saying.note, clock=self._clock,
        )  # fmt: skip

    def _work(self, courier: Courier) -> None:
        """Until the end is asked for, and then while events get through."""
        while self._clock() < self._grace:
            ending = self._ending.is_set()
            try:
                moved = courier.deliver_next()
            except Later as error:
                if not self._again(error):
                    return
                continue
            except Exception as error:  # of the disk, say: the place that was reached is kept
                if not self._again(Later(_said(error))):
                    return
                continue
            self._backoff.reset()
            self._saying.well()
            if not moved:
                if ending:
                    return
                self._ending.wait(POLL)

    def _again(self, error: Later) -> bool:
        """Wait for the next try; False if there is none, as the end was asked for."""
        self._saying.failed(str(error))
        pause = self._backoff.pause() if error.after is None else error.after
        if not self._ending.wait(pause):
            return True
        if isinstance(error, NotYet):
            time.sleep(min(pause, _GIVE_UP))
            return True
        return False


def _said(error: Exception) -> str:
    """Our own errors' sentences; the thread outlives all others too, and says what they were."""
    return str(error) if isinstance(error, CorrosionEdgeError) else unexpected(error)


class _Looks:
    """Opens the store for each look: who has it open all the time keeps its log from being merged.

    ``Courier`` is what calls it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._anchors = folder, Anchors()

    def after(self, sequence: int, most: int) -> list[Event]:
        """See ``Reader.after``."""
        with Reader(self._folder, self._anchors) as reader:
            return reader.after(sequence, most)

    def at(self, sequence: int) -> Event | None:
        """See ``Reader.at``."""
        with Reader(self._folder, self._anchors) as reader:
            return reader.at(sequence)

    def last(self, kind: str) -> int:
        """See ``Reader.last``."""
        with Reader(self._folder, self._anchors) as reader:
            return reader.last(kind)
