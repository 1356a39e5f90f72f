"""The pipeline: which frames get a verdict, and that each is accounted for."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept import Kept

from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Framing, Look, Region, Supervised, parity
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.judging import Sole, View
from corrosion_edge.device.pipeline import Pace, Pipeline
from corrosion_edge.device.sources import open_source
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.stop import Stop
from corrosion_edge.device.verdict import Tally, Unreadable, Verdict
from corrosion_edge.errors import BackendError, SourceLost, UsageError
from corrosion_edge.prediction import Prediction


class Scaled(FakeCamera):
    """A source that scales: beside each picture one of other content in each size."""

    sizes = ((224, 224),)

    def read(self):
        frame = super().read()
        small = (np.full((h, w, 3), (255, 0, 0), np.uint8) for w, h in self.sizes)
        return frame and replace(frame, scaled=tuple(small))


def test_what_was_scaled_for_another_model_is_not_judged(bundle):
    kept, source = Kept(), Scaled(["frame"], live=False, spacing=0.1)
    view = View(Classifier(bundle, FakeBackend()), size=(192, 192))
    Pipeline(source, Sole(view), [kept]).run()
    assert kept.results[0].prediction.score < 0.5


@pytest.mark.parametrize("judged_small", [True, False])
def test_what_the_source_scaled_is_judged_unless_a_part_is(judged_small, bundle, monkeypatch):
    monkeypatch.setattr(parity, "LIMIT", 256)
    classifier = Classifier(bundle, FakeBackend())
    look = Look(Framing(roi=None if judged_small else Region.parse("0,0,32,32")), print)
    kept = Kept()
    source = Scaled(["frame"] * 2, live=False, spacing=0.1)
    judging = Sole(View(classifier, look, size=(224, 224)))
    Pipeline(source, judging, [kept]).run()
    assert [round(v.prediction.score) == 1 for v in kept.results] == [judged_small] * 2
    side = (48, 64) if judged_small else (32, 32)
    assert all(v.frame.pixels.shape[:2] == side for v in kept.results)


class Always:
    """A classifier that says the same of everything."""

    def classify(self, pixels):
        return Prediction(0.75, 0.5)


class Clock:
    """Time that passes only where somebody sleeps, or the test lets it."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def run(camera, **how):
    sink = Kept()
    tally = Pipeline(camera, Always(), [sink], **how).run()
    return tally, sink.results


def recording(count, spacing=0.1):
    return FakeCamera(["frame"] * count, live=False, spacing=spacing)


def test_every_frame_of_a_recording_gets_a_verdict_in_order():
    tally, results = run(recording(5))
    assert tally == Tally(delivered=5, classified=5)
    assert [result.frame.index for result in results] == [0, 1, 2, 3, 4]
    assert all(result.prediction.score == 0.75 for result in results)
    assert all(result.latency_ms >= 0 for result in results)


def test_it_ends_after_so_many_verdicts():
    camera = recording(10)
    tally, results = run(camera, frames=3)
    assert tally == Tally(delivered=3, classified=3)
    assert len(results) == 3
    assert camera.history == ["frame"] * 3


def test_every_sink_gets_every_result():
    sinks = [Kept(), Kept()]
    Pipeline(recording(3), Always(), sinks).run()
    assert [len(sink.results) for sink in sinks] == [3, 3]


@pytest.mark.parametrize(
    ("interval", "chosen"),
    [(0.0, range(20)), (0.1, range(20)), (0.25, range(0, 20, 3)), (0.3, range(0, 20, 3)),
     (1.0, (0, 10)), (99.0, (0,))],
)  # fmt: skip
def test_in_a_recording_its_own_time_counts(interval, chosen):
    tally, results = run(recording(20), interval=interval)
    assert [result.frame.index for result in results] == list(chosen)
    assert tally == Tally(20, len(chosen), 20 - len(chosen))


def test_pictures_without_a_time_wait_their_turn_and_none_is_skipped():
    clock = Clock()
    pace = Pace(2.0, live=False, clock=clock, sleep=clock.sleep)
    tally, _ = run(FakeCamera(["frame"] * 3, live=False), pace=pace)
    assert tally == Tally(3, 3)
    assert clock.slept == [2.0, 2.0]


def test_live_frames_that_come_too_early_are_skipped_without_waiting():
    clock = Clock()

    class Ticking(FakeCamera):
        def read(self):
            clock.now += 0.5
            return super().read()

    pace = Pace(2.0, live=True, clock=clock, sleep=clock.sleep)
    pipeline = Pipeline(Ticking(["frame"] * 9), Always(), [Kept()], pace=pace)
    with pytest.raises(SourceLost):
        pipeline.run()
    assert pipeline.tally == Tally(9, 3, 6)
    assert clock.slept == []


