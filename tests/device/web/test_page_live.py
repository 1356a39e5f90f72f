"""The live state: words, counts, and bounds."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.events.event import ModelName
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.verdict import ModelChange, Unreadable
from corrosion_edge.device.web.live import Live
from corrosion_edge.device.web.series import BOUNDS, HOURS, STEP, Latencies, Scores


def state(name, camera="deck", previous="running", reason="because"):
    return CameraState(camera, name, reason, datetime.now(UTC), previous, failures=2)


@pytest.fixture
def live(clock):
    return Live(("deck",), clock)


def test_before_the_first_frame(live):
    told = live.status("deck")
    assert (told.word, told.shot, told.looked, told.latency) == ("starting", None, None, None)
    assert not told.up
    with pytest.raises(KeyError):
        live.status("other")
    with pytest.raises(ValueError, match="one or more"):
        Live(())


@pytest.mark.parametrize(
    ("score", "word"), [(0.9, "corrosion"), (0.1, "no-corrosion"), (0.5, "unsure")]
)
def test_a_verdict_in_words(live, verdict, score, word):
    live.take(verdict(score))
    told = live.status("deck")
    assert (told.word, told.outcomes[word], sum(told.outcomes.values())) == (word, 1, 1)
    assert told.up
    assert told.shot.prediction.score == score


def test_since_is_when_the_word_changed(live, verdict):
    live.take(verdict(0.9))
    first = live.status("deck").since
    live.take(verdict(0.8))
    assert live.status("deck").since == first
    live.take(verdict(0.1))
    assert live.status("deck").since > first


def test_a_lost_camera_keeps_its_last_picture_and_comes_back(live, verdict):
    live.take(verdict(0.9))
    live.take(state("lost"))
    told = live.status("deck")
    assert (told.word, told.reason, told.up, told.failures) == ("lost", "because", False, 2)
    assert told.shot.prediction.score == 0.9
    live.take(state("running", previous="lost"))
    assert live.status("deck").word == "starting"
    live.take(verdict(0.1))
    told = live.status("deck")
    assert (told.word, told.reason, told.up) == ("no-corrosion", "", True)


def test_unusable_and_unreadable(live, dark):
    live.take(dark)
    told = live.status("deck")
    assert (told.word, told.reason) == ("unusable", "dark (9.0, limit 48)")
    assert told.shot.prediction is None
    live.take(Unreadable(1, "a.jpg", "a.jpg: broken"))
    told = live.status("deck")
    assert (told.word, told.reason) == ("unreadable", "a.jpg: broken")
    assert (told.outcomes["unusable"], told.outcomes["unreadable"]) == (1, 1)


def test_an_unreadable_picture_of_several_cameras_is_its_cameras():
    live = Live(("deck", "gate"))
    live.take(Unreadable(1, "a.jpg", "a.jpg: broken", "gate"))
    words = [live.status(name).word for name in ("deck", "gate")]
    assert words == ["starting", "unreadable"]


def away(name="lost", reason="unplugged"):
    return AcceleratorState("Edge TPU", name, reason, datetime.now(UTC))


def test_without_an_accelerator_no_verdict_stands(live, verdict, dark):
    live.take(verdict(0.9))
    live.take(away())
    told = live.status("deck")
    assert (told.word, told.reason) == ("away", "the Edge TPU is away: unplugged")
    assert told.up  # the camera delivers
    live.take(dark)
    assert live.status("deck").word == "unusable"
    live.take(state("lost"))
    live.take(away(reason="no device"))
    assert live.status("deck").word == "lost"
    live.take(state("running", previous="lost"))
    told = live.status("deck")
    assert (told.word, told.reason) == ("away", "the Edge TPU is away: no device")
    live.take(away("recovered"))
    assert live.status("deck").word == "starting"


def test_what_stands_in_judges(live, verdict):
    live.take(verdict(0.9))
    live.take(away("replaced"))
    assert live.status("deck").word == "corrosion"


@pytest.mark.parametrize(("accepted", "word"), [(True, "starting"), (False, "away")])
def test_another_model_judges_on_what_it_has(live, verdict, accepted, word):
    live.take(away())
    model = ModelName("a model", "ab" * 32, 0.5)
    live.take(ModelChange(at=datetime.now(UTC), file="m", old=model, new=model, accepted=accepted,
                          reason="put in place"))  # fmt: skip
    assert live.status("deck").word == word


def test_each_camera_has_its_own(verdict, clock):
    live = Live(("gate", "pole"), clock)
    live.take(verdict(0.9, "gate"))
    live.take(verdict(0.9, "somebody"))
    live.take(state("lost", "pole"))
    assert [live.status(name).word for name in live.cameras] == ["corrosion", "lost"]
    assert [sum(live.status(name).outcomes.values()) for name in live.cameras] == [1, 0]


def test_what_is_not_known_is_left_out(live):
    live.take(object())
    assert live.status("deck").word == "starting"


def test_health_allows_for_slow_intervals(live, verdict, clock):
    clock.now += 59
    assert live.healthy
    clock.now += 2
    assert not live.healthy
    for _ in range(12):
        clock.now += 600
        live.take(verdict())
    clock.now += 1500
    assert live.healthy
    clock.now += 600
    assert not live.healthy


def test_memory_does_not_grow(live, verdict, clock):
    before = live._by_name["deck"].scores.nbytes
    for _ in range(3000):
        clock.now += 60
        live.take(verdict(0.3))
    camera = live._by_name["deck"]
    assert camera.scores.nbytes == before < 200_000
    assert camera.latencies._ring.size == 512
    found = live.scores("deck", 1e9)
    assert len(found) <= 360
    assert found[0].at >= clock.now - HOURS * 3600 - 60 * STEP


@given(st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 1)), min_size=1, max_size=60))
def test_scores_are_those_that_went_in(pairs):
    scores, now = Scores(), 50_000.0
    given_scores = []
    for wait, score in pairs:
        now += wait
        scores.add(now, score)
        given_scores.append((now // STEP, score))
    oldest = now // STEP - HOURS * 3600 / STEP
    kept = [score for cell, score in given_scores if cell > oldest]
    found = scores.since(now, HOURS * 3600)
    assert min(s.low for s in found) == min(kept)
    assert max(s.high for s in found) == max(kept)
    assert all(s.low - 1e-9 <= s.mean <= s.high + 1e-9 for s in found)
    assert [s.at for s in found] == sorted({s.at for s in found})
    assert len(found) <= 360


def test_nothing_is_told_of_an_empty_time():
    scores = Scores()
    assert scores.since(1e6, 3600) == []
    scores.add(1e6, 0.5)
    assert scores.since(1e6 + HOURS * 3600 + STEP, 1e9) == []


@given(st.lists(st.floats(0, 20), min_size=1, max_size=700))
def test_latencies(values):
    latencies = Latencies()
    for value in values:
        latencies.add(value)
    assert latencies.percentiles((50, 95)) == pytest.approx(
        np.percentile(values[-512:], (50, 95)).tolist(), rel=1e-6, abs=1e-9
    )
    counts = dict(latencies.buckets())
    assert counts["+Inf"] == len(values)
    assert [counts[str(b)] for b in BOUNDS] == [sum(v <= b for v in values) for b in BOUNDS]


def test_since_when_is_by_the_clock_once_it_is_set():
    year, live = timedelta(days=365), Live(["deck"])
    before, now = live.status("deck").since, Stamp.now()
    live.take(ClockSet(Stamp(now.wall + year, now.seconds, now.boot), year.total_seconds()))
    assert abs(live.status("deck").since - before - year) < timedelta(seconds=1)
