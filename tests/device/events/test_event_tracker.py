"""From scores to changes: examples, and what must hold for any story."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scores import BAND, kinds, stamp, told

from corrosion_edge.device.events.settings import Detection, Mean, Votes, parse_smoothing
from corrosion_edge.device.events.tracker import Tracker
from corrosion_edge.errors import UsageError


def test_three_of_five_begin_and_end():
    changes = told(Tracker(BAND), [0.1, 0.9, 0.1, 0.95, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1])
    assert kinds(changes) == ["corrosion_began", "corrosion_ended"]
    began, ended = (change.span for change in changes)
    assert (began.start.seconds, began.seconds, began.peak) == (1, 3, 0.95)
    assert (ended.start.seconds, ended.end.seconds, ended.frames) == (1, 8, 8)
    assert ended.mean == pytest.approx((3 * 0.9 + 0.95 + 4 * 0.1) / 8)


def test_unsure_frames_are_no_evidence_either_way():
    tracker = Tracker(BAND)
    assert told(tracker, [0.9, 0.9, 0.5, 0.8, 0.2, 0.5, 0.5, 0.5]) == []
    (began,) = told(tracker, [0.9], begin=8)
    assert (began.span.frames, began.span.evidence) == (9, 3)
    assert told(tracker, [0.5] * 50, begin=9) == []


def test_unusable_frames_are_no_evidence_and_make_one_event():
    tracker = Tracker(BAND)
    told(tracker, [0.9, 0.9])
    changes = [c for n in range(20) for c in tracker.unusable(stamp(2 + n), "dark")]
    assert [(c.kind, c.reason) for c in changes] == [("unusable", "dark")]
    assert kinds(told(tracker, [0.9], begin=22)) == ["corrosion_began"]
    assert kinds(told(tracker, [0.9] * 5, begin=23)) == ["usable"]


def test_a_lost_camera_ends_no_corrosion_but_takes_evidence_back():
    tracker = Tracker(BAND)
    told(tracker, [0.9] * 3)
    assert kinds(tracker.camera_state(stamp(4), "lost", "unplugged")) == ["camera_lost"]
    assert tracker.camera_state(stamp(5), "lost") == []
    assert tracker.camera_state(stamp(5), "starting") == []
    assert kinds(tracker.camera_state(stamp(9), "running")) == ["camera_recovered"]
    assert tracker.active
    assert told(tracker, [0.1] * 2, begin=10) == []
    (ended,) = told(tracker, [0.1], begin=12)
    assert (ended.kind, ended.span.seconds) == ("corrosion_ended", 12)


def test_evidence_from_before_a_gap_is_forgotten():
    tracker = Tracker(BAND)
    assert told(tracker, [0.9, 0.9]) + told(tracker, [0.9, 0.9], begin=1000) == []
    (began,) = told(tracker, [0.9], begin=1002)
    assert began.span.start.seconds == 1000


def test_a_clock_that_jumps_changes_no_duration():
    tracker = Tracker(BAND)
    tracker.verdict(stamp(0, wall=0), 0.9)
    tracker.verdict(stamp(1, wall=-86400 * 365), 0.9)
    (began,) = tracker.verdict(stamp(2, wall=3600), 0.9)
    assert (began.span.seconds, began.span.jump) == (2, 3598)


def test_a_looped_video_and_a_new_boot_give_no_negative_time():
    tracker = Tracker(BAND)
    changes = []
    for at in (stamp(50, recording=True), stamp(51), stamp(0), stamp(3, boot="b"), stamp(4)):
        changes += tracker.verdict(at, 0.9)
    assert changes[0].span.seconds == 1
    assert tracker.stop(stamp(5), "")[0].span.seconds == 1


def test_the_mean_needs_a_time_constant_of_evidence():
    chosen = Detection(enter=0.6, leave=0.4, smoothing=Mean(10))
    assert kinds(told(Tracker(chosen), [0.9] * 10)) == []
    changes = told(Tracker(chosen), [0.9] * 11 + [0.0] * 30)
    assert kinds(changes) == ["corrosion_began", "corrosion_ended"]
    assert 5 <= changes[1].at.seconds - 10 <= 9


def test_the_mean_of_one_frame_after_long_doubt_is_not_overrated():
    tracker = Tracker(Detection.for_model(0.5, (0.2, 0.8), smoothing=Mean(10)))
    assert told(tracker, [0.9] + [0.5] * 100 + [0.9]) == []


@pytest.mark.parametrize(
    ("threshold", "band", "enter", "leave", "unsure"),
    [
        (0.5, (0.2, 0.8), 0.8, 0.2, (0.2, 0.8)),
        (0.2, (0.2, 0.8), 0.2, 0.16, None),
        (0.9, (0.2, 0.8), 0.9, 0.72, None),
        (0.5, None, 0.5, 0.4, None),
    ],
)
def test_defaults_follow_the_model(threshold, band, enter, leave, unsure):
    made = Detection.for_model(threshold, band)
    assert (made.enter, made.leave, made.unsure) == (enter, pytest.approx(leave), unsure)


def test_own_thresholds_inside_the_band_are_evidence():
    made = Detection.for_model(0.5, (0.2, 0.8), enter=0.6)
    assert [made.is_unsure(s) for s in (0.2, 0.5, 0.6, 0.8)] == [True, True, False, False]
    assert Detection.for_model(0.5, (0.2, 0.8), enter=0.1).leave == 0.1


@pytest.mark.parametrize("text", ["2/4", "6/5", "0/0", "x", "-3s", "0s", "99999999s", "3/5s", ""])
def test_smoothing_that_cannot_be_is_refused(text):
    with pytest.raises(UsageError, match="smoothing"):
        parse_smoothing(text)


def test_thresholds_the_wrong_way_round_are_refused():
    with pytest.raises(UsageError, match="leave"):
        Detection(enter=0.3, leave=0.4)
    assert parse_smoothing("3/5") == Votes(3, 5)
    assert parse_smoothing("2.5s") == Mean(2.5)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["score", "score", "score", "unusable", "lost", "running", "stop"]),
        st.floats(0, 1),
        st.floats(-5, 400),
    ),
    max_size=120,
)
SETTINGS = st.sampled_from(
    [
        BAND,
        Detection(enter=0.5, leave=0.5, smoothing=Votes(1, 1)),
        Detection(enter=0.0, leave=0.0),
        Detection(enter=1.0, leave=0.0, smoothing=Votes(2, 2)),
        Detection(enter=0.6, leave=0.4, smoothing=Mean(3)),
        Detection(enter=0.5, leave=0.5, smoothing=Mean(0.001), gap=1.0, steady=1),
    ]
)


def story(chosen, steps):
    tracker, time, changes = Tracker(chosen), 0.0, []
    for kind, score, pause in steps:
        time += pause
        at = stamp(time, wall=score * 1e6)
        if kind == "score":
            changes += tracker.verdict(at, score)
        elif kind == "unusable":
            changes += tracker.unusable(at, "dark")
        elif kind == "stop":
            changes += tracker.stop(at, "stopped")
        else:
            changes += tracker.camera_state(at, kind)
    return changes + tracker.stop(stamp(time), "the end")


def alternates(changes, pairs):
    seen = [change.kind for change in changes if change.kind in pairs]
    return seen == [pairs[number % 2] for number in range(len(seen))]


@settings(deadline=None)
@given(SETTINGS, STEPS)
def test_every_begin_has_its_end(chosen, steps):
    changes = story(chosen, steps)
    assert alternates(changes, ("corrosion_began", "corrosion_ended"))
    assert kinds(changes).count("corrosion_began") == kinds(changes).count("corrosion_ended")
    assert alternates(changes, ("camera_lost", "camera_recovered"))
    assert alternates(changes, ("unusable", "usable"))


@settings(deadline=None)
@given(SETTINGS, STEPS)
def test_peak_and_mean_are_of_scores_that_were_seen(chosen, steps):
    scores = [score for kind, score, _ in steps if kind == "score"]
    forward = sum(max(0.0, pause) for _, _, pause in steps)
    for change in story(chosen, steps):
        if change.kind.startswith("corrosion"):
            span = change.span
            assert span.peak in scores
            assert min(scores) - 1e-9 <= span.mean <= span.peak
            assert 1 <= span.evidence <= span.frames
            assert 0 <= span.seconds <= forward + 1e-6
            assert span.peak >= chosen.enter


@settings(deadline=None)
@given(st.lists(st.floats(0.2, 0.8), max_size=50))
def test_doubt_alone_makes_no_event(scores):
    assert told(Tracker(BAND), scores) == []
