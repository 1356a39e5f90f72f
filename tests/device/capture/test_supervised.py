"""Cameras that hang, raise, freeze, deliver nonsense, and come back; time is the test's own."""

import gc
import itertools
import time
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.capture import MOST_ABANDONED, Backoff, Patience, Supervised
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.errors import SourceError, SourceLost, UsageError


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Rig:
    """A supervised camera whose openings are scripted: a list of steps, or an error."""

    def __init__(self, *openings, patience=None, reconnect=True, **how):
        self.clock = Clock()
        self.told = []
        self.cameras = []
        self.how = how
        self.openings = iter(openings)
        backoff = Backoff(first=1.0, longest=8.0, jitter=0.0)
        self.camera = Supervised(self.make(), self.make if reconnect else None, name="pole",
                                 patience=patience, backoff=backoff, observe=self.told.append,
                                 clock=self.clock)  # fmt: skip

    def make(self):
        opening = next(self.openings)
        if isinstance(opening, Exception):
            raise opening
        self.cameras.append(FakeCamera(opening, **self.how))
        return self.cameras[-1]

    @property
    def events(self):
        return [state.event for state in self.told]

    def until(self, holds):
        """Poll in real time, in which the threads run, until it holds."""
        end = time.monotonic() + 5
        while not holds():
            assert time.monotonic() < end, f"it did not happen; {self.told}"
            self.camera.poll()
            time.sleep(0.001)

    def frame(self):
        return next(f for f in iter(self._slowly, 0) if f is not None)

    def _slowly(self):
        time.sleep(0.001)
        return self.camera.poll()

    def reads(self, step):
        """Wait until the newest camera is at a step of its script."""
        self.until(lambda: step in self.cameras[-1].history)

    def wait(self, seconds):
        self.clock.now += seconds
        return self.camera.poll()

    def pass_time(self, seconds):
        """Let the camera deliver in each second or two, until it is given up."""
        end = self.clock.now + seconds
        while self.clock.now < end and (reader := self.camera._reader):
            self.clock.now += 2
            self.until(lambda: reader.progress == self.clock.now or reader.error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for camera in self.cameras:
            camera.close()
        self.camera.close()


def test_a_camera_that_vanishes_comes_back_and_is_told():
    with Rig(["frame", "vanish"], ["frame", "hang"]) as rig:
        assert rig.frame().index == 0
        rig.until(lambda: rig.events[-1] == "lost")
        assert len(rig.cameras) == 1
        rig.wait(1.01)
        again = rig.frame()
        assert again.index == 1
        assert rig.events == ["running", "lost", "recovered"]
        lost, back = rig.told[1:]
        assert (lost.camera, lost.state, lost.previous) == ("pole", "lost", "running")
        assert lost.reason == "it vanished"
        assert lost.since.tzinfo is not None
        assert back.reason == "frames come again after 1.0 s"
        assert (back.frames, back.failures, back.previous) == (1, 1, "lost")


def test_a_read_that_hangs_is_degraded_then_lost_and_freed():
    with Rig(["frame", "hang"], ["frame", "hang"]) as rig:
        rig.frame()
        rig.reads("hang")
        rig.wait(2.9)
        assert rig.events == ["running"]
        rig.wait(0.2)
        assert rig.events == ["running", "degraded"]
        assert rig.told[-1].reason == "no frame for 3.1 s"
        rig.wait(6.95)
        assert rig.events == ["running", "degraded", "lost"]
        assert rig.told[-1].reason.startswith("no frame for 10 s; check the camera's cable")
        assert rig.cameras[0].history[2] == "interrupted"
        rig.wait(1.01)
        assert rig.frame().index == 1
        assert rig.events[-1] == "recovered"
        assert rig.told[-1].reason == "frames come again after 11.1 s"  # and not since the word
        rig.until(lambda: "closed" in rig.cameras[0].history)
        assert rig.camera.state.abandoned == 0


def test_frames_that_are_only_late_recover_without_a_new_opening():
    with Rig(["frame", "hang"]) as rig:
        rig.frame()
        rig.reads("hang")
        rig.wait(5)
        rig.camera._reader._offer(FakeCamera(["frame", "frame"]).read())
        assert rig.frame() is not None
        assert rig.events == ["running", "degraded", "recovered"]
        assert rig.told[-1].reason == "frames come again after 5.0 s"  # since the last one
        assert len(rig.cameras) == 1


def test_threads_that_cannot_be_freed_are_bounded_and_it_goes_on_when_they_end():
    hang = [["frame", "hang"]] * MOST_ABANDONED
    with Rig(*hang, ["frame", "hang"], stubborn=True) as rig:
        for _ in hang:
            rig.frame()
            rig.reads("hang")
            rig.wait(10.01)
            assert rig.told[-1].event == "lost"
            rig.wait(8.01)
        assert len(rig.cameras) == MOST_ABANDONED
        assert rig.told[-1].reason.startswith("4 reads hang in the driver; unplug")
        assert rig.told[-1].abandoned == MOST_ABANDONED
        for _ in range(5):
            rig.wait(8.01)
        assert len(rig.cameras) == MOST_ABANDONED
        rig.cameras[0].close()
        rig.until(lambda: rig.camera.state.abandoned < MOST_ABANDONED)
        rig.wait(8.01)
        assert rig.frame() is not None
        assert rig.events[-1] == "recovered"


def test_what_an_abandoned_read_delivers_late_is_not_used():
    with Rig(["frame", "hang"], ["frame", "hang"], stubborn=True) as rig:
        rig.frame()
        rig.reads("hang")
        rig.wait(10.01)
        reader = rig.camera._abandoned[0]
        rig.cameras[0].close()
        reader.join(5)
        assert not reader.alive
        assert rig.wait(0.5) is None
        assert rig.camera.state.frames == 1


def test_a_frozen_camera_is_opened_again_and_the_same_picture_is_no_recovery():
    frozen = ["frame", *["repeat"] * 10_000]
    with Rig(frozen, frozen, ["frame", "frame", *["hang"]], period=0.001) as rig:
        rig.frame()
        rig.pass_time(64)
        assert rig.events == ["running", "frozen"]
        assert rig.told[-1].reason == "frozen, the same picture for 60 s"
        rig.wait(1.01)
        rig.until(lambda: len(rig.cameras) == 2 and rig.cameras[1].history.count("repeat") > 3)
        assert rig.events == ["running", "frozen"]
        delivered = rig.camera.state.frames
        rig.pass_time(64)
        assert rig.camera.state.failures == 2
        rig.wait(2.01)
        rig.frame()
        assert rig.events == ["running", "frozen", "recovered"]
        assert rig.camera.state.frames == delivered + 1
        assert rig.camera.dropped > 3


def test_with_no_limit_a_picture_may_stay_for_ever():
    patience = Patience(frozen_after=float("inf"))
    with Rig(["frame", *["repeat"] * 10_000], patience=patience, period=0.001) as rig:
        rig.frame()
        rig.pass_time(600)
        assert rig.events == ["running"]


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32),
                np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)  # fmt: skip
