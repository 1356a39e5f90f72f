"""A store whose first events were stamped before the clock was set."""

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from clockless import DAY, ROUNDING, TRUE, Machine
from happenings import happening, summary

from corrosion_edge.device.events.event import iso
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Keeper, Reader, Retention, Store
from corrosion_edge.device.store.correction import AS_STAMPED
from corrosion_edge.device.store.event import Wanted
from corrosion_edge.device.store.pictures import jpegs
from corrosion_edge.device.store.store import DATABASE, Entry
from corrosion_edge.device.store.verify import verify


@pytest.fixture
def late(tmp_path):
    """A store of a watch whose clock was a year behind for 100 s: 3 events, then it was set."""
    machine = Machine(error=-365 * DAY)
    machine.put("started")
    for seconds in (40, 100):
        machine.age = float(seconds)
        machine.put()
    machine.set()
    with Store(tmp_path / "store") as store:
        hashes = [store.append(Entry(row)).hash for row in machine.rows]
    return tmp_path / "store", machine, hashes


def test_bodies_and_hashes_are_as_they_were_written(late):
    folder, machine, hashes = late
    with Reader(folder) as reader:
        events = list(reader.events())
    assert [event.hash for event in events] == hashes
    assert verify(folder).head == hashes[-1]
    for event, row, true in zip(events, machine.rows, machine.truth, strict=True):
        assert event.fields == {**row, "sequence": event.sequence}
        assert json.loads(event.body) == event.fields
        assert abs(datetime.fromisoformat(event.at) - true) <= ROUNDING
    assert [event.times.at is not None for event in events] == [True] * 3 + [False]
    assert events[3].fields["kind"] == "clock_set"


def test_rows_of_versions_that_told_no_recordings_apart_stay_as_they_are(late, tmp_path):
    _, machine, _ = late
    with Store(tmp_path / "old") as store:
        for row in machine.rows[:3]:
            store.append(Entry({k: v for k, v in row.items() if k != "recording"}))
        store.append(Entry(machine.rows[3]))
    with Reader(tmp_path / "old") as reader:
        assert [event.times for event in reader.events()] == [AS_STAMPED] * 4
    assert verify(tmp_path / "old").events == 4


def test_minutes_move_with_the_events_of_their_boot(late):
    folder, machine, _ = late
    wrong = machine.truth[0] - timedelta(days=365)
    told = [
        ("boot-0", wrong, 10.0, False),
        ("boot-0", wrong, None, False),  # of a recording
        ("boot-1", wrong, 10.0, False),
        ("boot-0", TRUE, 500.0, False),  # after the anchor
        ("boot-0", TRUE, 10.0, True),
    ]
    names = ("boot", "at", "monotonic_s", "clock_set")
    with Store(folder) as store:
        store.summarise([replace(summary(), **dict(zip(names, row, strict=True))) for row in told])
    with Reader(folder) as reader:
        first, *rest = reader.summaries()
    assert abs(first.at - machine.true(10.0)) <= timedelta(seconds=1)
    assert first.stamped == wrong.replace(microsecond=0)
    assert [row.at for row in rest] == [wrong, wrong, TRUE, TRUE]
    assert [row.stamped for row in rest] == [None] * 4


def test_a_store_of_version_3_is_read_as_it_is_and_goes_on(late, tmp_path):
    folder, _, hashes = late
    old = tmp_path / "old"
    with Store(folder) as store:
        store.summarise([summary()])
    shutil.copytree(folder, old)
    database = sqlite3.connect(old / DATABASE)
    for column in ("clock_set", "monotonic_s", "asset", "position"):
        database.execute(f"ALTER TABLE summaries DROP COLUMN {column}")
    database.execute("PRAGMA user_version = 3")
    database.commit()
    database.close()
    with Reader(old) as reader:
        assert [row.clock_set for row in reader.summaries()] == [None]
    with Store(old) as store:
        store.summarise([summary(60)])
        assert store.append(Entry(happening("stopped", 200).to_dict())).sequence == 5
    with Reader(old) as reader:
        assert len(list(reader.summaries())) == 2
    assert verify(old, expected=hashes[-1]).events == 5


def kept(store):
    return [sequence for sequence, _ in store.kept_pictures()]


def pictured(store, at, clock_set):
    what = happening("corrosion_began", at=at, clock_set=clock_set)
    store.append(Entry(what.to_dict(), jpegs(what.scene)))


def test_age_is_that_of_the_corrected_time(tmp_path):
    """A picture of yesterday, stamped a year back, stays; one of a boot that nobody knows waits."""
    keep = Retention(days=30)
    with Store(tmp_path) as store:
        pictured(store, Stamp(TRUE - timedelta(days=365), 10.0, "lost"), clock_set=False)
        pictured(store, Stamp(TRUE - timedelta(days=365), 10.0, "found"), clock_set=False)
        store.summarise([summary(clock_set=False, monotonic_s=10.0, boot="found")])
        pictured(store, Stamp(TRUE, 100.0, "found"), clock_set=True)
        store.summarise([summary((TRUE - summary().at).total_seconds(), clock_set=True)])

        def left(days):
            now = Stamp(TRUE + timedelta(days=days), 5.0, "later")
            keep.apply(store, now, lambda: True)
            with Reader(tmp_path) as reader:
                return kept(store), len(list(reader.summaries()))

        assert left(1) == ([1, 2, 3], 2)
        assert left(29.9) == ([1, 2, 3], 2)
        assert left(30 - 50 / DAY) == ([3], 2)  # the minute goes with the next one that is known
        assert left(31) == ([], 0)
    assert verify(tmp_path).removed == 6


def test_an_end_that_a_kill_took_is_stamped_like_any_event(tmp_path):
    began = happening("corrosion_began", at=Stamp(TRUE, 10.0, "b"), clock_set=False)
    with Store(tmp_path) as store:
        Keeper(store, now=lambda: began.at, warn=print).append(began)
    for boot, expected in (("b", began.to_dict()["start_monotonic_s"]), ("c", None)):
        shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-{boot}"))
        folder = tmp_path.with_name(f"{tmp_path.name}-{boot}")
        with Store(folder) as store:
            Keeper(store, now=lambda b=boot: Stamp(TRUE, 50.0, b), warn=print)
        with Reader(folder) as reader:
            ended = list(reader.events())[-1].fields
        assert (ended["kind"], ended["recording"]) == ("corrosion_ended", False)
        assert ended["clock_set"] is True
        assert ended["start_monotonic_s"] == expected


def test_the_best_known_time_is_what_filters_ask_for(late):
    folder, machine, _ = late
    with Reader(folder) as reader:
        assert len(list(reader.events(Wanted(since=TRUE)))) == 4
        assert list(reader.events(Wanted(until=TRUE))) == []
        (second,) = reader.events(Wanted(since=machine.true(40) - ROUNDING,
                                         until=machine.true(40) + ROUNDING))  # fmt: skip
    assert second.sequence == 2
    assert second.fields["at"] == iso(machine.true(40) - timedelta(days=365))
