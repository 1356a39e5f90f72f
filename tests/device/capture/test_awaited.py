"""Cameras that are not there at the start, and what can never come."""

import threading
import time

import pytest

from corrosion_edge.device.capture import (
    Backoff,
    Patience,
    Several,
    Supervised,
    open_camera,
    open_several,
    opening,
    supervised,
)
from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import NoSuchSource, SourceError, UsageError


@pytest.fixture(autouse=True)
def quick_to_close(monkeypatch):
    monkeypatch.setattr(supervised, "_CLOSE_WITHIN", 0.05)


ABSENT = SourceError("/dev/video0: no such device")


def opens(*openings):
    """What opens one after the other: a list of steps, an error, or a source."""
    rest = iter(openings)

    def make(*_):
        made = next(rest)
        if isinstance(made, BaseException):
            raise made
        return FakeCamera(made, period=0.005) if isinstance(made, list) else made

    return make


def awaited(*openings, told=None, patience=None, bell=None):
    return Supervised(None, opens(*openings), called="/dev/video0", backoff=Backoff(0.01, 0.05),
                      observe=None if told is None else told.append, patience=patience,
                      bell=bell)  # fmt: skip


def poll_until(source, holds):
    """Ask a source that delivers nothing, until it holds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        assert source.poll() is None
        time.sleep(0.01)


def test_an_absent_camera_is_lost_tried_again_and_recovers():
    told = []
    with awaited(ABSENT, ABSENT, ["frame", "frame", "hang"], told=told) as source:
        assert source.name == "/dev/video0"
        assert source.read().index == 0
        assert source.name == "fake camera"
    assert [state.event for state in told] == ["lost", "recovered", "ended"]
    assert {state.camera for state in told} == {"/dev/video0"}
    lost, back, _ = told
    assert (lost.kind, back.kind) == ("camera_lost", "camera_recovered")
    assert (lost.reason, lost.previous, lost.failures) == ("no such device", "starting", 1)
    assert back.failures == 2
    assert back.reason.startswith("frames come after 0.")
    assert back.reason.endswith(", now from fake camera")


def test_one_that_is_there_is_told_to_nobody():
    told = []
    with awaited(["frame", "hang"], told=told) as source:
        source.read()
    assert [state.kind for state in told] == ["", ""]
    assert told[0].reason == "frames come, now from fake camera"


def test_one_that_opens_but_fails_or_hangs_before_its_first_frame_is_tried_again():
    told = []
    openings = (["vanish"], ["hang"], ["frame", "hang"])
    with awaited(*openings, told=told, patience=Patience(hung_after=0.1)) as source:
        assert source.read().index == 0
    assert [state.event for state in told] == ["lost", "lost", "recovered", "ended"]
    assert told[1].reason.startswith("no frame for 0.1 s")


def test_an_opening_that_hangs_keeps_nobody_waiting_and_is_given_up():
    gate, told = threading.Event(), []
    made = opens(["frame", "hang"])

    def slow():
        if not gate.is_set():
            gate.wait(5)
            raise ABSENT
        return made()

    with Supervised(None, slow, called="pole", observe=told.append, backoff=Backoff(0.01, 0.05),
                    patience=Patience(open_within=0.05)) as source:  # fmt: skip
        poll_until(source, lambda: told)
        gate.set()
        source.read()
    assert told[0].reason.startswith("no answer to its opening for 0.05 s")


@pytest.mark.parametrize(
    "never",
    [NoSuchSource("/dev/null: not a device"), ModuleNotFoundError("av"), UsageError("no"),
     KeyboardInterrupt()],
)  # fmt: skip
def test_what_can_never_come_ends_it(never):
    told = []
    with awaited(never, ["frame"], told=told) as source:
        for _ in range(2):
            with pytest.raises(type(never)):
                source.read()
    assert [state.state for state in told] == ["lost", "ended"]


def test_once_it_delivered_even_that_is_waited_for():
    never = NoSuchSource("clip.mp4: a recording")
    with awaited(["frame", "vanish"], never, ["frame", "hang"]) as source:
        assert [source.read().index for _ in range(2)] == [0, 1]


def test_the_pace_of_a_camera_is_known_once_it_came():
    paced = FakeCamera(["frame", "hang"])
    paced.paced = True
    with awaited(ABSENT, paced) as source:
        assert not source.paced
        source.read()
        assert source.paced


def test_others_are_watched_while_one_is_awaited():
    bell, gate = Bell(), threading.Event()
    late = opens(["frame"] * 1000)

    def once_it_is_plugged_in():
        if not gate.is_set():
            raise ABSENT
        return late()

    there = Supervised(FakeCamera(["frame"] * 100_000, period=0.002), bell=bell)
    absent = Supervised(None, once_it_is_plugged_in, bell=bell, backoff=Backoff(0.01, 0.05))
    with Several({"there": there, "absent": absent}, bell) as source:
        assert {source.read().camera for _ in range(50)} == {"there"}
        assert not source.keeps_rate("absent")
        gate.set()
        while source.read().camera != "absent":
            pass


def test_opening_does_not_wait_for_what_is_awaited(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(opening, "open_directly", lambda *_: gate.wait(5) and FakeCamera(["hang"]))
    with open_camera("rtsp://me:secret@pole/x", awaited=True) as source:
        assert source.name == source.camera == "rtsp://pole/x"
        assert source.poll() is None
        gate.set()


def test_what_no_waiting_makes_a_live_source_is_an_error(monkeypatch, tmp_path):
    with pytest.raises(NoSuchSource, match="only rtsp, rtsps, http and https"):
        open_camera("ftp://pole/x", awaited=True)
    with pytest.raises(SourceError, match="no such camera, file or folder"):
        open_camera(str(tmp_path / "clip.mp4"), awaited=True)
    recording = FakeCamera(["frame"], live=False)
    monkeypatch.setattr(opening, "open_directly", lambda *_: recording)
    with (
        open_camera("http://pole/clip.mp4", awaited=True) as source,
        pytest.raises(NoSuchSource, match=r"a recording, not a live stream.*--no-await-cameras"),
    ):
        source.read()
    assert recording.history == ["closed"]


@pytest.mark.parametrize("spec", ["/dev/null", "/dev"])
def test_a_device_that_is_no_camera_never_comes(spec):
    pytest.importorskip("av", reason="PyAV is not installed")
    with open_camera(spec, awaited=True) as source, pytest.raises(NoSuchSource, match=spec):
        poll_until(source, lambda: False)


@pytest.mark.parametrize("spec", ["/dev/video-absent", "http://127.0.0.1:9/x"])
def test_an_absent_device_or_server_is_awaited(spec):
    pytest.importorskip("av", reason="PyAV is not installed")
    told = []
    with open_camera(spec, awaited=True, observe=told.append) as source:
        poll_until(source, lambda: told)
    assert told[0].kind == "camera_lost"


def test_a_file_among_several_is_refused_though_they_are_awaited(tmp_path):
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError):
        open_several({"a": "/dev/video-absent", "b": str(tmp_path / "clip.mp4")},
                     lambda spec, name, bell: open_camera(spec, name=name, bell=bell, awaited=True),
                     )  # fmt: skip
