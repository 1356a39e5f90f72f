"""The order of delivery with a sender, a note and a process that fail anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.store.event import Event
from corrosion_edge.device.telling.courier import BEGINNING, HOLD, NOW, Courier
from corrosion_edge.device.telling.ledger import NOWHERE, Place
from corrosion_edge.device.telling.sender import Held, Later, Refused
from corrosion_edge.errors import OutputError


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Chain:
    """A store in memory."""

    def __init__(self, name="a", count=0):
        self.name = name
        self.events = []
        self.grow(count)

    def grow(self, count, kind="usable"):
        for _ in range(count):
            number = len(self.events) + 1
            fields = {"uuid": f"{self.name}-{number}", "kind": kind, "sequence": number}
            self.events.append(Event(number, fields, "", f"hash {self.name} {number}", {}))

    def after(self, sequence, most):
        return self.events[sequence : sequence + most]

    def at(self, sequence):
        return self.events[sequence - 1] if 1 <= sequence <= len(self.events) else None

    def last(self, kind):
        return max((e.sequence for e in self.events if e.fields["kind"] == kind), default=0)


class Notes:
    """A ledger in memory, whose disk may be full and whose process may be killed."""

    def __init__(self):
        self.damaged = False
        self.places, self.refused, self.script = {}, [], []

    def place(self, consumer):
        return self.places.get(consumer)

    def note(self, consumer, place, refused=()):
        step = self.script.pop(0) if self.script else "ok"
        if step == "killed before":
            raise Killed
        if step == "full":
            raise OutputError("deliveries.sqlite: cannot be used (disk is full)")
        self.places[consumer] = place
        self.refused += refused
        if step == "killed after":
            raise Killed


class Receiver:
    """Remembers what arrived; the answer of each call is scripted."""

    name = "a receiver"

    def __init__(self):
        self.arrived, self.script = [], []

    def send(self, event):
        step = self.script.pop(0) if self.script else "ok"
        if step in ("ok", "answer lost", "killed after"):
            self.arrived.append(event.fields["uuid"])
        if step == "refused":
            raise Refused("no such event wanted")
        if step == "held":
            raise Held("Not authorized")
        if step in ("later", "answer lost"):
            raise Later("nobody answers")
        if step.startswith("killed"):
            raise Killed

    def close(self):
        pass


def courier(chain, notes, receiver, said=None, clock=lambda: 0.0, begin=BEGINNING):
    warn = said.append if said is not None else lambda line: None
    return Courier("c", chain, notes, receiver, begin=begin, warn=warn, clock=clock)


def work(make, tries):
    """Deliver; a new courier after each kill; how often an event was sent in vain or twice."""
    running = None
    for _ in range(tries):
        try:
            running = running or make()
            if not running.deliver_next():
                return
        except Killed:
            running = None
        except Later:
            continue
        except OutputError:
            continue  # of a courier that is at work; and one that cannot begin is made anew
    raise AssertionError("does not come to an end")


steps = st.sampled_from(
    ["ok", "ok", "later", "held", "refused", "answer lost", "killed before", "killed after"]
)
notes_steps = st.sampled_from(["ok", "ok", "full", "killed before", "killed after"])


@given(st.lists(st.integers(0, 70), min_size=1, max_size=4), st.lists(steps, max_size=60),
       st.lists(notes_steps, max_size=60))  # fmt: skip
def test_in_order_and_none_left_out_whatever_fails(growth, sending, noting):
    chain, notes, receiver = Chain(), Notes(), Receiver()
    receiver.script, notes.script = list(sending), list(noting)
    for count in growth:
        chain.grow(count)
        work(lambda: courier(chain, notes, receiver), 3000)
    refused = {each.place.uuid for each in notes.refused}
    wanted = [event.fields["uuid"] for event in chain.events]
    first = list(dict.fromkeys(receiver.arrived))
    assert first == [uuid for uuid in wanted if uuid in set(receiver.arrived)]  # in order
    assert set(wanted) == set(first) | refused  # none is left out, and none refused in silence
    full = "full" in noting
    last = _place(chain.events[-1]) if chain.events else NOWHERE
    assert notes.places["c"] == last or full  # a note that found no room is made later
    again = len(receiver.arrived) - len(first)
    killed = [step for step in noting if step.startswith("killed")]
    unsure = [step for step in sending if step in ("answer lost", "killed after")]
    assert full or again <= len(killed) + len(unsure)


@given(st.integers(0, 130), st.integers(0, 130))
def test_without_failures_each_once(before, later):
    chain, notes, receiver = Chain(count=before), Notes(), Receiver()
    work(lambda: courier(chain, notes, receiver), 1000)
    chain.grow(later)
    work(lambda: courier(chain, notes, receiver), 1000)
    assert receiver.arrived == [f"a-{n + 1}" for n in range(before + later)]


@given(st.integers(0, 60), st.integers(0, 60))
def test_another_store_in_its_place_is_delivered_whole(old, new):
    notes, receiver, said = Notes(), Receiver(), []
    work(lambda: courier(Chain("a", old), notes, receiver), 1000)
    receiver.arrived.clear()
    work(lambda: courier(Chain("b", new), notes, receiver, said), 1000)
    assert receiver.arrived == [f"b-{n + 1}" for n in range(new)]
    assert len(said) == (1 if old else 0)


def _place(event):
    return Place(event.sequence, event.fields["uuid"], event.hash)


def test_an_older_copy_of_the_store_is_delivered_again():
    notes, receiver, said = Notes(), Receiver(), []
    work(lambda: courier(Chain(count=9), notes, receiver), 100)
    work(lambda: courier(Chain(count=5), notes, receiver, said), 100)
    assert receiver.arrived == [f"a-{n}" for n in [*range(1, 10), *range(1, 6)]]
    assert "not the one whose event 9" in said[0]


def test_an_event_that_was_changed_is_told_and_passed():
    notes, receiver, said = Notes(), Receiver(), []
    chain = Chain(count=3)
    work(lambda: courier(chain, notes, receiver), 100)
    chain.events[2] = Event(3, chain.events[2].fields, "", "another hash", {})
    chain.grow(1)
    work(lambda: courier(chain, notes, receiver, said), 100)
    assert receiver.arrived == ["a-1", "a-2", "a-3", "a-4"]
    assert "event 3 was changed" in said[0]


def test_a_new_consumer_begins_with_this_watch():
    chain, notes, receiver = Chain(count=4), Notes(), Receiver()
    chain.grow(1, "started")
    chain.grow(2)
    work(lambda: courier(chain, notes, receiver, begin=NOW), 100)
    assert receiver.arrived == ["a-5", "a-6", "a-7"]


def test_a_new_consumer_keeps_its_place_though_nothing_was_delivered():
    chain, notes, receiver = Chain(count=4), Notes(), Receiver()
    chain.grow(1, "started")
    receiver.script = ["later"]
    with pytest.raises(Later):
        courier(chain, notes, receiver, begin=NOW).deliver_next()
    chain.grow(3, "started")
    work(lambda: courier(chain, notes, receiver, begin=NOW), 100)
    assert receiver.arrived == ["a-5", "a-6", "a-7", "a-8"]


def test_damaged_notes_deliver_all_again():
    chain, notes, receiver, said = Chain(count=3), Notes(), Receiver(), []
    chain.grow(1, "started")
    notes.damaged = True
    work(lambda: courier(chain, notes, receiver, said, begin=NOW), 100)
    assert receiver.arrived == ["a-1", "a-2", "a-3", "a-4"]
    assert "damaged" in said[0]


def test_a_receiver_that_refuses_us_is_tried_for_a_day():
    chain, notes, receiver, said = Chain(count=3), Notes(), Receiver(), []
    now = [0.0]
    running = courier(chain, notes, receiver, said, clock=lambda: now[0])
    receiver.script = ["held"] * 4
    for now[0] in (0.0, 1000.0, HOLD - 1):
        with pytest.raises(Held):
            running.deliver_next()
    now[0] = HOLD
    assert running.deliver_next()
    assert [each.place.sequence for each in notes.refused] == [1]
    assert "set aside" in said[0] and "Not authorized for 86400 s" in said[0]
    receiver.script = ["held"]
    with pytest.raises(Held):
        running.deliver_next()
    while running.deliver_next():
        pass
    assert receiver.arrived == ["a-2", "a-3"]


def test_a_refusal_that_cannot_be_noted_is_not_passed_over():
    chain, notes, receiver, said = Chain(count=2), Notes(), Receiver(), []
    running = courier(chain, notes, receiver, said)
    notes.script, receiver.script = ["full"], ["refused", "refused"]
    with pytest.raises(OutputError):
        running.deliver_next()
    assert receiver.arrived == [] and said == []
    assert running.deliver_next() and running.deliver_next()
    assert [each.place.sequence for each in notes.refused] == [1]
    assert receiver.arrived == ["a-2"]


def test_a_full_disk_is_told_once_and_the_note_made_when_there_is_room():
    chain, notes, receiver, said = Chain(count=3), Notes(), Receiver(), []
    running = courier(chain, notes, receiver, said)
    notes.script = ["full"] * 5  # the place of a new consumer is noted already
    assert [running.deliver_next() for _ in range(5)] == [True, True, True, False, False]
    assert len(said) == 1 and "disk is full" in said[0]
    assert notes.places["c"] == NOWHERE
    running.deliver_next()
    assert notes.places["c"].sequence == 3
