"""Frames that are far apart: they count as those that are close, and a pause is still a pause."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scores import BAND, kinds, stamp, told

from corrosion_edge.device.events.settings import Detection, Mean, Votes
from corrosion_edge.device.events.spacing import FRAMES, Spacing
from corrosion_edge.device.events.tracker import Tracker

HOUR = 3600.0
STEPS = st.floats(0.01, 7 * 24 * HOUR)


@settings(deadline=None)
@given(STEPS, st.integers(1, 9), st.integers(0, 8), st.data())
def test_any_steady_spacing_counts_n_of_m(step, needed, spare, data):
    window = min(needed + spare, 2 * needed - 1)
    tracker = Tracker(Detection.for_model(0.5, (0.2, 0.8), smoothing=Votes(needed, window)))
    # Late or early by a third, as whoever takes pictures by hand is.
    late = data.draw(st.lists(st.floats(-0.3, 0.3), min_size=2 * needed, max_size=2 * needed))
    changes = []
    for number, (off, score) in enumerate(zip(late, [0.9] * needed + [0.1] * needed, strict=True)):
        changes += [(number, c.kind) for c in tracker.verdict(stamp(step * (number + off)), score)]
    assert changes == [(needed - 1, "corrosion_began"), (2 * needed - 1, "corrosion_ended")]


@settings(deadline=None)
@given(st.floats(0.01, 60), st.integers(3, 40), st.floats(HOUR, 100 * HOUR))
def test_a_pause_between_frames_that_are_close_is_forgotten(step, count, pause):
    tracker = Tracker(BAND)
    told(tracker, [0.1] * count + [0.9] * 2, step=step)
    after = step * (count + 1) + pause
    assert told(tracker, [0.9] * 2, begin=after, step=step) == []
    (began,) = told(tracker, [0.9], begin=after + 2 * step)
    assert began.span.start.seconds == after


def test_a_pause_makes_no_habit():
    tracker, at = Tracker(BAND), 0.0
    for _ in range(5):
        assert told(tracker, [0.1] * 8 + [0.9] * 2, begin=at) == []
        at += 10 + HOUR
    assert told(tracker, [0.9] * 2, begin=at) == []


@pytest.mark.parametrize("short", [1, 2])
def test_a_few_frames_at_once_and_then_none_for_an_hour_count(short):
    changes, tracker = [], Tracker(BAND)
    for hour in range(6):
        changes += told(tracker, [0.996] * short, begin=hour * HOUR)
    assert kinds(changes) == ["corrosion_began"]


def test_frames_that_come_more_rarely_than_before_count_from_the_third_on():
    tracker = Tracker(BAND)
    told(tracker, [0.1] * 100)
    changes = [told(tracker, [0.996], begin=99 + HOUR * n) for n in range(1, 6)]
    assert [kinds(each) for each in changes] == [[], [], ["corrosion_began"], [], []]


def test_it_is_known_that_an_hourly_camera_sees_no_corrosion():
    tracker = Tracker(BAND)
    told(tracker, [0.1] * 3, step=HOUR)
    assert tracker.corroded is False
    told(tracker, [0.5] * FRAMES, begin=3 * HOUR, step=HOUR)
    assert tracker.corroded is False
    told(tracker, [0.5], begin=(3 + FRAMES) * HOUR)
    assert tracker.corroded is None


def test_the_time_for_which_a_camera_was_lost_is_no_spacing():
    tracker = Tracker(BAND)
    for lost in range(4):
        told(tracker, [0.9], begin=lost * HOUR)
        tracker.camera_state(stamp(lost * HOUR + 1), "lost")
        tracker.camera_state(stamp(lost * HOUR + 2), "running")
    told(tracker, [0.9, 0.9], begin=4 * HOUR)
    assert told(tracker, [0.9], begin=5 * HOUR) == []


def test_another_model_keeps_what_is_known_of_the_camera():
    tracker = Tracker(BAND)
    told(tracker, [0.1] * 9)
    tracker = tracker.anew(BAND)
    assert told(tracker, [0.9, 0.9], begin=10, step=HOUR) == []
    assert told(tracker, [0.9], begin=10 + HOUR + 1) == []


MEANS = st.floats(0.1, 86400)


@settings(deadline=None)
@given(MEANS, STEPS)
def test_by_a_mean_no_frame_decides_alone_however_far_apart_they_are(constant, step):
    tracker = Tracker(Detection(enter=0.6, leave=0.4, smoothing=Mean(constant)))
    frames = max(3, math.ceil(constant / step) + 2)
    if frames > 2000:
        return
    assert told(tracker, [0.996], step=step) == []
    assert told(tracker, [0.996], begin=step, step=step) == []
    assert kinds(told(tracker, [0.996] * frames, begin=2 * step, step=step)) == ["corrosion_began"]
    clean = told(tracker, [0.1] * 4 * frames, begin=(2 + frames) * step, step=step)
    assert kinds(clean) == ["corrosion_ended"]
    alone = told(tracker, [0.996, 0.1, 0.1], begin=(2 + 5 * frames) * step, step=step)
    assert alone == []


@given(st.lists(st.floats(0.01, 1e6), max_size=30))
def test_the_usual_is_never_the_longest_of_several(seen):
    spacing = Spacing()
    for seconds in seen:
        spacing.see(seconds)
    last = sorted(seen[-8:])
    assert spacing.usual == (last[-2] if len(last) > 1 else sum(last))
    assert spacing.limit(300.0) >= 300.0
