"""The seam between the delivery of events and a protocol that carries them."""

from typing import TYPE_CHECKING, Protocol

from corrosion_edge.closing import Closing

if TYPE_CHECKING:
    from corrosion_edge.device.store.event import Event

__all__ = ["Held", "Later", "NotYet", "Refused", "Sender", "Undelivered"]


class Undelivered(Exception):  # noqa: N818 - what became of the event, not a fault of ours
    """An event that was not acknowledged; the message is a sentence without secrets, or empty."""


class Later(Undelivered):
    """It may get through if it is tried again, not before ``after`` seconds (None: back off)."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class NotYet(Later):
    """Nothing has failed: the connection is still being made."""


class Held(Later):
    """The receiver refuses us, whatever the event is: somebody has to see to that."""


class Refused(Undelivered):
    """The receiver refuses this very event, and would do so again."""


class Sender(Closing, Protocol):
    """Carries one event at a time to where it is acknowledged."""

    name: str
    """What it is called in messages, without secrets."""

    def send(self, event: "Event") -> None:
        """Return once the event is acknowledged (``Undelivered`` if it is not)."""

    def close(self) -> None:
        """Give up what is under way; from another thread, and a second call does nothing."""
