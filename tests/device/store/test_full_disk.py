"""A disk that the store itself fills: the oldest pictures make room, and nothing told is lost."""

import contextlib
import os
import random
import subprocess

import pytest
from filling import fill_by_itself
from happenings import Clock, happening, stamp, summary
from killing import killed_at
from test_power_cut import needs_disks

from corrosion_edge.device.store import Keeper, Reader, Retention, Store
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import OutputError, StoreError, TamperError


def fill(folder):
    with contextlib.suppress(OSError), (folder / "ballast").open("wb", buffering=0) as stream:
        while True:
            stream.write(os.urandom(512))


def kinds(folder):
    with Reader(folder) as reader:
        return [event.fields["kind"] for event in reader.events()]


@pytest.fixture
def ext4(tmp_path):
    """A disk of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with (tmp_path / "image").open("wb") as stream:
        stream.truncate(16 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", tmp_path / "image"], check=True)
    subprocess.run(["mount", "-o", "loop", tmp_path / "image", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_the_store_fills_goes_on_with_the_newest_pictures(disk_of):
    account = fill_by_itself(disk_of("8m"), 100)
    assert (account.sent, account.stored, account.lost, account.without_pictures) == (
        100,
        100,
        0,
        0,
    )
    assert account.full == 0  # no event ever waited
    assert account.removed + account.kept == 100
    assert account.kept >= 20


@needs_disks
def test_so_does_one_of_ext4(ext4):
    account = fill_by_itself(ext4, 100)
    assert (account.stored, account.lost, account.without_pictures) == (100, 0, 0)
    assert account.kept >= 20


def test_kills_on_a_disk_that_the_store_fills_lose_nothing(disk_of):
    folder = disk_of("8m")
    fill_by_itself(folder, 60)
    before = kinds(folder / "store").count("pictures_removed")
    fill(folder)
    draw, reported = random.Random(3), {}
    for _ in range(8):
        reported |= killed_at(folder / "store", draw.uniform(0, 0.6))
        Keeper(Store(folder / "store"), warn=print).close()  # the next start tells what went
        verify(folder / "store")
    with Reader(folder / "store") as reader:
        assert reported.items() <= {e.sequence: e.hash for e in reader.events()}.items()
    assert kinds(folder / "store").count("pictures_removed") > before


def test_what_made_room_is_told_after_a_kill(tmp_path):
    keeper = Keeper(Store(tmp_path), now=Clock(), warn=print)
    for number in range(4):
        keeper.append(happening(seconds=number))
    with keeper._store as store:
        store.let_go(2)  # and killed before a row could be written
    with pytest.raises(TamperError, match=r"event 1.*is empty: a watch on a full disk let it go"):
        verify(tmp_path)
    warned = []
    Keeper(Store(tmp_path), now=Clock(), warn=warned.append).close()
    assert kinds(tmp_path)[4:] == ["pictures_removed", "corrosion_ended"]
    assert "the pictures of 2 events up to number 2 made room on a full disk" in warned[0]
    assert (verify(tmp_path).pictures, verify(tmp_path).removed) == (4, 4)
    assert len(list((tmp_path / "pictures").iterdir())) == 4


def test_what_made_room_half_is_told_after_a_kill(tmp_path):
    keeper = Keeper(Store(tmp_path), now=Clock(), warn=print)
    for number in range(2):
        keeper.append(happening(("corrosion_began", "corrosion_ended")[number], number))
    keeper.close()
    with Reader(tmp_path) as reader:
        os.truncate(reader.event("1").pictures["map"].path, 0)
    Keeper(Store(tmp_path), now=Clock(), warn=print).close()
    assert kinds(tmp_path)[2:] == ["pictures_removed"]
    assert (verify(tmp_path).pictures, verify(tmp_path).removed) == (2, 2)


def test_an_empty_file_among_others_was_made_by_another_hand(tmp_path):
    keeper = Keeper(Store(tmp_path), now=Clock(), warn=print)
    for number in range(4):
        keeper.append(happening(seconds=number))
    keeper.close()
    with Reader(tmp_path) as reader:
        os.truncate(reader.event("3").pictures["map"].path, 0)
    Keeper(Store(tmp_path), now=Clock(), warn=print).close()
    assert "pictures_removed" not in kinds(tmp_path)
    with pytest.raises(TamperError, match="event 3"):
        verify(tmp_path)


def test_what_cannot_be_told_yet_is_told_with_the_next_event(tmp_path, monkeypatch):
    store = Store(tmp_path)
    keeper = Keeper(store, now=Clock(), warn=lambda line: None)
    for number in range(4):
        keeper.append(happening(seconds=number))
    monkeypatch.setattr(store, "has_room", lambda size: False)
    append, full = store.append, [True]

    def appended(entry, **how):
        if full[0]:
            raise OutputError("no space left")
        return append(entry, **how)

    monkeypatch.setattr(store, "append", appended)
    keeper.append(happening(seconds=9))
    assert store.let_go_through() == 4  # all of 3 kB each, as a megabyte is asked for
    full[0] = False
    keeper.append(happening("corrosion_ended", 10))
    assert kinds(tmp_path)[4:] == ["pictures_removed", "corrosion_began", "corrosion_ended"]
    assert verify(tmp_path).removed == 8
    store.close()


def test_another_fault_than_a_full_disk_costs_no_picture(tmp_path, monkeypatch):
    store = Store(tmp_path)
    keeper = Keeper(store, now=Clock(), warn=lambda line: None)
    keeper.append(happening())
    monkeypatch.setattr("corrosion_edge.output.os.fsync", _broken)
    keeper.append(happening("corrosion_ended", 1))
    monkeypatch.undo()
    assert store.let_go_through() == 0
    keeper.close()
    assert verify(tmp_path).pictures == 2


def _broken(handle):
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("size", ["4m", ""])
def test_a_watch_starts_on_a_full_disk(request, size):
    """Also where the log and its index have to be made anew."""
    folder = request.getfixturevalue("disk_of")(size) if size else request.getfixturevalue("ext4")
    keeper = Keeper(Store(folder / "store"), now=Clock(), warn=print)
    for number in range(12):
        keeper.append(happening(seconds=number))
    keeper.close()
    fill(folder)
    keeper = Keeper(Store(folder / "store"), now=Clock(), warn=print)
    keeper.append(happening("started", 20))
    keeper.close()
    assert kinds(folder / "store")[-1] == "started"
    assert verify(folder / "store").removed


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("size", ["4m", pytest.param("", marks=needs_disks)])
def test_a_full_disk_without_a_picture_is_named_and_once_there_is_room_it_starts(
    request, size, begun
):
    folder = request.getfixturevalue("disk_of")(size) if size else request.getfixturevalue("ext4")
    store = folder / "store"
    if begun:
        with Keeper(Store(store), now=Clock(), warn=print) as keeper:
            keeper.append(happening("started"))
    else:
        store.mkdir()
        (store / "pictures").mkdir()
        (store / "lock").touch()
    fill(folder)
    with pytest.raises(StoreError, match=f"^{store}: the disk is full .*; free 1 MB or more on it"):
        Store(store)
    (folder / "ballast").unlink()
    keeper = Keeper(Store(store), now=Clock(), warn=print)
    keeper.append(happening("started", 1))
    keeper.close()
    assert kinds(store) == ["started"] * (1 + begun)
    assert not (store / "set-aside").exists()


def test_summaries_make_room_too(disk_of):
    folder = disk_of("4m")
    clock, told = Clock(), []
    keeper = Keeper(Store(folder / "store"), now=clock, warn=print, told=told.append)
    for number in range(12):
        keeper.append(happening(seconds=number))
    fill(folder)
    for minute in range(300):
        keeper._summaries.append(summary(60 * minute))
    clock.seconds = 601.0
    keeper.summarise(summary(601))
    assert told[-1].fields["kind"] == "pictures_removed"
    with Reader(folder / "store") as reader:
        assert len(list(reader.summaries())) == 301
    keeper.close()


def test_a_limit_that_the_disk_does_not_hold_is_said(tmp_path, monkeypatch):
    with Store(tmp_path) as store:
        monkeypatch.setattr(store, "free", lambda: 40_000_000)
        monkeypatch.setattr(store, "size", lambda: 10_000_000)
        told = Retention(megabytes=51).shortage(store)
        assert told.startswith("--keep-mb 51: the disk has room for a store of 50 MB; once it is")
        assert Retention(megabytes=50).shortage(store) == ""
        assert Retention().tell(store, stamp()) is None