def test_pixels_of_another_shape_or_type_are_a_failure_not_a_verdict(picture):
    with Rig(["frame", "vanish"], ["frame", "hang"]) as rig:
        rig.frame()
        rig.until(lambda: rig.events[-1] == "lost")
        wrong = FakeCamera(["repeat"])
        wrong._picture = picture
        rig.camera._again = lambda: wrong
        rig.wait(1.01)
        rig.until(lambda: rig.camera.state.failures == 2)
        assert "expected uint8 [h, w, 3]" in rig.told[-1].reason
        assert rig.events == ["running", "lost", "lost"]


def test_tries_are_repeated_with_doubled_pauses_and_each_new_reason_is_told_once():
    gone = [SourceError("pole: no such device")] * 4 + [SourceError("pole: in use by a (1)")]
    with Rig(["frame", "vanish"], *gone, ["frame", "hang"]) as rig:
        rig.frame()
        rig.until(lambda: rig.events[-1] == "lost")
        pauses = []
        for failures in range(2, 7):
            start = rig.clock.now
            due = rig.camera.due_in()
            rig.wait(due - 0.01)
            assert rig.camera.state.failures == failures - 1
            rig.wait(0.02)
            rig.until(lambda: rig.camera.state.failures == failures)  # noqa: B023
            pauses.append(round(rig.clock.now - start))
        assert pauses == [1, 2, 4, 8, 8]
        reasons = [state.reason for state in rig.told[1:]]
        assert reasons == ["it vanished", "pole: no such device", "pole: in use by a (1)"]
        rig.wait(8.01)
        rig.frame()
        assert rig.events == ["running", "lost", "lost", "lost", "recovered"]


def test_a_camera_that_dies_again_at_once_is_not_hammered_and_a_steady_one_starts_afresh():
    openings = [["frame", "vanish"]] * 3 + [["frame", "frame", "hang"], ["frame", "hang"]]
    with Rig(*openings) as rig:
        for pause in (1, 2, 4):
            rig.frame()
            rig.until(lambda: rig.events[-1] == "lost")
            assert rig.camera.due_in() == pytest.approx(pause)
            rig.wait(pause + 0.01)
        rig.frame()
        rig.clock.now += 31
        rig.camera._reader._offer(FakeCamera(["frame"]).read())
        rig.frame()
        rig.wait(10.01)
        assert rig.events[-1] == "lost"
        assert rig.camera.due_in() == pytest.approx(1)


