"""What a broker is told of each camera, and when."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLANK = {"verdict": None, "label": None, "score": None, "threshold": None, "unsure": None,
         "unusable": None, "tile": None, "backend": None, "latency_ms": None}  # fmt: skip
RUNNING = Running("a model", "ab" * 32, RunsOn("cpu", "a processor"))
RUNS = {"model": "a model", "model_sha256": "ab" * 32, "runs_on": "a processor",
        "stand_in": False, "accelerator_up": None}  # fmt: skip


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def following(cameras=("deck",)):
    return Following(cameras, Detection.for_model, 0.5, None)


def live(clock, cameras=("deck",), every=10.0, running=None):
    made = Live(cameras, running or (lambda: RUNNING), following(cameras), every, clock)
    for _, state in made.due():
        assert state["state"] == "starting" and state["verdict"] is None
    clock.seconds += 1
    return made


def frame(camera=""):
    return Frame(np.zeros((2, 2, 3), np.uint8), 0, AT, camera=camera)


def verdict(score, camera="", band=None, latency=3.0):
    return Verdict(frame(camera), Prediction(score, 0.5, band=band), latency)


def lost(camera="deck", state="lost", reason="no frame for 10 s", **how):
    return CameraState(camera, state, reason, AT, **how)


def test_a_verdict_with_all_that_belongs_to_it(clock):
    one = live(clock)
    one.take(verdict(0.75, band=(0.1, 0.7), latency=3.14159))
    ((camera, state),) = one.due()
    assert camera == "deck"
    assert datetime.fromisoformat(state.pop("time")) == AT
    assert state == {
        "camera": "deck", "state": "running", "reason": "", "corrosion": None,
        **BLANK, **RUNS, "verdict": "corrosion",
        "label": "corrosion", "score": 0.75, "threshold": 0.5, "unsure": False,
        "latency_ms": 3.142,
    }  # fmt: skip


def test_while_the_verdict_stays_at_most_every_so_often(clock):
    one, sent = live(clock), []
    for tenth in range(600):
        clock.seconds = 100 + tenth / 10
        one.take(verdict(0.5 + (tenth % 100) / 300))
        sent += [clock.seconds for _ in one.due()]
    assert len(sent) == 7  # the second says that corrosion began, which took three frames
    assert all(b - a >= 10 for a, b in pairwise(sent[1:]))


def test_a_change_comes_at_once_but_no_oftener_than_a_second(clock):
    one, sent = live(clock), []
    for tenth in range(100):
        clock.seconds = 100 + tenth / 10
        one.take(verdict(0.9 if tenth % 2 else 0.1))
        sent += [state["label"] for _, state in one.due()]
    assert len(sent) <= 10
    clock.seconds += 1
    one.take(verdict(0.9))
    clock.seconds += 1
    one.take(verdict(0.1))
    assert [state["label"] for _, state in one.due()] == ["no-corrosion"]


def test_nothing_new_nothing_sent(clock):
    one = live(clock)
    one.take(verdict(0.9))
    assert len(one.due()) == 1
    clock.seconds += 1000
    assert one.due() == []
    one.again()
    assert len(one.due()) == 1


def test_unsure_is_neither(clock):
    one = live(clock)
    one.take(verdict(0.6, band=(0.1, 0.8)))
    ((_, state),) = one.due()
    assert (state["verdict"], state["label"], state["unsure"]) == ("unsure", "corrosion", True)


def test_a_picture_that_shows_nothing_has_no_score(clock):
    one = live(clock)
    one.take(verdict(0.9))
    one.due()
    clock.seconds += 1
    one.take(Unusable(frame(), Quality("dark", 9, 48)))
    ((_, state),) = one.due()
    assert state["unusable"] == "dark" and state["verdict"] == "unusable"
    assert state["score"] is None and state["label"] is None
    clock.seconds += 1
    one.take(Unreadable(3, "x.jpg", "broken"))
    assert one.due()[0][1]["unusable"] == "unreadable"


def test_a_lost_camera_keeps_no_verdict(clock):
    one = live(clock)
    one.take(verdict(0.9))
    one.due()
    clock.seconds += 1
    one.take(lost("/dev/video0"))  # alone, it is called as its source
    ((camera, state),) = one.due()
    assert camera == "deck"
    assert (state["state"], state["reason"]) == ("lost", "no frame for 10 s")
    assert {name: state[name] for name in BLANK} == BLANK
    clock.seconds += 1
    one.take(lost(state="running", reason="frames again", previous="lost"))
    assert one.due()[0][1]["state"] == "running"


def test_a_late_camera_is_still_late_with_its_next_frame(clock):
    one = live(clock)
    one.take(lost(state="degraded", reason="no frame for 3 s"))
    one.take(verdict(0.9))
    assert one.due()[0][1]["state"] == "degraded"


def test_each_of_several_cameras_has_its_own(clock):
    one = live(clock, ("deck", "gate"))
    one.take(verdict(0.9, "gate"))
    one.take(verdict(0.9, "nobody's"))
    one.take(Unreadable(0, "x", "y"))
    assert [camera for camera, _ in one.due()] == ["gate"]
    one.take(Unreadable(0, "x", "y", "deck"))
    assert [camera for camera, _ in one.due()] == ["deck"]


def test_kinds_that_are_not_known_are_passed_over(clock):
    one = live(clock)
    one.take(object())
    assert one.due() == []


def test_what_runs_is_asked_for_each_message(clock):
    names = iter(("old", "new"))
    one = Live(
        ("deck",), lambda: Running(next(names), "", RunsOn("cpu", "")), following(), clock=clock
    )
    assert one.due()[0][1]["model"] == "old"
    one.again()
    assert one.due()[0][1]["model"] == "new"


EDGE_TPU = RunsOn("edgetpu", "runtime, Edge TPU", "Edge TPU")
AWAY = RunsOn("nothing", "nothing: the Edge TPU is away", "Edge TPU", "unplugged", AT, 1)
STAND_IN = RunsOn("cpu", "runtime, in place of the Edge TPU", "Edge TPU", "unplugged", AT, 1)


class Runs:
    """What runs, as the test says."""

    on = EDGE_TPU

    def __call__(self):
        return Running("a model", "ab" * 32, self.on)

    def become(self, one, on, state):
        self.on = on
        one.take(AcceleratorState("Edge TPU", state, "unplugged", AT))


def test_without_the_accelerator_no_verdict_stands(clock):
    runs = Runs()
    one = live(clock, ("deck", "gate"), running=runs)
    for camera in ("deck", "gate"):
        one.take(verdict(0.9, camera))
    assert [state["accelerator_up"] for _, state in one.due()] == [True, True]
    clock.seconds += 1
    runs.become(one, AWAY, "lost")
    for camera, state in one.due():
        assert (state["camera"], state["state"]) == (camera, "running")
        assert {name: state[name] for name in BLANK} == BLANK
        assert (state["accelerator_up"], state["stand_in"]) == (False, False)
        assert state["runs_on"] == "nothing: the Edge TPU is away"
    clock.seconds += 1
    runs.become(one, EDGE_TPU, "recovered")
    one.take(verdict(0.1, "gate"))
    assert [state["verdict"] for _, state in one.due()] == [None, "no-corrosion"]


def test_a_change_to_what_stands_in_comes_at_once(clock):
    runs = Runs()
    one = live(clock, running=runs)
    one.take(verdict(0.9))
    one.due()
    clock.seconds += 1.5
    one.take(verdict(0.9))
    assert one.due() == []
    runs.become(one, STAND_IN, "replaced")
    ((_, state),) = one.due()
    assert (state["verdict"], state["stand_in"], state["accelerator_up"]) == (
        "corrosion", True, False,
    )  # fmt: skip


def test_what_the_whole_watch_runs_on_is_told_when_it_changes(clock):
    runs = Runs()
    one = live(clock, running=runs)
    told = one.watch_due()
    assert (told["word"], told["backend"], told["model"]) == ("Edge TPU", "edgetpu", "a model")
    assert told["accelerator"]["up"]
    assert one.watch_due() is None
    runs.become(one, STAND_IN, "replaced")
    told = one.watch_due()
    assert (told["word"], told["stand_in"]) == ("CPU in place of the Edge TPU", True)
    assert told["accelerator"]["reason"] == "unplugged"
    one.again()
    assert one.watch_due()["backend"] == "cpu"


def test_what_a_verdict_was_made_on_stays_with_it(clock):
    one = live(clock)
    one.take(Verdict(frame(), Prediction(0.9, 0.5, backend="an old one"), 3.0))
    ((_, state),) = one.due()
    assert (state["backend"], state["runs_on"]) == ("an old one", "a processor")
