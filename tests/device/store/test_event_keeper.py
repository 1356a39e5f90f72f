"""Nothing that was reported as stored is lost: kills, full disks, clocks that jump."""

import sqlite3
from datetime import timedelta

import pytest
from filling import fill_often
from happenings import START, Clock, happening, stamp, summary
from killing import kill_often

from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Keeper, Reader, Retention, Store
from corrosion_edge.device.store.keeper import BATCH, WAITING
from corrosion_edge.device.store.store import DATABASE
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import OutputError, UsageError


class Watch:
    """A keeper whose reports, warnings and clock the test holds."""

    def __init__(self, folder, **retention):
        self.clock, self.told, self.warned = Clock(), [], []
        self.store = Store(folder)
        self.keeper = Keeper(self.store, Retention(**retention), told=self.told.append,
                             now=self.clock, warn=self.warned.append)  # fmt: skip

    def sequences(self):
        return [stored.sequence for stored in self.told]


@pytest.fixture
def watch(tmp_path):
    made = Watch(tmp_path / "store")
    yield made
    made.keeper.close()


def kinds(folder):
    with Reader(folder) as reader:
        return [event.fields["kind"] for event in reader.events()]


def test_kills_lose_nothing_that_was_reported(tmp_path):
    account = kill_often(tmp_path, tries=6, seed=1)
    assert account.kills == 6
    assert account.reported > 10
    assert account.lost == 0


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing_that_was_reported(tmp_path):
    account = kill_often(tmp_path, tries=200, seed=11)
    assert account.kills == 200
    assert account.reported > 1000
    assert account.lost == 0


@pytest.mark.slow
def test_a_disk_that_fills_a_hundred_times_loses_no_event(disk_of):
    account = fill_often(disk_of("64m"), rounds=100)
    assert (account.sent, account.stored, account.lost) == (2000, 2000, 0)
    assert account.full > 10  # in the other rounds old pictures made room enough


def test_a_kill_leaves_no_corrosion_without_an_end(tmp_path):
    first = Watch(tmp_path)
    first.keeper.append(happening("corrosion_began", 1))
    first.keeper.append(happening("corrosion_began", 2, camera="south"))
    first.keeper.append(happening("corrosion_ended", 3, camera="south"))
    first.store.close()
    Watch(tmp_path).store.close()
    with Reader(tmp_path) as reader:
        *_, ended = reader.events()
    assert ended.fields["kind"] == "corrosion_ended"
    assert ended.fields["camera"] == "north"
    assert ended.fields["end"] is None
    assert "broke off" in ended.fields["reason"]
    assert ended.fields["sequence"] == 4
    Watch(tmp_path).store.close()
    assert verify(tmp_path).events == 4


def test_a_full_disk_costs_pictures_first_then_waits_and_recovers(small_disk):
    watch = Watch(small_disk)
    watch.keeper.append(happening(seconds=1))
    ballast = small_disk / "ballast"
    with pytest.raises(OSError), ballast.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))
    for number in range(2, 120):
        watch.keeper.append(happening(("corrosion_began", "corrosion_ended")[number % 2], number))
    stored = len(watch.told)
    assert 1 <= stored < 119
    assert "made room on a full disk" in watch.warned[0]
    assert ["wait in memory" in line for line in watch.warned].count(True) == 1
    assert verify(small_disk).events == stored
    ballast.unlink()
    watch.keeper.summarise(summary())
    # It may fill again: the small disk takes only so much. What was reported is there.
    assert watch.sequences() == list(range(1, len(watch.told) + 1))
    assert len(watch.told) > stored
    with Reader(small_disk) as reader:
        there = {event.sequence: event.hash for event in reader.events()}
    assert {s.sequence: s.hash for s in watch.told}.items() <= there.items()
    watch.store.close()


def test_a_disk_that_fills_again_and_again_loses_no_event(disk_of):
    account = fill_often(disk_of("4m"), rounds=3)
    assert (account.sent, account.stored, account.lost) == (60, 60, 0)
    assert account.full >= 1


class Full:
    """A disk that is full for a while: the store's write fails, as OutputError."""

    def __init__(self, store, monkeypatch):
        self.full, self._append = False, store.append
        monkeypatch.setattr(store, "append", self.append)

    def append(self, entry, **how):
        if self.full:
            raise OutputError("no space left")
        return self._append(entry, **how)


def test_what_waited_is_stored_in_order_once_and_counted(watch, monkeypatch):
    disk = Full(watch.store, monkeypatch)
    watch.keeper.append(happening("started"))
    disk.full = True
    sent = [happening("camera_lost", n) for n in range(WAITING + 7)]
    for each in sent:
        watch.keeper.append(each)
    assert watch.sequences() == [1]
    disk.full, watch.clock.seconds = False, 90.0
    watch.keeper.summarise(summary())
    uuids = [stored.fields["uuid"] for stored in watch.told]
    assert uuids[1:-1] == [each.uuid for each in sent[:WAITING]]
    last = watch.told[-1].fields
    assert last["kind"] == "store_recovered"
    assert last["details"] == {"seconds": 90.0, "waited": WAITING, "lost": 7}
    assert len(watch.warned) == 2
    watch.keeper.append(happening("stopped", 99))
    assert watch.told[-1].fields["kind"] == "stopped"
    assert verify(watch.store.folder).events == len(watch.told)


