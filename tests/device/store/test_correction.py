"""Times that were stamped before the clock was set: any story of boots, jumps and processes."""

import json
import sqlite3
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from clockless import DAY, ROUNDING, Machine
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.device.clock import EARLIEST
from corrosion_edge.device.store.chain import canonical
from corrosion_edge.device.store.correction import AS_STAMPED, Anchors, times

ERRORS = st.one_of(st.floats(-400 * DAY, 400 * DAY), st.floats(-5, 5), st.just(-1.7e9))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.floats(0.001, 5000)),
        st.tuples(st.just("lasting"), st.floats(0.001, 5000)),
        st.tuples(st.just("recording"), st.floats(0.001, 100)),
        st.tuples(st.just("jump"), ERRORS),
        st.tuples(st.just("set"), st.booleans()),
        st.tuples(st.just("unset"), ERRORS),
        st.tuples(st.just("unknown"), st.none()),
        st.tuples(st.just("process"), st.none()),
        st.tuples(st.just("reboot"), ERRORS),
    ),
    max_size=40,
)


def told(steps, error):
    """The story as a machine lives it; a clock that is set is right."""
    machine = Machine(error=error)
    machine.put("started")
    for what, value in steps:
        if what in ("event", "recording"):
            machine.age += value
            machine.put(recording=what == "recording")
        elif what == "lasting":
            began = machine.now()
            machine.age += value
            machine.put("corrosion_ended", began)
        elif what == "jump" and not machine.is_set:
            machine.error += value
        elif what == "set":
            machine.age += 0.1
            machine.error, machine.is_set = 0.0, True
            if value:  # or else the watch ends before it looks
                machine.look()
        elif what == "unset":
            machine.error, machine.is_set = value, False
            machine.look()
        elif what == "unknown":
            machine.is_set = None
        elif what == "process":
            machine.process()
        elif what == "reboot":
            machine.reboot(value)
    return machine


def table(rows):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, body TEXT)")
    database.executemany("INSERT INTO events VALUES (?, ?)", enumerate(map(canonical, rows), 1))
    return database


def is_doubtful(row):
    past = datetime.fromisoformat(row["at"]).timestamp() < EARLIEST
    return not row["recording"] and (row["clock_set"] is False or past)


def has_anchor(rows, place):
    return any(row["boot"] == rows[place]["boot"] and row["clock_set"] and not row["recording"]
               for row in rows[place + 1 :])  # fmt: skip


def corrected(rows, order=None, anchors=None):
    """The times of every row, asked for in any order; None is the order of the chain."""
    database, anchors, found = table(rows), anchors or Anchors(), {}
    for place in order or range(len(rows)):
        after = partial(lambda number, boot: anchors.after(database, boot, number), place + 1)
        found[place] = times(rows[place], after)
    return [found[place] for place in range(len(rows))]


@settings(deadline=None, max_examples=300)
@given(STEPS, ERRORS)
def test_the_true_time_is_found_where_it_can_be_and_nothing_else_is_touched(steps, error):
    machine = told(steps, error)
    rows, found = machine.rows, corrected(machine.rows)
    for place, (row, each, true) in enumerate(zip(rows, found, machine.truth, strict=True)):
        if is_doubtful(row) and has_anchor(rows, place):
            assert abs(datetime.fromisoformat(each.at) - true) <= ROUNDING
        else:
            assert each.at is None
        if row["recording"] or (row["clock_set"] is None and not is_doubtful(row)):
            assert each == AS_STAMPED


@settings(deadline=None, max_examples=300)
@given(STEPS, ERRORS)
def test_what_lasted_keeps_its_length(steps, error):
    machine = told(steps, error)
    for row, each, true in zip(machine.rows, corrected(machine.rows), machine.truth, strict=True):
        if row["start"] is None or each == AS_STAMPED:
            continue
        length = timedelta(seconds=row["duration_s"])
        if is_doubtful(row):
            assert each.end == each.at
            assert abs(datetime.fromisoformat(each.start) - true + length) <= 2 * ROUNDING
        elif each.start is not None:  # it began before the clock was set
            assert abs(datetime.fromisoformat(each.start) - true + length) <= 2 * ROUNDING
            assert abs(row["clock_jump_s"]) >= 1


