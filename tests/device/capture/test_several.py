"""Several cameras at once: fair turns, names, and one that is away."""

import io
import json
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from corrosion_edge.device.capture import (
    Backoff,
    Framing,
    Look,
    Several,
    Supervised,
    named,
    open_several,
)
from corrosion_edge.device.capture.bell import Bell
from corrosion_edge.device.pipeline import Pace
from corrosion_edge.device.sinks import JsonSink, TextSink
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.errors import SourceError, SourceLost, UsageError
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

PICTURE = np.zeros((6, 8, 3), np.uint8)


def several(*, told=None, again=None, **cameras):
    bell = Bell()
    made = {
        name: Supervised(camera, again, name=name, bell=bell, backoff=Backoff(0.01, 0.02),
                         observe=None if told is None else told.append)
        for name, camera in cameras.items()
    }  # fmt: skip
    return Several(made, bell)


def busy(count=100_000, period=0.0):
    return FakeCamera(["frame"] * count, period=period, size=(8, 6))


def test_a_fast_camera_does_not_keep_a_slow_one_from_its_turn():
    with several(fast=busy(), slow=busy(period=0.02), slower=busy(period=0.04)) as source:
        seen = []
        while seen.count("slower") < 5:
            seen.append(source.read().camera)
            time.sleep(0.01)  # as long as a network would take, for frames to be replaced
    count = Counter(seen)
    assert count["slow"] >= 3
    assert count["fast"] >= 3
    assert source.dropped > 0


class Ready(Supervised):
    """A camera that always has a new frame."""

    def __init__(self):
        self.name, self.paced, self.index = "ready", False, -1

    def poll(self):
        self.index += 1
        return Frame.now(PICTURE, self.index)


def test_cameras_that_all_have_frames_take_turns_strictly():
    source = Several({name: Ready() for name in "abc"}, Bell(), clock=lambda: 0.0)
    frames = [source.read() for _ in range(9)]
    assert [frame.camera for frame in frames] == list("abc") * 3
    assert [frame.index for frame in frames] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_camera_whose_frames_take_long_gets_fewer_turns():
    now, cost = [0.0], {"tiled": 64.0, "plain": 1.0}
    source = Several({name: Ready() for name in cost}, Bell(), clock=lambda: now[0] / 40)
    seen = []
    for _ in range(400):
        seen.append(source.read().camera)
        now[0] += cost[seen[-1]]
    assert seen.count("plain") > 20 * seen.count("tiled") > 0


def test_a_camera_that_is_away_costs_the_others_nothing_and_comes_back():
    told = []
    openings = iter([SourceError("gate: gone"), busy(period=0.005)])

    def again():
        made = next(openings)
        if isinstance(made, Exception):
            raise made
        return made

    gate = FakeCamera(["frame", "vanish"], period=0.01)
    with several(told=told, again=again, pole=busy(period=0.005), gate=gate) as source:
        seen = []
        while "recovered" not in [state.event for state in told]:
            seen.append(source.read().camera)
        seen += [source.read().camera for _ in range(20)]
    events = [(state.camera, state.event) for state in told if state.camera == "gate"]
    assert [event for _, event in events] == ["running", "lost", "lost", "recovered", "ended"]
    assert seen.count("pole") > 1
    assert "gate" in seen[-20:]


def test_without_reconnecting_the_first_that_is_lost_ends_it():
    source = several(a=busy(period=0.01), b=FakeCamera(["frame", "vanish"]))
    with source, pytest.raises(SourceLost, match="vanished"):
        for _ in range(10_000):
            source.read()


def test_the_name_holds_those_of_all():
    with several(a=busy(5), b=busy(5)) as source:
        assert source.name == "a=fake camera, b=fake camera"
        assert source.live


@pytest.mark.parametrize(
    ("specs", "expected"),
    [(["auto"], {"": "auto"}), (["gate=auto"], {"gate": "auto"}),
     (["a=/dev/video0", "b-2=rtsp://x/y?z=1"], {"a": "/dev/video0", "b-2": "rtsp://x/y?z=1"}),
     (["rtsp://x/y?z=1"], {"": "rtsp://x/y?z=1"}), (["./a=b.mp4"], {"": "./a=b.mp4"})],
)  # fmt: skip
def test_names_are_told_from_sources(specs, expected):
    assert named(specs) == expected


def test_a_file_that_is_called_so_goes_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named(["a=b.mp4"]) == {"a": "b.mp4"}
    (tmp_path / "a=b.mp4").touch()
    assert named(["a=b.mp4"]) == {"": "a=b.mp4"}


@pytest.mark.parametrize(
    ("specs", "sentence"),
    [(["a=x", "a=y"], "the name a stands twice"), (["x", "y"], "several need names"),
     (["a=x", "y"], "several need names")],
)  # fmt: skip
def test_names_that_cannot_be_are_refused(specs, sentence):
    with pytest.raises(UsageError, match=sentence):
        named(specs)


def test_if_one_cannot_be_opened_the_others_are_closed_again():
    cameras = {"a": busy(), "b": None, "c": FakeCamera(["frame"], live=False)}

    def open_one(spec, name, bell):
        if cameras[name] is None:
            raise SourceError("b: no such device")
        return Supervised(cameras[name], bell=bell) if cameras[name].live else cameras[name]

    with pytest.raises(SourceError, match="b: no such device"):
        open_several({"a": "x", "b": "y"}, open_one)
    assert cameras["a"].history[-1] == "closed"
    with pytest.raises(UsageError, match="--camera c=fake camera: only live cameras have names"):
        open_several({"c": "clip.mp4"}, open_one)
    assert cameras["c"].history == ["closed"]


def test_each_camera_has_an_interval_and_a_size_of_its_own():
    now = [0.0]
    pace = Pace(1.0, live=True, clock=lambda: now[0])
    frames = {name: replace(Frame.now(PICTURE, 0), camera=name) for name in "ab"}
    assert [pace.takes(frames[name]) for name in "aabb"] == [True, False, True, False]
    now[0] = 1.0
    assert [pace.takes(frames[name]) for name in "ab"] == [True, True]
    said = []
    look = Look(Framing(resolution=(4, 3)), said.append)
    for name in "abab":
        assert look(frames[name]).camera == name
    assert said == [f"{name}: pictures come as 8x6; scaled here to 4x3" for name in "ab"]


def test_lines_carry_the_name():
    result = Verdict(replace(Frame.now(PICTURE, 3), camera="gate"), Prediction(0.7, 0.5), 1.0)
    out = io.StringIO()
    JsonSink(out).write(result)
    assert json.loads(out.getvalue())["camera"] == "gate"
    out = io.StringIO()
    TextSink(out).write(result)
    assert out.getvalue().split()[1:3] == ["gate", "corrosion"]
