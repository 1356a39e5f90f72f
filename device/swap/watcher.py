"""Looks after the model's file in a thread of its own, and has what is there examined."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from corrosion_edge.bundle import Bundle
from corrosion_edge.closing import Closing
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.store.last_good import LastGood
from corrosion_edge.device.swap.candidate import Candidate, Loading, Refusal
from corrosion_edge.device.swap.version import Settling, Version

__all__ = ["PATIENCE", "POLL", "ModelWatch"]

POLL: Final = 2.0
"""Seconds between two looks. By stat and not by the kernel's notices (inotify): those do not come
from network shares, watch a name only through its folder, and need a package; a stat takes
microseconds, and nobody waits for a model by the second."""

PATIENCE: Final = 10.0
"""Seconds for which a file that is not whole has to be quiet before it is refused."""

_LOOK, _AGAIN, _END = "look", "again", "end"
_FIRST_TRY, _LAST_TRY = 30.0, 300.0  # seconds before a model is tried whose accelerator is away
_OFFERS: Final = 100  # that wait for a judging thread that is stuck; the oldest ones are dropped
_ENDING: Final = 10.0  # seconds for an examination that is under way


class ModelWatch(Closing):
    """Examines each version of the file once it is quiet, and offers what came of it.

    ``running`` is the bundle in use; ``seen`` the version of the file at the start, ``refused`` why
    that does not run. ``last_good`` is where what was found good is kept. There are
    never more than two interpreters: a candidate that waits is closed before the next is opened.
    One that was refused as its accelerator is away is tried again: when it is told to, and, where
    the running model uses none that could come back, each 30 s to 5 minutes.
    The thread keeps its priority: an interpreter's own threads inherit it for good.
    """

    def __init__(
        self,
        loading: Loading,
        running: Bundle,
        seen: Version | None,
        last_good: LastGood | None = None,
        refused: Refusal | None = None,
        *,
        poll: float = POLL,
        patience: float = PATIENCE,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loading = loading
        self._running = running
        self._last_good = last_good
        self._settling = Settling(seen)
        self._poll, self._patience, self._clock = poll, patience, clock
        self._offers: deque[Candidate | Refusal] = deque(maxlen=_OFFERS)
        self._told = refused
        self._backoff = backoff or Backoff(_FIRST_TRY, _LAST_TRY)
        self._due = self._next_try(refused) if refused else math.inf
        self._lock = threading.Lock()
        self._orders: SimpleQueue[str] = SimpleQueue()  # safe to put into from a signal handler
        self._thread = threading.Thread(target=self._run, name="model watch", daemon=True)
        self._thread.start()

    def check_now(self) -> None:
        """Look at once, and once more at a file that was refused; never waits."""
        self._orders.put(_LOOK)

    def again(self) -> None:
        """Look once more at a file that was refused, as the accelerator is back; never waits.

        The same reason is not told again.
        """
        self._orders.put(_AGAIN)

    def take(self) -> Candidate | Refusal | None:
        """What came of the last examination, once; a candidate is the caller's from here on."""
        if not self._offers:  # looked at before every frame: without the lock
            return None
        with self._lock:
            offer = self._offers.popleft() if self._offers else None
            if isinstance(offer, Candidate):
                self._running = offer.classifier.bundle
            return offer

    def close(self) -> None:
        """End the thread, and close a candidate that nobody took."""
        self._orders.put(_END)
        self._thread.join(_ENDING)
        self._withdraw()

    def _run(self) -> None:
        while (order := self._order()) != _END:
            if order == _LOOK:
                self._told = None
            if order == _LOOK or (self._told and (order == _AGAIN or self._clock() >= self._due)):
                self._settling.again()
            self._look(at_once=order == _LOOK)

    def _order(self) -> str:
        try:
            return self._orders.get(timeout=self._poll)
        except Empty:
            return ""

    def _look(self, *, at_once: bool) -> None:
        version = Version.of(self._loading.file)
        if not self._settling.due(version, self._clock()) and not at_once:
            return
        self._withdraw()
        outcome = self._missing() if version is None else self._loading.examined()
        # What changed meanwhile is examined anew; what may be half a file gets its time.
        coming = not at_once and self._still_coming(outcome)
        if Version.of(self._loading.file) != version or coming:
            _close(outcome)
            return
        self._settling.handled(version)
        self._give(outcome)

    def _still_coming(self, outcome: Candidate | Refusal) -> bool:
        if isinstance(outcome, Candidate) or outcome.whole:
            return False
        return self._settling.quiet_for(self._clock()) < self._patience

    def _missing(self) -> Refusal:
        then = "without it a restart would fail"
        if self._last_good and self._last_good.is_kept:
            then = f"a restart would run the copy in {self._last_good.folder}"
        return Refusal(f"{self._loading.file} is gone; {then}")

    def _give(self, outcome: Candidate | Refusal) -> None:
        self._due = self._next_try(outcome)
        if isinstance(outcome, Candidate):
            self._told = None
            self._offer(outcome)
        elif outcome != self._told:
            self._told = outcome
            with self._lock:
                self._offers.append(outcome)

    def _offer(self, candidate: Candidate) -> None:
        keep = self._last_good
        if candidate.classifier.bundle == self._running:  # nothing is offered that could change it
            if keep:
                keep.accept(candidate.content)
            _close(candidate)
            return
        if keep:
            keep.prepare(candidate.content)
        with self._lock:
            self._offers.append(candidate)

    def _next_try(self, outcome: Candidate | Refusal) -> float:
        """When to try again by ourselves; never where the running model's accelerator tells."""
        if isinstance(outcome, Candidate) or not outcome.away:
            self._backoff.reset()
            return math.inf
        uses_one = self._running.manifest.compiled is not None
        return math.inf if uses_one else self._clock() + self._backoff.pause()

    def _withdraw(self) -> None:
        """Close a candidate that was not taken: the file is another by now."""
        with self._lock:
            stale = [offer for offer in self._offers if isinstance(offer, Candidate)]
            for candidate in stale:
                self._offers.remove(candidate)
        for candidate in stale:
            _close(candidate)


def _close(outcome: Candidate | Refusal | None) -> None:
    if isinstance(outcome, Candidate):
        with suppress(Exception):
            outcome.classifier.close()