@settings(deadline=None, max_examples=200)
@given(STEPS, ERRORS)
def test_corrected_times_of_a_boot_are_in_the_order_of_its_monotonic_clock(steps, error):
    rows = told(steps, error).rows
    known = {}
    for row, each in zip(rows, corrected(rows), strict=True):
        if not row["recording"] and (each.at or row["clock_set"]):
            known.setdefault(row["boot"], []).append((row["monotonic_s"], each.at or row["at"]))
    for pairs in known.values():
        assert pairs == sorted(pairs, key=lambda pair: pair[0])
        walls = [datetime.fromisoformat(at) for _, at in pairs]
        assert all(b - a >= -2 * ROUNDING for a, b in pairwise(walls))


@settings(deadline=None, max_examples=200)
@given(STEPS, ERRORS, st.randoms(use_true_random=False))
def test_the_order_of_asking_and_what_was_seen_before_change_nothing(steps, error, chance):
    rows = told(steps, error).rows
    order = list(range(len(rows)))
    chance.shuffle(order)
    assert corrected(rows, order) == corrected(rows)
    half, anchors = rows[: len(rows) // 2], Anchors()
    corrected(half, anchors=anchors)  # and then the chain grew
    assert corrected(rows, anchors=anchors) == corrected(rows)


def test_what_was_told_once_stays_though_the_clock_is_set_again():
    machine = Machine(error=-DAY)
    machine.put("started")
    machine.age = 10.0
    machine.set()
    before = corrected(machine.rows)
    machine.age, machine.error = 20.0, 30.0  # a step that the kernel does not doubt
    machine.put()
    assert corrected(machine.rows)[:2] == before
    assert abs(datetime.fromisoformat(before[0].at) - machine.truth[0]) <= ROUNDING


class Counting:
    """A database that counts the rows it gave."""

    def __init__(self, rows):
        self.rows, self._database = 0, table(rows)

    def execute(self, *words):
        for row in self._database.execute(*words):
            self.rows += 1
            yield row


@pytest.mark.parametrize("every", [0, 2, 100])
def test_each_row_is_looked_at_once_however_many_want_an_anchor(every):
    machine = Machine(error=-DAY)
    for number in range(1, 1001):
        machine.age += 1
        machine.is_set = bool(every) and number % every == 0
        machine.put()
    database, anchors = Counting(machine.rows), Anchors()
    for place, row in enumerate(machine.rows):
        if not row["clock_set"]:
            anchors.after(database, row["boot"], place + 1)
    assert database.rows <= 1000


DAMAGED = st.fixed_dictionaries(
    {},
    optional={
        "at": st.one_of(st.text(), st.none(), st.sampled_from(["0001-01-01T00:00:00+00:00",
                        "2026-11-01T12:00:00", "9999-12-31T23:59:59+00:00"])),
        "boot": st.one_of(st.none(), st.integers()),
        "monotonic_s": st.one_of(st.none(), st.text(), st.floats(), st.booleans(),
                                 st.lists(st.none())),
        "clock_set": st.one_of(st.booleans(), st.none(), st.text()),
        "recording": st.one_of(st.booleans(), st.none(), st.integers(0, 1)),
        "start": st.one_of(st.text(), st.integers(), st.just("2026-11-01T12:00:00")),
        "start_monotonic_s": st.one_of(st.floats(), st.text(), st.lists(st.none())),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(DAMAGED, DAMAGED)
def test_a_row_that_was_changed_by_another_hand_is_no_error(first, second):
    machine = Machine(error=-DAY)
    machine.put("corrosion_ended", machine.now())
    machine.age, machine.error, machine.is_set = 9.0, 0.0, True
    machine.put("clock_set")
    rows = [{**row, **change} for row, change in zip(machine.rows, (first, second), strict=True)]
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, body TEXT)")
    database.executemany("INSERT INTO events VALUES (?, ?)",
                         [*enumerate(map(json.dumps, rows), 1), (3, "{"), (4, "[]")])  # fmt: skip
    anchors = Anchors()
    for number, row in enumerate(rows, 1):
        times(row, lambda boot, n=number: anchors.after(database, boot, n))
    anchors.of_boots(database)
