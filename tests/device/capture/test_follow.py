"""A folder into which pictures are dropped, in a time that passes only while it sleeps."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from corrosion_edge.device.capture import FollowedFolder
from corrosion_edge.device.sources.source import PhotoError
from corrosion_edge.errors import NoSuchSource, SourceError


class World:
    """Time, and what happens in it: ``at`` maps seconds to actions."""

    def __init__(self, folder, **how):
        self.folder = folder
        self.now = 0.0
        self.at = {}
        self.told = []
        self.source = FollowedFolder(folder, observe=self.told.append, clock=self.clock,
                                     sleep=self.sleep, wall=lambda: 1e9 + self.now,
                                     **how)  # fmt: skip

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += max(seconds, 0.01)
        assert self.now < 200, "it waits for ever"
        for time in sorted(time for time in self.at if time <= self.now):
            self.at.pop(time)()

    def put(self, name, content=None, written=None):
        """A file, last changed now or at the time ``written``."""
        path = self.folder / name
        if content is None:
            Image.fromarray(np.full((4, 6, 3), 99, np.uint8)).save(path)
        else:
            path.write_bytes(content)
        stamp = 1e9 + (self.now if written is None else written)
        os.utime(path, (stamp, stamp))
        return path

    def name(self):
        return os.path.basename(self.source.read().name)  # noqa: PTH119


@pytest.fixture
def world(tmp_path):
    (tmp_path / "drop").mkdir()
    return World(tmp_path / "drop")


def test_what_is_there_comes_first_in_the_order_of_its_change_then_each_new_one(world):
    world.put("b.png", written=-90)
    world.put("a.png", written=-60)
    (world.folder / "below").mkdir()
    world.at[5] = lambda: world.put("below/c.png")
    world.at[9] = lambda: world.put("notes.txt", b"no photo")
    world.at[20] = lambda: world.put("d.png")
    assert [world.name(), world.name()] == ["b.png", "a.png"]
    assert world.now < 0.1
    frame = world.source.read()
    assert (frame.index, frame.name) == (2, str(world.folder / "below/c.png"))
    assert 6 <= world.now <= 7
    assert world.name() == "d.png"


def test_a_file_is_waited_for_while_it_is_being_written(world):
    whole = world.put("a.png").read_bytes()
    world.put("a.png", whole[:20])
    for step in range(1, 9):
        part = whole if step == 8 else whole[: 20 + step]
        world.at[step * 0.9] = lambda part=part: world.put("a.png", part)
    frame = world.source.read()
    assert frame.pixels.shape == (4, 6, 3)
    assert frame.index == 0
    assert 8.2 <= world.now <= 9.3


def test_a_writer_that_pauses_gets_ten_seconds(world):
    whole = world.put("a.png").read_bytes()
    world.put("a.png", whole[:20])
    world.at[8] = lambda: world.put("a.png", whole)
    assert world.name() == "a.png"
    assert world.now < 10


@pytest.mark.parametrize("content", [b"", b"\x89PNG cut"])
def test_a_broken_file_is_reported_once_and_the_next_one_comes(world, content):
    world.put("a.png", content)
    world.at[30] = lambda: world.put("b.png")
    with pytest.raises(PhotoError, match=r"a\.png"):
        world.source.read()
    assert 10 <= world.now <= 11
    frame = world.source.read()
    assert (frame.index, frame.name) == (1, str(world.folder / "b.png"))


def test_a_file_written_anew_is_a_new_picture_and_one_that_stays_is_not(world):
    world.put("latest.png", written=-50)
    world.at[40] = lambda: world.put("latest.png")
    assert [world.name(), world.name()] == ["latest.png", "latest.png"]
    assert world.now >= 41


def test_a_file_that_leaves_before_its_turn_is_forgotten(world):
    path = world.put("a.png")
    world.at[0.6] = path.unlink
    world.at[2] = lambda: world.put("b.png")
    assert world.name() == "b.png"


def test_a_folder_that_goes_away_and_comes_back_delivers_nothing_twice(world):
    world.put("a.png", written=-50)
    assert world.name() == "a.png"
    away = world.folder.with_name("away")
    world.at[5] = lambda: world.folder.rename(away)
    world.at[20] = lambda: away.rename(world.folder)
    world.at[30] = lambda: world.put("b.png")
    assert world.name() == "b.png"
    assert [state.event for state in world.told] == ["lost", "recovered"]
    assert world.told[0].reason == "the folder is gone; it is waited for"


def test_the_place_of_an_unmounted_share_is_not_the_folder(world, monkeypatch):
    world.put("a.png", written=-50)
    monkeypatch.setattr(world.source, "_device", -1)
    world.at[4] = lambda: setattr(world.source, "_device", world.folder.stat().st_dev)
    assert world.name() == "a.png"
    assert world.now >= 4
    assert world.told[0].event == "lost"


def test_the_end_is_none_and_no_folder_is_an_error(world, tmp_path):
    world.source.close()
    assert world.source.read() is None
    shutil.rmtree(world.folder)
    with pytest.raises(SourceError, match="no folder; only a folder can be followed"):
        FollowedFolder(tmp_path / "drop")


def test_a_folder_that_is_awaited_may_come_later_and_a_file_in_its_place_never(tmp_path):
    world = World(tmp_path / "share", awaited=True)
    world.at[4] = world.folder.mkdir
    world.at[9] = lambda: world.put("a.png")
    assert world.name() == "a.png"
    assert [state.event for state in world.told] == ["lost", "recovered"]
    assert world.told[0].reason == "there is no such folder yet; it is waited for"
    assert world.told[1].reason == "the folder is there"
    (tmp_path / "file").touch()
    with pytest.raises(NoSuchSource, match="only a folder can be followed"):
        World(tmp_path / "file", awaited=True)
    with pytest.raises(SourceError, match="add --await-cameras"):
        World(tmp_path / "nothing")


def test_a_share_that_is_mounted_after_the_start_is_the_folder_only_if_it_is_awaited(tmp_path):
    """A device of -1 stands for that of the place before it was mounted over."""
    for awaited in (True, False):
        (tmp_path / f"{awaited}").mkdir()
        world = World(tmp_path / f"{awaited}", awaited=awaited)
        world.source._device = -1
        world.put("a.png", written=-50)
        world.at[3] = lambda: setattr(world.source, "_device", world.folder.stat().st_dev)  # noqa: B023
        world.name()
        assert [state.event for state in world.told] == [] if awaited else ["lost", "recovered"]
        assert world.source._device == world.folder.stat().st_dev


def test_once_a_photo_was_taken_another_file_system_is_not_the_folder(tmp_path):
    (tmp_path / "share").mkdir()
    world = World(tmp_path / "share", awaited=True)
    world.put("a.png", written=-50)
    world.name()
    world.source._device = -1
    world.put("b.png", written=-40)
    world.at[5] = lambda: setattr(world.source, "_device", world.folder.stat().st_dev)
    assert world.name() == "b.png"
    assert [state.event for state in world.told] == ["lost", "recovered"]