def test_time_that_runs_backwards_does_not_stop_the_verdicts():
    pace = Pace(10.0, live=False)
    frames = [recording(1, spacing=1).read() for _ in range(3)]
    at = [type(frame)(frame.pixels, 0, frame.taken_at, "", position)
          for frame, position in zip(frames, (5.0, 1.0, 2.0), strict=True)]  # fmt: skip
    assert [pace.takes(frame) for frame in at] == [True, True, False]


steps = st.lists(st.sampled_from(["frame", "repeat", "broken"]), max_size=25)


@given(
    script=steps,
    frames=st.none() | st.integers(1, 30),
    interval=st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.75, 5.0]),
    spacing=st.none() | st.sampled_from([0.04, 0.1, 1.0]),
)
def test_every_delivered_frame_is_accounted_for(script, frames, interval, spacing):
    camera = FakeCamera(script, live=False, spacing=spacing, size=(2, 2))
    clock = Clock()
    pace = Pace(interval, live=False, clock=clock, sleep=clock.sleep)
    tally, results = run(camera, frames=frames, pace=pace)
    delivered = [step for step in camera.history if step != "end"]
    assert tally.delivered == len(delivered)
    assert tally.delivered == tally.classified + tally.skipped + tally.unreadable
    assert tally.classified == sum(isinstance(result, Verdict) for result in results)
    assert tally.unreadable == delivered.count("broken")
    assert tally.unreadable == sum(isinstance(result, Unreadable) for result in results)
    assert frames is None or tally.classified <= frames
    assert frames is not None or len(delivered) == len(script)
    if spacing is None:
        assert tally.skipped == 0
    taken = [result.frame.position for result in results if isinstance(result, Verdict)]
    if spacing is not None:
        gaps = [b - a for a, b in itertools.pairwise(taken)]
        assert all(gap >= interval - 1e-5 for gap in gaps)


@given(st.integers(1, 60), st.integers(0, 3))
def test_of_a_live_camera_nothing_is_lost_from_the_books(count, slow):
    camera = FakeCamera(["frame"] * count, size=(2, 2))
    with Supervised(camera) as source:
        pipeline = Pipeline(source, Always(), [Kept()], frames=slow or None)
        try:
            pipeline.run()
        except SourceLost:
            tally = pipeline.tally
            assert tally.delivered + tally.dropped == count
    assert pipeline.tally.classified == pipeline.tally.delivered


def test_unreadable_pictures_keep_their_place(folder):
    (folder / "1.png").write_bytes(b"broken")
    sink = Kept()
    with open_source(str(folder)) as source:
        tally = Pipeline(source, Always(), [sink]).run()
    assert tally == Tally(6, 5, 0, 0, 1)
    indices = [r.index if isinstance(r, Unreadable) else r.frame.index for r in sink.results]
    assert indices == [0, 1, 2, 3, 4, 5]
    assert sink.results[1].name == str(folder / "1.png")
    assert "1.png" in sink.results[1].error


def test_the_tally_is_right_when_the_camera_is_lost():
    pipeline = Pipeline(FakeCamera(["frame", "frame", "vanish"]), Always(), [Kept()])
    with pytest.raises(SourceLost):
        pipeline.run()
    assert pipeline.tally == Tally(2, 2)


def test_the_tally_is_right_when_the_interpreter_fails(bundle):
    classifier = Classifier(bundle, FakeBackend(fails_at=frozenset({2})))
    pipeline = Pipeline(recording(5), classifier, [Kept()])
    with pytest.raises(BackendError):
        pipeline.run()
    assert pipeline.tally == Tally(2, 2)


def test_a_request_to_end_is_put_off_until_the_verdict_is_out():
    stop = Stop()
    sink = Kept()

    class Asking(Always):
        def classify(self, pixels):
            stop.request()
            return super().classify(pixels)

    pipeline = Pipeline(recording(5), Asking(), [sink], stop=stop)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run()
    assert pipeline.tally == Tally(1, 1)
    assert len(sink.results) == 1


def test_a_request_to_end_while_waiting_works_at_once():
    with pytest.raises(KeyboardInterrupt):
        Stop().request()


def test_a_second_request_is_not_put_off():
    stop = Stop()
    done = []

    def stuck():
        with stop.deferred():
            stop.request()
            stop.request()
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        stuck()
    assert not done


@pytest.mark.parametrize("interval", [-1.0, float("nan"), float("inf")])
def test_an_interval_that_cannot_be_is_refused(interval):
    with pytest.raises(UsageError, match="interval"):
        Pipeline(recording(1), Always(), [], interval=interval)


def test_a_count_that_cannot_be_is_refused():
    with pytest.raises(UsageError, match="frames"):
        Pipeline(recording(1), Always(), [], frames=0)


@pytest.mark.parametrize("fields", [{"delivered": 1}, {"dropped": -1}, {"classified": 2}])
def test_an_account_that_does_not_add_up_cannot_be_made(fields):
    with pytest.raises(ValueError, match="expected"):
        Tally(**fields)
