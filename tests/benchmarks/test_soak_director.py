"""Which faults come when, and what is made of the events that follow; time is the test's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.benchmarks.soak.director import RECOVER_WITHIN, Director
from corrosion_edge.benchmarks.soak.faults import KINDS, Target
from corrosion_edge.benchmarks.soak.server import Trouble
from corrosion_edge.benchmarks.soak.watched import Stored


class Camera(Target):
    def __init__(self, name="north", kinds=("kill",)):
        self.name = self.camera = name
        self.kinds = kinds
        self.did = []

    def begin(self, kind, seconds):
        self.did.append(f"begin {kind}")

    def end(self, kind):
        self.did.append(f"end {kind}")


class Stage:
    """A director over cameras, stepped every second."""

    def __init__(self, *cameras, interval=1000.0, seed=1):
        self.now, self.told, self.number = 0.0, [], 0
        self.director = Director(
            cameras, interval=interval, hung=5.0, frozen=15.0, seed=seed, start=-1e4,
            tell=lambda kind, fields: self.told.append((kind, fields)),
        )  # fmt: skip

    def event(self, kind, camera="north"):
        self.number += 1
        return Stored(self.number, kind, camera, "ab" * 32, self.now)

    def step(self, *kinds, seconds=1.0, more=True, camera="north"):
        self.now += seconds
        stored = [self.event(kind, camera) for kind in kinds]
        self.director.step(self.now, stored, more=more)

    @property
    def outcomes(self):
        return [fields["outcome"] for kind, fields in self.told if kind == "fault"]


def test_a_fault_is_over_when_its_events_came_and_it_was_ended():
    camera = Camera()
    stage = Stage(camera)
    stage.step()
    stage.step("camera_lost")
    assert stage.outcomes == []
    stage.step(seconds=20)
    stage.step("camera_recovered", seconds=3)
    assert camera.did == ["begin kill", "end kill"]
    assert stage.outcomes == ["recovered"]
    fields = stage.told[-1][1]
    assert (fields["noticed_s"], fields["back_s"]) == (1.0, 3.0)
    assert fields["lasted_s"] == 21.0


def test_a_camera_that_is_back_before_the_end_and_lost_again_is_not_back():
    stage = Stage(Camera())
    stage.step()
    stage.step("camera_lost", "camera_recovered", "camera_lost")
    stage.step(seconds=20)
    assert stage.outcomes == []
    stage.step("camera_recovered")
    assert stage.outcomes == ["recovered"]


@pytest.mark.parametrize(("events", "outcome"), [
    ([], "unnoticed"),
    (["camera_degraded"], "unnoticed"),
    (["camera_lost"], "not recovered"),
])  # fmt: skip
def test_what_never_comes_is_told_after_a_while(events, outcome):
    stage = Stage(Camera())
    stage.step()
    stage.step(*events)
    stage.step(seconds=20)
    stage.step(seconds=RECOVER_WITHIN - 1, more=False)
    assert stage.outcomes == []
    stage.step(seconds=2, more=False)
    assert stage.outcomes == [outcome]


def test_events_of_other_cameras_and_from_before_say_nothing():
    stage = Stage(Camera())
    old = stage.event("camera_lost")
    stage.step()
    stage.step("camera_lost", "camera_recovered", camera="south")
    stage.director.step(stage.now, [old], more=False)
    stage.step(seconds=20, more=False)
    stage.step(seconds=RECOVER_WITHIN, more=False)
    assert stage.outcomes == ["unnoticed"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_every_kind_comes_as_often_as_the_others_and_one_at_a_time(seed):
    cameras = [Camera("north", ("kill", "hang")), Camera("south", ("close", "late", "garbage"))]
    stage = Stage(*cameras, interval=1.0, seed=seed)
    while len(stage.outcomes) < 50:
        stage.now += 1.0
        stored = [stage.event(kind, camera.name) for camera in cameras
                  for kind in ("camera_degraded", "camera_lost", "camera_recovered")]  # fmt: skip
        stage.director.step(stage.now, stored, more=True)
    begun = [word for camera in cameras for word in camera.did if word.startswith("begin")]
    counts = [begun.count(f"begin {kind}") for camera in cameras for kind in camera.kinds]
    assert max(counts) - min(counts) <= 12 and min(counts) > 3
    for camera in cameras:
        assert [w.split()[0] for w in camera.did] == (["begin", "end"] * 99)[: len(camera.did)]


def test_at_the_end_everything_is_made_well():
    camera = Camera(kinds=("hang",))
    stage = Stage(camera)
    stage.step()
    stage.director.end()
    assert camera.did == ["begin hang", "end hang"]


def test_every_kind_of_event_that_a_fault_is_known_by_exists():
    from corrosion_edge.device.events.event import KINDS as EVENTS

    assert {kind for fault in KINDS.values() for kind in (*fault.signs, fault.back) if kind} <= set(
        EVENTS
    )


def test_an_order_holds_for_its_time_and_a_wrong_one_is_refused():
    now = [0.0]
    trouble = Trouble(lambda: now[0])
    assert trouble.now == ""
    trouble.order("freeze 3\n")
    assert trouble.now == "freeze"
    now[0] = 3.0
    assert trouble.now == ""
    with pytest.raises(ValueError, match="expected one of freeze"):
        trouble.order("explode 3")


@pytest.mark.parametrize(("line", "camera"), [
    (f"stored: event 7 camera_lost pole {'ab' * 32}\n", "pole"),
    (f"stored: event 7 camera_lost {'ab' * 32}\n", ""),
    (f"stored: event 7 camera_lost demo: a rendered clip {'ab' * 32}\n", "demo: a rendered clip"),
])  # fmt: skip
def test_what_a_watch_says_of_an_event_is_understood(line, camera):
    assert Stored.parse(line, 1.0) == Stored(7, "camera_lost", camera, "ab" * 32, 1.0)
