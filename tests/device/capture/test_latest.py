"""A live source's newest frame, and every way in which a camera fails that is not opened again."""

import threading
import time

import numpy as np
import pytest

from corrosion_edge.device.capture import Patience, Supervised, supervised
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import SourceLost


def latest(camera, deadline=10.0, frozen_after=60.0):
    return Supervised(camera, patience=Patience(hung_after=deadline, frozen_after=frozen_after))


def wait_until(holds, seconds=5.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def test_the_newest_frame_wins_and_the_others_are_counted():
    camera = FakeCamera(["frame"] * 7 + ["hang"])
    with latest(camera) as source:
        wait_until(lambda: "hang" in camera.history)
        assert source.read().index == 6
        assert source.dropped == 6
        camera.close()


def test_a_frame_is_read_once():
    camera = FakeCamera(["frame", "hang"])
    with latest(camera, deadline=0.1) as source:
        assert source.read().index == 0
        with pytest.raises(SourceLost):
            source.read()
        camera.close()


def test_a_hanging_camera_is_lost_after_the_deadline_and_named():
    camera = FakeCamera(["frame", "hang"])
    with latest(camera, deadline=0.2) as source:
        source.read()
        with pytest.raises(SourceLost, match=r"^fake camera: no frame for 0\.2 s"):
            source.read()
        camera.close()


def test_closing_a_hanging_camera_comes_back(monkeypatch):
    monkeypatch.setattr(supervised, "_CLOSE_WITHIN", 0.1)
    camera = FakeCamera(["hang"], stubborn=True)
    source = latest(camera)
    wait_until(lambda: "hang" in camera.history)
    source.close()
    assert camera.history == ["hang", "interrupted"]  # never closed from outside, during a read
    camera.close()


def test_a_vanished_camera_is_lost_for_good_after_its_last_frame():
    camera = FakeCamera(["frame", "vanish"])
    with latest(camera) as source:
        wait_until(lambda: "vanish" in camera.history)
        assert source.read().index == 0
        for _ in range(2):
            with pytest.raises(SourceLost, match="vanished"):
                source.read()


def test_a_stream_that_ends_is_lost():
    with latest(FakeCamera(["frame"], live=False)) as source:
        source.read()
        with pytest.raises(SourceLost, match="the stream ended"):
            source.read()


def test_a_camera_that_ends_at_once_is_lost():
    with latest(FakeCamera([])) as source, pytest.raises(SourceLost):
        source.read()


def test_a_frozen_camera_is_lost():
    camera = FakeCamera(["frame"] + ["repeat"] * 1000, period=0.01)
    sentence = r"fake camera: frozen, the same picture for 0\.2 s"
    source = latest(camera, frozen_after=0.2)
    with source, pytest.raises(SourceLost, match=sentence):
        while True:
            source.read()


def test_a_scene_that_changes_now_and_then_is_not_frozen():
    camera = FakeCamera((["frame"] + ["repeat"] * 5) * 20, period=0.005)
    with latest(camera, frozen_after=0.5) as source, pytest.raises(SourceLost) as caught:
        while True:
            source.read()
    assert "vanished" in str(caught.value)  # it came to the end of its script


@pytest.mark.parametrize("error", [RuntimeError("a bug"), SystemExit(3)])
def test_whatever_kills_the_reader_reaches_the_consumer(error, monkeypatch):
    camera = FakeCamera([])

    def die():
        raise error

    monkeypatch.setattr(camera, "read", die)
    with latest(camera) as source, pytest.raises(type(error)) as caught:
        source.read()
    assert caught.value is error
    assert camera.history == ["closed"]


def test_the_thread_that_reads_is_the_one_that_closes(monkeypatch):
    camera = FakeCamera(["frame"] * 10_000, period=0.001)
    threads = []
    close = camera.close
    monkeypatch.setattr(camera, "close", lambda: (threads.append(threading.get_ident()), close()))
    with latest(camera) as source:
        source.read()
    assert threads
    assert threads[0] != threading.get_ident()
    assert not any(thread.name.endswith("fake camera") for thread in threading.enumerate())


def test_reading_after_the_close_is_refused():
    with latest(FakeCamera(["frame"] * 10_000, period=0.001)) as source:
        source.read()
    with pytest.raises(SourceLost, match="closed"):
        for _ in range(2):
            source.read()


def test_the_fake_remembers_and_repeats_the_same_pixels():
    camera = FakeCamera(["frame", "repeat", "frame"])
    one, two, three = (camera.read() for _ in range(3))
    assert np.array_equal(one.pixels, two.pixels)
    assert not np.array_equal(two.pixels, three.pixels)
    assert camera.history == ["frame", "repeat", "frame"]
