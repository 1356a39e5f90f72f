"""An accelerator that may be lost: closed, tried again from time to time, or stood in for."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.probe import Outcome
from corrosion_edge.device.accelerator.reviving import Polled
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.accelerator.usb_reset import RESET
from corrosion_edge.device.backends import Backend, Output
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.errors import BackendAway, BackendError

__all__ = ["HOPELESS", "Recovering"]

HOPELESS: Final = 3
"""Times in a row that the accelerator works in a new process and not in this one."""

_STEADY: Final = 30.0  # seconds after which the next failure counts as a first one


class Recovering(Closing):
    """A backend whose accelerator may fail, and is opened again, each time after a ``probe``.

    ``first`` is the open accelerator, or why it could not be opened. ``probe`` begins a try, from
    the second one after a failure on with True: then the device is reset before it. ``reopen``
    opens and checks it anew; ``spare`` opens what may answer meanwhile, None if nothing may. While
    nothing can answer, ``run`` raises BackendAway. All belongs to one thread, and nothing but
    ``reopen`` and the run itself takes long: both are this process's own, so if they hang, it has
    to be restarted from outside.
    """

    def __init__(
        self,
        name: str,
        first: Backend | str,
        *,
        reopen: Callable[[], Backend],
        probe: Callable[[bool], Polled],
        spare: Callable[[], Backend] | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accelerator = name
        self._reopen, self._probe, self._open_spare = reopen, probe, spare
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._active: Backend | None = None
        self._spare: Backend | None = None
        self._trial: Polled | None = None
        self._news: deque[AcceleratorState] = deque()
        self._due = self._since = clock()
        self._failures = self._tries = self._hopeless = 0
        self._reason = self._cause = ""
        self._noted: set[str] = set()
        self._ran = False
        self.name = ""
        self.state: AcceleratorState | None = None
        """The last state, None before the first; any thread may look."""
        if isinstance(first, str):
            self._lose(first)
        else:
            self._active, self.name = first, first.name

    def run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Output]:
        """See ``Backend.run``; BackendAway while nothing can answer."""
        self._ran = True
        self._advance()
        if self._active is not None:
            try:
                return self._active.run(pixels)
            except BackendError as error:
                self._lose(str(error))
        if self._spare is None:
            raise BackendAway(f"{self.accelerator}: {self._reason}")
        return self._spare.run(pixels)

    def news(self) -> AcceleratorState | None:
        """What became of it, each state once; also drives the tries while no frame comes.

        After a run it first tells no more than that brought: what answered is told before what
        answers from then on.
        """
        ran, self._ran = self._ran, False
        if not (ran or self._news):
            self._advance()
        if not self._news:
            return None
        self._ran = ran
        return self._news.popleft()

    def close(self) -> None:
        """Close all that is open, and end a try that is under way."""
        for each in (self._trial, self._active, self._spare):
            if each is not None:
                each.close()
        self._trial = self._active = self._spare = None

    def _advance(self) -> None:
        if self._active is not None:
            if self._clock() - self._since > _STEADY:
                self._backoff.reset()
            return
        if self._trial is None:
            if self._clock() >= self._due:
                self._trial = self._probe(self._tries > 0)
            return
        outcome = self._trial.poll()
        if outcome is not None:
            self._trial.close()
            self._trial = None
            self._tries += 1
            self._after(outcome)

    def _after(self, outcome: Outcome) -> None:
        if not outcome.works:
            self._hopeless = 0
            self._again(outcome.sentence, outcome.note)
            return
        try:
            self._recover(self._reopen(), outcome.note)
        except BackendError as error:
            self._hopeless += 1
            if self._hopeless >= HOPELESS:
                raise BackendError(
                    f"{self.accelerator}: a new process can use it, this one cannot any more "
                    f"({error}); start it anew"
                ) from None
            self._again(str(error), outcome.note)

    def _lose(self, reason: str) -> None:
        active, self._active = self._active, None
        self._failures += 1
        self._tries = self._hopeless = 0
        self._reason = self._cause = reason
        self._noted.discard(RESET)  # told anew of each failure; what keeps from it, once
        if active is not None:
            active.close()
        self._due = self._clock() + self._backoff.pause()
        self._stand_in()
        self._tell()

    def _stand_in(self) -> None:
        if self._open_spare is None or self._spare is not None:
            return
        try:
            self._spare = self._open_spare()
        except BackendError as error:
            self._reason += f"; and what was to stand in failed ({error})"

    def _again(self, cause: str, note: str) -> None:
        """Try later; another reason than the last is told too, and a note that is new."""
        self._due = self._clock() + self._backoff.pause()
        fresh = {note} - self._noted - {""}
        if cause != self._cause or fresh:
            self._cause, self._reason = cause, "; ".join([cause, *fresh])
            self._noted |= fresh
            self._tell()

    def _recover(self, backend: Backend, note: str) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()
        self._active, self._since, self._hopeless = backend, self._clock(), 0
        tries = "1 try" if self._tries == 1 else f"{self._tries} tries"
        done = [note] if note == RESET else []
        self._reason = "; ".join([f"it works again, after {tries}", *done])
        self._tell()

    def _tell(self) -> None:
        answers = self._active or self._spare
        state = "recovered" if self._active else "replaced" if self._spare else "lost"
        backend = answers.name if answers else ""
        self.state = AcceleratorState(
            self.accelerator, state, self._reason, datetime.now(UTC), backend,
            self._failures, self._tries,
        )  # fmt: skip
        self.name = self.state.answering
        self._news.append(self.state)
