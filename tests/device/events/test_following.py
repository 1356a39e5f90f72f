"""The smoothed state that MQTT tells: as the events of a store have it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.recorder import Recorder
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.store.watching import EventSink
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PIXELS = np.zeros((8, 8, 3), np.uint8)
MODEL = ModelName("a", "0" * 64, 0.5)


class Seen:
    """A camera's following, one frame a second."""

    def __init__(self, band=None, name="deck"):
        self.following = Following((name,), Detection.for_model, 0.5, band)
        self.band, self.name, self.count = band, name, 0

    def frame(self):
        self.count += 1
        return Frame(PIXELS, self.count, NOW + timedelta(seconds=self.count),
                     monotonic=float(self.count))  # fmt: skip

    def take(self, result):
        self.following.take(result)
        return self.following.corroded(self.name)

    def see(self, *scores):
        for score in scores:
            found = self.take(Verdict(self.frame(), Prediction(score, 0.5, band=self.band), 1.0))
        return found

    def dark(self, times):
        for _ in range(times):
            found = self.take(Unusable(self.frame(), Quality("dark", 1.0, 48.0)))
        return found

    def camera(self, state):
        return self.take(CameraState(self.name, state, "why", NOW))


def test_single_frames_change_nothing():
    seen = Seen()
    assert seen.see(0.1, 0.1) is None
    assert seen.see(0.1) is False
    assert seen.see(0.9, 0.1, 0.1, 0.1, 0.1, 0.9) is False
    assert seen.see(0.1, 0.9, 0.9) is True
    assert seen.see(0.1, 0.9, 0.9) is True
    assert seen.see(0.1, 0.1, 0.1) is False


def test_corrosion_that_began_goes_on_while_nothing_is_seen():
    for away in (
        lambda seen: seen.camera("lost"),
        lambda seen: seen.dark(20),
        lambda seen: seen.take(AcceleratorState("Edge TPU", "lost", "why", NOW)),
    ):
        seen = Seen()
        assert seen.see(0.9, 0.9, 0.9) is True
        assert away(seen) is True


def test_where_nobody_looks_nobody_says_there_is_none():
    seen = Seen()
    assert seen.see(0.1, 0.1, 0.1) is False
    assert seen.camera("lost") is None
    assert seen.camera("running") is None
    assert seen.see(0.1, 0.1) is None
    assert seen.see(0.1) is False
    assert seen.dark(4) is False
    assert seen.dark(2) is None
    seen = Seen()
    seen.see(0.1, 0.1, 0.1)
    assert seen.take(AcceleratorState("Edge TPU", "lost", "why", NOW)) is None
    assert seen.take(AcceleratorState("Edge TPU", "replaced", "why", NOW)) is False


def test_unsure_frames_are_no_evidence_for_long():
    seen = Seen(band=(0.2, 0.8))
    assert seen.see(0.1, 0.1, 0.1) is False
    assert seen.see(*[0.5] * 300) is False
    assert seen.see(0.5, 0.5) is None


def test_another_model_begins_anew():
    seen = Seen()
    seen.see(0.9, 0.9, 0.9)
    refused = ModelChange(at=NOW, file="m", old=MODEL, reason="bad")
    assert seen.take(refused) is True
    changed = ModelChange(at=NOW, file="m", old=MODEL, new=MODEL, accepted=True)
    assert seen.take(changed) is None


def test_a_lost_camera_stays_lost_under_another_model():
    seen = Seen()
    seen.camera("lost")
    seen.take(ModelChange(at=NOW, file="m", old=MODEL, new=MODEL, accepted=True))
    seen.see(0.1, 0.1)
    seen.camera("lost")  # told again, it is no second loss, and no evidence is forgotten
    assert seen.see(0.1) is False


class Log:
    """Remembers what happened, and whether corrosion began and did not end."""

    def __init__(self):
        self.on, self.events = False, []

    def append(self, happening):
        self.events.append(happening)
        self.on = {"corrosion_began": True, "corrosion_ended": False}.get(happening.kind, self.on)

    def summarise(self, summary, taken=()):
        pass

    def close(self):
        pass


STEPS = st.one_of(
    st.floats(0, 1), st.sampled_from(["lost", "degraded", "running", "dark", "changed"])
)


@pytest.mark.parametrize("band", [None, (0.3, 0.7)])
@given(steps=st.lists(STEPS, max_size=80))
def test_it_is_on_exactly_while_the_stored_events_say_so(band, steps):
    seen, log = Seen(band), Log()
    settings = Detection.for_model(0.5, band)
    recorder = Recorder(log, settings, MODEL, {})
    sink = EventSink(recorder, Detection.for_model, "deck")
    taken = seen.take
    seen.take = lambda result: (sink.write(result), taken(result))[1]
    change = ModelChange(at=NOW, file="m", old=MODEL, new=MODEL, accepted=True, band=band)
    for step in steps:
        if isinstance(step, float):
            found = seen.see(step)
        elif step == "dark":
            found = seen.dark(1)
        else:
            found = seen.take(change) if step == "changed" else seen.camera(step)
        assert (found is True) == log.on


def test_an_unreadable_picture_of_several_cameras_is_its_cameras():
    following = Following(("deck", "gate"), Detection.for_model, 0.5, None)
    recorded = Log()
    recorder = Recorder(recorded, Detection.for_model(0.5, None), MODEL, {})
    for number in range(5):
        for camera in ("deck", "gate"):
            frame = replace(Frame.now(PIXELS, number), camera=camera)
            following.take(Verdict(frame, Prediction(0.1, 0.5), 1.0))
    for number in range(5):
        for taker in (following, EventSink(recorder, Detection.for_model)):
            taker.take(Unreadable(number, "a.png", "broken", "gate"))
    assert (following.corroded("deck"), following.corroded("gate")) == (False, None)
    assert [(each.kind, each.camera) for each in recorded.events[1:]] == [("unusable", "gate")]
