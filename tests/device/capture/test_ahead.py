"""Recordings decoded ahead: the same frames, errors and end as without."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.capture.ahead import Ahead
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import SourceLost


def recording(steps):
    return FakeCamera(steps, live=False, spacing=0.1)


def told(source):
    """Indices of the frames, and how it ended."""
    indices = []
    try:
        while (frame := source.read()) is not None:
            indices.append((frame.index, frame.position))
    except SourceLost as error:
        return indices, str(error)
    return indices, "end"


@given(st.integers(0, 20), st.booleans())
def test_nothing_is_lost_doubled_or_moved(count, breaks):
    steps = ["frame"] * count + (["vanish"] if breaks else [])
    with recording(steps) as plain, Ahead(recording(steps)) as ahead:
        assert told(ahead) == told(plain)
        assert ahead.read() is None


def test_it_waits_for_whoever_judges():
    source = recording(["frame"] * 100)
    with Ahead(source) as ahead:
        for index in range(10):
            assert ahead.read().index == index
            assert source.history.count("frame") <= index + 6  # 3 wait, 1 is offered, 1 is read
    assert source.history[-1] == "closed"


def test_closing_does_not_wait_for_the_rest():
    source = recording(["frame"] * 10_000)
    ahead = Ahead(source)
    ahead.read()
    ahead.close()
    ahead.close()
    assert ahead.read() is None
    assert source.history.count("frame") < 20
    assert not any(t.name.startswith("decodes") for t in threading.enumerate())


def test_a_read_that_hangs_is_left_alone():
    source = recording(["frame", "hang"])
    ahead = Ahead(source)
    assert ahead.read().index == 0
    ahead.close()  # comes back, though the read does not
    assert "closed" not in source.history
    source.close()


def test_a_read_that_hangs_is_told_after_so_long_and_does_not_keep_silent_for_ever():
    source = recording(["frame", "hang"])
    waits = []
    with Ahead(source, hung_after=0.05) as ahead:
        ahead.on_wait = lambda: waits.append(1)
        assert ahead.read().index == 0
        with pytest.raises(SourceLost, match=r"fake camera: no frame for 0\.05 s; .*--hung-after"):
            ahead.read()
        assert ahead.read() is None
        source.close()
    assert waits


def test_a_camera_is_not_read_ahead():
    with FakeCamera(["frame"]) as camera, pytest.raises(ValueError, match="expected a recording"):
        Ahead(camera)
