"""The order of delivery and the memory of it, apart from threads, clocks and protocols."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from corrosion_edge.device.store.event import Event
from corrosion_edge.device.telling.ledger import NOWHERE, Place, SetAside
from corrosion_edge.device.telling.sender import Held, Refused, Sender
from corrosion_edge.errors import OutputError

__all__ = ["BATCH", "HOLD", "BEGINNING", "NOW", "Courier", "Events", "Notes"]

BATCH: Final = 50
"""Events that are read at once, each about 1 kB."""

HOLD: Final = 86400.0
"""Seconds for which one event is tried while the receiver refuses us: our choice, a day."""

NOW: Final = "now"
BEGINNING: Final = "beginning"


class Events(Protocol):
    """What is read of a store; ``Reader`` does it."""

    def after(self, sequence: int, most: int) -> Sequence[Event]:
        """The next events in order."""

    def at(self, sequence: int) -> Event | None:
        """The event with that number."""

    def last(self, kind: str) -> int:
        """The number of the last event of that kind, 0 without one."""


class Notes(Protocol):
    """What remembers places; ``Ledger`` does it."""

    damaged: bool

    def place(self, consumer: str) -> Place | None:
        """The last acknowledged event."""

    def note(self, consumer: str, place: Place, refused: Sequence[SetAside] = ()) -> None:
        """Remember it durably (OutputError)."""


class Courier:
    """Brings the events after a consumer's place to a sender, one by one and in order.

    An event is noted as done after its acknowledgement, so one whose note was lost (a kill or a
    full disk between the two) is sent again, and none is left out. A consumer that is new begins
    with this watch's ``started`` event, or with the first of all (``begin`` is ``BEGINNING``).
    ``warn`` is told in a sentence what is not as it should be.
    """

    def __init__(
        self,
        consumer: str,
        events: Events,
        notes: Notes,
        sender: Sender,
        *,
        begin: str = NOW,
        warn: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """Find the place (OutputError, StoreError if that cannot be read or noted now)."""
        self._consumer, self._events, self._notes = consumer, events, notes
        self._sender, self._warn, self._clock = sender, warn, clock
        self._batch: deque[Event] = deque()
        self._held_since: float | None = None
        self._noted, self._told = True, False
        self.place = self._found(begin)

    def deliver_next(self) -> bool:
        """Deliver an event or set it aside; False where there is none.

        ``Later`` and its kinds pass, and the next call tries the same event. StoreError if the
        store cannot be read, OutputError if it cannot be noted that an event was refused.
        """
        event = self._next()
        if event is None:
            self._note()
            return False
        try:
            self._sender.send(event)
        except Held as error:
            self._hold(event, error)
        except Refused as error:
            self._set_aside(event, str(error))
        else:
            self._done(event)
            self._note()
        return True

    def _next(self) -> Event | None:
        if not self._batch:
            self._batch.extend(self._events.after(self.place.sequence, BATCH))
        return self._batch[0] if self._batch else None

    def _hold(self, event: Event, error: Held) -> None:
        """Raise it again, until the event's time is over."""
        now = self._clock()
        if self._held_since is None:
            self._held_since = now
        if now - self._held_since < HOLD:
            raise error
        self._set_aside(event, f"{error} for {now - self._held_since:.0f} s")

    def _set_aside(self, event: Event, reason: str) -> None:
        """Pass the event, but not before that is noted: nothing else would tell of it."""
        place = _place(event)
        self._notes.note(self._consumer, place, (SetAside(place, reason),))
        self._done(event)
        self._noted, self._told = True, False
        self._warn(f"event {event.sequence} is set aside, it stays in the store: {reason}")

    def _done(self, event: Event) -> None:
        self._batch.popleft()
        self._held_since = None
        self.place = _place(event)
        self._noted = False

    def _note(self) -> None:
        """Remember how far we are; what cannot be noted now is noted with the next event."""
        if self._noted:
            return
        try:
            self._notes.note(self._consumer, self.place)
        except OutputError as error:
            if not self._told:
                self._warn(f"{error}; until that works, a restart sends events again")
            self._told = True
            return
        self._noted, self._told = True, False

    def _found(self, begin: str) -> Place:
        noted = self._notes.place(self._consumer)
        if noted is None:
            return self._begun(begin)
        there = self._events.at(noted.sequence)
        if noted == NOWHERE or (there is not None and _place(there) == noted):
            return noted
        if there is not None and there.fields["uuid"] == noted.uuid:
            self._warn(f"event {noted.sequence} was changed since it was delivered; going on after "
                       "it (see events verify)")  # fmt: skip
            return noted
        self._warn(f"the store is not the one whose event {noted.sequence} was delivered last: all "
                   "of its events are delivered")  # fmt: skip
        return self._kept(NOWHERE)

    def _begun(self, begin: str) -> Place:
        if self._notes.damaged:
            self._warn("the notes of what was delivered were damaged, and are put aside: all "
                       "events are delivered, known ones again")  # fmt: skip
            return self._kept(NOWHERE)
        before = max(self._events.last("started") - 1, 0) if begin == NOW else 0
        there = self._events.at(before)
        return self._kept(_place(there) if there else NOWHERE)

    def _kept(self, place: Place) -> Place:
        self._notes.note(self._consumer, place)
        return place


def _place(event: Event) -> Place:
    return Place(event.sequence, str(event.fields["uuid"]), event.hash)
