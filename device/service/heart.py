"""The pipeline's progress as systemd's pings, readiness and status line."""

import math
import time
from collections.abc import Callable
from typing import Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.pulse import Pulse
from corrosion_edge.device.service.notify import Notifier
from corrosion_edge.device.verdict import Unusable, Verdict

__all__ = ["Heart"]

_PINGS: Final = 3  # within the watchdog's time; systemd advises at least two
_STATUS_EVERY: Final = 5.0  # seconds between two status lines without a watchdog


class Heart(Pulse, Closing):
    """Pings systemd while the pipeline makes progress; a context manager that says STOPPING.

    READY goes out with the first frame that was judged, or once the camera is being waited for.
    The status line follows the pings, so that a fast camera sends no more than ``_PINGS`` messages
    in the watchdog's time.
    """

    def __init__(self, notifier: Notifier, clock: Callable[[], float] = time.monotonic) -> None:
        self._notifier = notifier
        self._clock = clock
        limit = notifier.watchdog
        self._every = _STATUS_EVERY if limit is None else limit / _PINGS
        self._next = -math.inf
        self._ready = False
        self._verdicts = 0
        self._status = ""

    def beat(self) -> None:
        """See ``Pulse.beat``."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + self._every
        fields = {"STATUS": self._status} if self._status else {}
        if self._notifier.watchdog is not None:
            fields["WATCHDOG"] = "1"
        if fields:
            self._notifier.send(**fields)

    def waiting(self, name: str) -> None:
        """See ``Pulse.waiting``."""
        self._say(f"waiting for a frame of {name}; {self._verdicts} verdicts so far")

    def judged(self, result: Verdict | Unusable) -> None:
        """See ``Pulse.judged``."""
        if isinstance(result, Unusable):
            last = f"the last frame unusable: {result.quality.word}"
        else:
            self._verdicts += 1
            last = f"the last: {result.prediction.label}, {result.prediction.score:.3f}"
        self._say(f"{self._verdicts} verdicts; {last}")

    def away(self, reason: str) -> None:
        """See ``Pulse.away``."""
        self._say(f"{self._verdicts} verdicts; none now: {reason}")

    def close(self) -> None:
        """Say that it is about to end."""
        self._notifier.send(STOPPING="1", STATUS="ending")

    def _say(self, status: str) -> None:
        self._status = status
        if not self._ready:
            self._ready = True
            self._notifier.send(READY="1", STATUS=status)
        self.beat()
