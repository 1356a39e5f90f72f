"""What a broker is told of each camera, and when."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.device.verdict import Unreadable, Unusable, Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLANK = {"verdict": None, "label": None, "score": None, "threshold": None, "unsure": None,
         "unusable": None, "tile": None, "latency_ms": None}  # fmt: skip
RUNS = {"model": "a model", "model_sha256": "ab" * 32, "runs_on": "a processor"}


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


def live(clock, cameras=("deck",), every=10.0, running=None):
    made = Live(cameras, running or (lambda: Running(*RUNS.values())), every, clock)
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
        "camera": "deck", "state": "running", "reason": "", **BLANK, **RUNS, "verdict": "corrosion",
        "label": "corrosion", "score": 0.75, "threshold": 0.5, "unsure": False,
        "latency_ms": 3.142,
    }  # fmt: skip


def test_while_the_verdict_stays_at_most_every_so_often(clock):
    one, sent = live(clock), []
    for tenth in range(600):
        clock.seconds = 100 + tenth / 10
        one.take(verdict(0.5 + (tenth % 100) / 300))
        sent += [clock.seconds for _ in one.due()]
    assert len(sent) == 6
    assert all(b - a >= 10 for a, b in pairwise(sent))


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


def test_kinds_that_are_not_known_are_passed_over(clock):
    one = live(clock)
    one.take(object())
    assert one.due() == []


def test_what_runs_is_asked_for_each_message(clock):
    names = iter(("old", "new"))
    one = Live(("deck",), lambda: Running(next(names), "", ""), clock=clock)
    assert one.due()[0][1]["model"] == "old"
    one.again()
    assert one.due()[0][1]["model"] == "new"