@pytest.mark.parametrize(("period", "late", "hangs"), [(0.0, 3, 10), (0.5, 3, 10), (4.0, 12, 40)])
def test_a_slow_camera_gets_ten_of_its_frames_time(monkeypatch, period, late, hangs):
    monkeypatch.setattr(FakeCamera, "period", period)
    with Rig(["frame", "hang"], ["frame"]) as rig:
        rig.frame()
        rig.reads("hang")
        rig.wait(late - 0.1)
        assert rig.events == ["running"]
        rig.wait(hangs - late - 0.1)
        assert rig.events == ["running", "degraded"]
        rig.wait(0.3)
        assert rig.events == ["running", "degraded", "lost"]
        assert rig.told[-1].reason.startswith(f"no frame for {hangs} s; ")


def test_what_a_camera_grants_may_show_only_in_its_frames():
    class Camera(FakeCamera):
        def read(self):
            self.paced = True
            return super().read()

    with Supervised(Camera(["frame", "hang"])) as source:
        source.read()
        assert source.paced


def test_an_opening_that_hangs_is_given_up_too():
    with Rig(["frame", "vanish"], ["frame", "hang"], patience=Patience(open_within=5)) as rig:
        rig.frame()
        rig.until(lambda: rig.events[-1] == "lost")
        never = FakeCamera(["hang"])
        rig.camera._again = never.read
        rig.wait(1.01)
        rig.until(lambda: never.history)
        rig.wait(5.0)
        assert rig.told[-1].reason.startswith("no answer to its opening for 5 s")
        never.close()


def test_before_the_first_frame_and_without_reconnecting_a_failure_is_raised():
    with Rig(["vanish"], ["frame"]) as rig, pytest.raises(SourceLost, match="fake camera: it van"):
        rig.camera.read()
    with Rig(["frame", "vanish"], ["frame"], reconnect=False) as rig:
        rig.frame()
        for _ in range(2):
            with pytest.raises(SourceLost, match="fake camera: it vanished"):
                rig.camera.read()
        assert rig.events == ["running", "lost"]
        assert len(rig.cameras) == 1


def test_it_says_where_the_frames_come_from_now():
    with Rig(["frame", "vanish"], ["frame", "hang"]) as rig:
        rig.frame()
        rig.until(lambda: rig.events[-1] == "lost")
        other = FakeCamera(["frame", "hang"])
        other.name = "/dev/video2"
        rig.camera._again = lambda: other
        rig.wait(1.01)
        rig.frame()
        assert rig.told[-1].reason.endswith("s, now from /dev/video2")
        assert rig.camera.name == "/dev/video2"
        other.close()


def test_what_a_lost_camera_held_goes_with_it_and_not_with_the_next_collection():
    gc.collect()
    gc.disable()
    try:
        with Rig(["frame", "vanish"], ["frame", "hang"]) as rig:
            rig.frame()
            first = weakref.ref(rig.cameras.pop())
            rig.until(lambda: rig.events[-1] == "lost")
            rig.wait(1.0)
            rig.frame()
            rig.until(lambda: first() is None)
    finally:
        gc.enable()


def test_the_end_is_told_and_reading_after_it_refused():
    with Rig(["frame", "hang"]) as rig:
        rig.frame()
    assert rig.events == ["running", "ended"]
    with pytest.raises(SourceLost, match="closed"):
        rig.camera.read()


@given(st.lists(st.floats(0, 0.999999), min_size=1, max_size=20), st.floats(0, 0.9))
def test_pauses_are_bounded_and_vary_no_more_than_stated(chances, jitter):
    backoff = Backoff(1.0, 60.0, jitter, iter(chances).__next__)
    for number in itertools.count():
        if number == len(chances):
            break
        plain = min(2.0**number, 60.0)
        pause = backoff.pause()
        assert plain * (1 - jitter) - 1e-9 <= pause <= min(plain * (1 + jitter), 60.0) + 1e-9


@pytest.mark.parametrize("how", [{"first": 0}, {"longest": 0.5}, {"jitter": 1}])
def test_a_back_off_that_cannot_be_is_refused(how):
    with pytest.raises(ValueError, match="back-off"):
        Backoff(**how)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_patience_that_cannot_be_is_refused(seconds):
    with pytest.raises(UsageError, match="hung_after"):
        Patience(hung_after=seconds)
