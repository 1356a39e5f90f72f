"""What each light says: smoothing, hysteresis, and every way in which a watch cannot tell."""

from datetime import UTC, datetime

import numpy as np
import pytest

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.gpio.lights import Lights, Shown
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PIXELS = np.zeros((8, 8, 3), np.uint8)
OFF = Shown(corrosion=False, unknown=False, healthy=True)
ON = Shown(corrosion=True, unknown=False, healthy=True)


class Wall:
    """Lights over cameras, one frame a second."""

    def __init__(self, *cameras, band=None, patience=10.0):
        self.now = 0.0
        self.index = 0
        self.lights = Lights(cameras or ("demo",), Detection.for_model, 0.5, band, patience,
                             clock=lambda: self.now)  # fmt: skip

    def frame(self, camera=""):
        self.now += 1
        self.index += 1
        return Frame(PIXELS, self.index, NOW, camera=camera, monotonic=self.now)

    def see(self, *scores, camera=""):
        for score in scores:
            self.lights.take(Verdict(self.frame(camera), Prediction(score, 0.5), 1.0))
        return self.lights.shown()

    def take(self, result):
        self.lights.take(result)
        return self.lights.shown()

    def unusable(self):
        return self.take(Unusable(self.frame(), Quality("dark", 3.0, 48.0)))

    def camera(self, state, name="demo", previous="running"):
        return self.take(CameraState(name, state, "why", NOW, previous))

    def later(self, seconds):
        self.now += seconds
        return self.lights.shown()


def test_before_the_first_verdict_it_cannot_tell():
    assert Wall().lights.shown() == Shown(corrosion=False, unknown=True, healthy=False)


def test_hysteresis_3_of_5_as_the_events():
    wall = Wall()
    assert wall.see(0.9, 0.1, 0.9) == OFF
    assert wall.see(0.9) == ON
    assert wall.see(0.45, 0.45, 0.45) == ON  # between leave (0.4) and enter: stays
    assert wall.see(0.1, 0.1) == ON
    assert wall.see(0.1) == OFF


@pytest.mark.parametrize("state", ["lost", "frozen", "ended"])
def test_a_camera_that_is_gone_shows_at_once_and_corrosion_stays(state):
    wall = Wall()
    wall.see(0.9, 0.9, 0.9)
    assert wall.camera(state) == Shown(corrosion=True, unknown=True, healthy=False)
    wall.camera("running", previous="lost")
    assert wall.see(0.9) == ON


def test_a_camera_that_is_late_is_not_gone():
    wall = Wall()
    wall.see(0.1)
    assert wall.camera("degraded") == OFF


def test_no_verdict_for_the_patience():
    wall = Wall(patience=10)
    wall.see(0.9, 0.9, 0.9)
    assert wall.later(10) == ON
    assert wall.later(0.1) == Shown(corrosion=True, unknown=True, healthy=False)
    assert wall.see(0.9) == ON


def test_unusable_frames_as_steady_as_the_events():
    wall = Wall()
    wall.see(0.1)
    for _ in range(4):
        assert not wall.unusable().unknown
    assert wall.unusable().unknown
    assert wall.see(0.1, 0.1, 0.1, 0.1).unknown
    assert wall.see(0.1) == OFF


def test_unreadable_pictures_count_as_unusable():
    wall = Wall()
    wall.see(0.1)
    for number in range(5):
        shown = wall.take(Unreadable(number, "a.png", "it is no picture"))
    assert shown.unknown


def test_a_model_that_is_unsure_all_the_time_cannot_tell_but_is_healthy():
    wall = Wall(band=(0.3, 0.7), patience=10)
    wall.see(0.1)
    assert wall.see(*[0.5] * 10) == OFF
    assert wall.see(0.5) == Shown(corrosion=False, unknown=True, healthy=True)
    assert wall.see(0.1) == OFF


def test_an_accelerator_that_is_away_and_one_that_is_stood_in_for():
    wall = Wall()
    wall.see(0.1)
    for state, shown in (
        ("lost", Shown(corrosion=False, unknown=True, healthy=False)),
        ("replaced", OFF),
        ("lost", Shown(corrosion=False, unknown=True, healthy=False)),
        ("recovered", OFF),
    ):
        assert wall.take(AcceleratorState("Edge TPU", state, "why", NOW)) == shown


def test_of_several_cameras_the_worst_counts():
    wall = Wall("gate", "pole")
    assert wall.see(0.1, camera="gate").unknown  # nothing of the other yet
    wall.see(0.9, 0.9, 0.9, camera="pole")
    assert wall.see(0.1, camera="gate") == ON
    assert wall.camera("lost", "gate") == Shown(corrosion=True, unknown=True, healthy=False)


def test_another_model_begins_anew_and_cannot_tell_yet():
    wall = Wall()
    wall.see(0.9, 0.9, 0.9)
    old, new = ModelName("a", "0" * 64, 0.5), ModelName("b", "1" * 64, 0.8)
    refused = ModelChange(at=NOW, file="m", old=old, reason="damaged")
    assert wall.take(refused) == ON
    changed = ModelChange(at=NOW, file="m", old=old, new=new, accepted=True)
    assert wall.take(changed) == Shown(corrosion=False, unknown=True, healthy=False)
    assert wall.see(0.7, 0.7, 0.7) == OFF  # below the new threshold
    assert wall.see(0.85, 0.85, 0.85) == ON


def test_another_model_may_be_on_something_that_is_not_away():
    wall = Wall()
    wall.take(AcceleratorState("Edge TPU", "lost", "why", NOW))
    model = ModelName("a", "0" * 64, 0.5)
    wall.take(ModelChange(at=NOW, file="m", old=model, new=model, accepted=True))
    assert wall.see(0.1) == OFF


def test_one_camera_may_be_called_otherwise_when_it_is_opened_again():
    wall = Wall("auto")
    wall.see(0.1)
    assert wall.camera("lost", "/dev/video2").unknown