def test_an_event_without_its_pictures_says_so(watch, monkeypatch):
    def full(uuid, pictures):
        if pictures:
            raise OutputError("no space left")

    monkeypatch.setattr(watch.store.pictures, "put", full)
    watch.keeper.append(happening())
    assert watch.told[0].fields["details"] == {"pictures": "could not be stored"}


def test_summaries_are_gathered_for_ten_minutes(watch):
    def rows():
        with Reader(watch.store.folder) as reader:
            return len(list(reader.summaries()))

    for minute in range(9):
        watch.clock.seconds = 60.0 * minute
        watch.keeper.summarise(summary(60 * minute))
    assert rows() == 0
    watch.clock.seconds = BATCH
    watch.keeper.summarise(summary(BATCH))
    assert rows() == 10
    watch.keeper.summarise(summary(BATCH + 60))
    watch.keeper.close()
    assert rows() == 11


def test_retention_takes_the_oldest_pictures_and_the_chain_still_verifies(tmp_path):
    with Store(tmp_path) as store:
        keeper = Keeper(store, now=Clock(), warn=print)
        for number in range(30):
            keeper.append(happening(seconds=number))
        before = sum(row[1] for row in store.kept_pictures())
        keep = Retention(megabytes=1)
        assert keep.apply(store, stamp(), lambda: True) is None
        size = (tmp_path / DATABASE).stat().st_size + (tmp_path / f"{DATABASE}-wal").stat().st_size
        object.__setattr__(keep, "megabytes", (size + before / 2) / 1e6)
        stored = keep.apply(store, stamp(), lambda: True)
        through = stored.fields["details"]["through"]
        assert stored.fields["details"]["events"] == through
        assert 14 <= through <= 28
        assert [row[0] for row in store.kept_pictures()] == list(range(through + 1, 31))
    found = verify(tmp_path)
    assert (found.pictures, found.removed) == (2 * (30 - through), 2 * through)
    assert len(list((tmp_path / "pictures").iterdir())) == found.pictures
    with Reader(tmp_path) as reader:
        assert all(picture.removed for picture in reader.event("1").pictures.values())


def test_retention_by_age_trusts_no_clock_that_is_not_set(tmp_path):
    with Store(tmp_path) as store:
        keeper = Keeper(store, now=Clock(), warn=print)
        keeper.append(happening(seconds=0))
        store.summarise([summary()])
        later = Stamp(START + timedelta(days=400), 5.0, "boot-2")
        assert Retention().apply(store, later, lambda: False) is None
        assert Retention(days=500).apply(store, later, lambda: True) is None
        stored = Retention().apply(store, later, lambda: True)
        assert stored.fields["details"]["through"] == 1
    with Reader(tmp_path) as reader:
        assert list(reader.summaries()) == []
    assert verify(tmp_path).removed == 2


def test_files_that_a_crash_left_after_a_removal_are_swept(tmp_path):
    with Store(tmp_path) as store:
        Keeper(store, now=Clock(), warn=print).append(happening(seconds=0))
    kept = {file.name: file.read_bytes() for file in (tmp_path / "pictures").iterdir()}
    with Store(tmp_path) as store:
        later = Stamp(START + timedelta(days=400), 5.0, "boot-2")
        Retention().apply(store, later, lambda: True)
    for name, content in kept.items():
        (tmp_path / "pictures" / name).write_bytes(content)
    with Store(tmp_path) as store:
        assert store.swept == 2
    assert verify(tmp_path).removed == 2


@pytest.mark.parametrize(
    ("values", "option"),
    [({"days": 0}, "--keep-days 0:"), ({"megabytes": 0}, "--keep-mb 0:"),
     ({"days": float("nan")}, "--keep-days nan:")],
)  # fmt: skip
def test_retention_that_cannot_be_is_refused(values, option):
    with pytest.raises(UsageError, match=option):
        Retention(**values)


def test_events_are_in_order_though_the_clock_jumps(watch):
    for number, wall in enumerate([0, 1e8, -1e9, 5, 5]):
        at = Stamp(START + timedelta(seconds=wall), float(number), "boot-1")
        watch.keeper.append(happening("camera_lost", at=at))
    with Reader(watch.store.folder) as reader:
        events = list(reader.events())
    assert [event.fields["monotonic_s"] for event in events] == [0, 1, 2, 3, 4]
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5]
    assert verify(watch.store.folder).events == 5


def test_the_commit_survives_a_power_cut(watch):
    database = sqlite3.connect(watch.store.folder / DATABASE)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert watch.store._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert watch.store._database.execute("PRAGMA foreign_keys").fetchone() == (1,)
