"""What a followed folder's files are remembered by, and that kills lose none and repeat none."""

import os

import numpy as np
import pytest
from following import kill_often
from happenings import happening, stamp, summary
from PIL import Image

from corrosion_edge.device.capture import FollowedFolder
from corrosion_edge.device.events.taken import Taken
from corrosion_edge.device.store import Keeper, Store
from corrosion_edge.errors import OutputError

A = Taken("/p/a.png", 7, 8)
B = Taken("/p/b.png", 9, 10)


def test_kills_lose_no_file_and_store_none_twice(tmp_path):
    account = kill_often(tmp_path, 4, 7)
    assert account.files == 80
    assert account.verdicts >= 80
    assert (account.lost, account.twice) == (0, 0)


def test_a_file_is_remembered_with_its_event_and_forgotten_when_it_is_gone(tmp_path):
    with Keeper(Store(tmp_path / "ev")) as keeper:
        keeper.append(happening("started"))
        assert keeper._store.taken() == []
        keeper.append(happening("usable"), summary(), [A])
        assert keeper._store.taken() == [A]
        keeper.append(happening("usable"), None, [B, Taken(A.path, gone=True)])
        assert keeper._store.taken() == [B]


def test_a_file_whose_event_waits_is_not_taken_until_the_event_is_stored(tmp_path, monkeypatch):
    now = [stamp(0)]
    keeper = Keeper(Store(tmp_path / "ev"), now=lambda: now[0], warn=lambda line: None)
    store = keeper._store
    whole = store.append

    def full(entry, **how):
        raise OutputError("no space left")

    monkeypatch.setattr(store, "append", full)
    keeper.append(happening("usable"), summary(), [A])
    now[0] = stamp(1000)
    keeper.summarise(summary(1000), [B])
    assert store.taken() == []
    monkeypatch.setattr(store, "append", whole)
    keeper.append(happening("usable"))
    assert sorted(each.path for each in store.taken()) == [A.path, B.path]
    keeper.close()


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(("a.png", "b.png")):
        Image.fromarray(np.full((4, 6, 3), 99, np.uint8)).save(folder / name)
        os.utime(folder / name, (1e9 + number, 1e9 + number))
    return folder


def taken_of(source):
    frame = source.read()
    return source.taken(frame.name)


def test_the_same_file_is_passed_over_and_one_written_anew_is_not(photos):
    with FollowedFolder(photos) as source:
        (a,), (b,) = taken_of(source), taken_of(source)
    assert (a.path, a.changed_ns) == (str(photos / "a.png"), 10**18)
    with FollowedFolder(photos) as source:
        source.pass_over([a])
        assert taken_of(source) == [b]
    os.utime(photos / "a.png", (1.5e9, 1.5e9))
    with FollowedFolder(photos) as source:
        source.pass_over([a, b])
        (again,) = taken_of(source)
    assert (again.path, again.changed_ns) == (a.path, 15 * 10**17)


def test_what_left_the_folder_is_forgotten_and_what_lies_elsewhere_is_not(photos):
    left, elsewhere = Taken(str(photos / "old.png"), 1, 2), Taken("/elsewhere/x.png", 1, 2)
    with FollowedFolder(photos) as source:
        source.pass_over([left, elsewhere])
        assert taken_of(source)[1:] == [Taken(left.path, gone=True)]
        assert len(taken_of(source)) == 1
