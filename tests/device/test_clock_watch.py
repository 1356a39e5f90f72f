"""The clock that is set while a watch runs: noticed, told, stored, and earlier times corrected."""

import contextlib
import io
import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge import frame as frames
from corrosion_edge.cli import cli
from corrosion_edge.device import capture, clock
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Patience, Supervised
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.clock_watch import ClockSet, ClockWatch
from corrosion_edge.device.events import stamp as stamps
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.device.sinks import JsonSink, TextSink
from corrosion_edge.device.sources.fake import FakeCamera
from corrosion_edge.device.store import Reader
from corrosion_edge.device.store.verify import verify
from corrosion_edge.errors import StoreError
from corrosion_edge.frame import Frame

TRUE = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


class Clocks:
    """A monotonic clock, a wall clock that is wrong, and what the kernel says of it."""

    def __init__(self, wrong=0.0, is_set=False):
        self.seconds, self.wrong, self.is_set, self.slept = 100.0, wrong, is_set, 0.0
        self.stopped = []  # seconds for which the process stands still within a reading
        self.watch = ClockWatch(self.now, lambda: self.is_set, lambda: self.slept)

    def now(self):
        wall = TRUE + timedelta(seconds=self.seconds + self.slept + self.wrong)
        self.seconds += self.stopped.pop() if self.stopped else 0.0
        return Stamp(wall, self.seconds, "boot")

    def later(self, seconds=1.0, jump=0.0, is_set=None):
        self.seconds += seconds
        self.wrong += jump
        self.is_set = self.is_set if is_set is None else is_set
        return self.watch.news()


@given(st.lists(st.floats(-1e6, 1e6), max_size=9), st.floats(-1e6, 1e6), st.booleans())
def test_all_steps_since_the_first_doubt_are_one_jump(steps, last, at_once):
    clocks = Clocks(wrong=3e6)
    assert [clocks.later(jump=step) for step in steps] == [None] * len(steps)
    if not at_once:
        assert clocks.later(jump=last) is None
    change = clocks.later(jump=last if at_once else 0.0, is_set=True)
    assert change.jump == pytest.approx(sum(steps) + last, abs=1e-5)
    assert change.at == clocks.now()
    assert change.doubted
    assert [clocks.later() for _ in range(3)] == [None] * 3


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -1.5])
def test_a_clock_that_passed_for_right_and_is_set_is_told_each_time(jump):
    clocks = Clocks(is_set=True)
    for _ in range(2):
        assert clocks.later() is None
        change = clocks.later(jump=jump)
        assert (change.jump, change.doubted) == (pytest.approx(jump, abs=1e-5), False)
        assert change.at == clocks.now()
    assert [clocks.later(seconds=1e4, jump=0.5) for _ in range(3)] == [None] * 3  # slewed


def test_a_machine_that_slept_and_a_process_that_was_stopped_set_no_clock():
    clocks = Clocks(is_set=True)
    clocks.slept = 9000.0
    assert clocks.later() is None
    clocks.stopped.append(60.0)
    assert [clocks.later() for _ in range(3)] == [None] * 3
    assert clocks.later(jump=60.0).jump == pytest.approx(60)


def test_a_clock_that_was_doubted_in_between_is_told_once():
    clocks = Clocks(is_set=True)
    assert clocks.later(jump=-3600.0, is_set=False) is None
    assert clocks.later(jump=3600.0, is_set=True).doubted
    assert clocks.later() is None


def test_a_clock_that_is_never_set_or_of_which_nobody_knows_is_no_news():
    clocks = Clocks()
    assert [clocks.later(jump=1e4) for _ in range(3)] == [None] * 3
    clocks.is_set = None  # a kernel that cannot be asked any more
    assert clocks.later(jump=1e4) is None


def test_a_clock_in_1970_is_doubtful_whatever_is_said_of_it():
    clocks = Clocks(wrong=-1.7e9, is_set=True)
    assert clocks.later() is None
    assert clocks.later(jump=1.7e9).jump == pytest.approx(1.7e9)


def test_each_doubt_has_its_end():
    clocks = Clocks(wrong=-60.0)
    assert clocks.later(jump=60.0, is_set=True).jump == pytest.approx(60)
    assert clocks.later(jump=900.0, is_set=False) is None  # by hand, which the kernel tells
    assert clocks.later(jump=-900.0, is_set=True).jump == pytest.approx(-900)


@pytest.mark.parametrize(
    ("jump", "told"),
    [(3600.04, "the clock was set 3600.0 s forward; what was stored earlier in this boot is"),
     (-0.5, "the clock was set 0.5 s back; "), (0.01, "is synchronised now, and was right; ")],
)  # fmt: skip
def test_it_is_told_to_people_and_programs(jump, told):
    out, errors, lines = io.StringIO(), io.StringIO(), io.StringIO()
    change = ClockSet(Stamp(TRUE, 5.0, "boot"), jump)
    TextSink(out, errors).write(change)
    JsonSink(lines).write(change)
    assert told in errors.getvalue()
    assert out.getvalue() == ""
    line = json.loads(lines.getvalue())
    assert datetime.fromisoformat(line.pop("time")) == TRUE
    assert line == {"event": "clock_set", "jump_s": round(jump, 3)}


def test_what_a_clock_stamped_that_passed_for_right_is_not_said_to_be_corrected():
    told = str(ClockSet(Stamp(TRUE, 5.0, "boot"), -3600.0, doubted=False))
    assert told.endswith("  the clock was set 3600.0 s back, though it passed for right; what was "
                         "stored before keeps its times")  # fmt: skip


@pytest.mark.parametrize("ago", [timedelta(0), YEAR, -YEAR])
def test_a_frame_of_before_that_is_judged_after_is_of_a_clock_that_was_not_set(ago):
    now = Stamp.now()
    old = Stamp(now.wall - ago, now.seconds, now.boot)
    assert was_set(old) is (not ago)
    assert was_set(Stamp(old.wall, 3.0, now.boot, recording=True)) is True


@pytest.fixture
def wrong(monkeypatch):
    """Set by how much this machine's clock is wrong; it says itself whether it is set."""

    class Wrong(datetime):
        error = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.error

    def be(error):
        Wrong.error = error
        monkeypatch.setenv(clock.SYNCHRONISED_VARIABLE, "untrusted" if error else "trusted")

    monkeypatch.setattr(frames, "datetime", Wrong)
    monkeypatch.setattr(stamps, "datetime", Wrong)
    return be


@pytest.fixture
def jumped(wrong, monkeypatch):
    """A step that sets the clock of a machine which says all the while that it is set."""

    def by(jump):
        wrong(timedelta(0))

        def step():
            wrong(jump)
            monkeypatch.setenv(clock.SYNCHRONISED_VARIABLE, "trusted")

        return step

    return by


@pytest.fixture
def watch(monkeypatch, bundle, tmp_path):
    """``watch --store`` before a camera whose script may do something between two frames."""

    def run(*steps, live=False, words=()):
        def script():
            for step in steps:
                yield step() or "frame" if callable(step) else step

        made = FakeCamera(script(), live=live, period=0.02 if live else 0.0)

        def opened(spec, *, observe=None, **_):
            patience = Patience(hung_after=300.0)
            return Supervised(made, patience=patience, observe=observe) if live else made

        monkeypatch.setattr(capture, "open_camera", opened)
        monkeypatch.setattr(
            Classifier, "open", lambda model=None, **_: Classifier(bundle, FakeBackend())
        )
        words = ["watch", "--store", str(tmp_path / "events"), "--enter", "0", "--leave", "0",
                 "--smooth", "1/1", *words]  # fmt: skip
        return CliRunner().invoke(cli, words)

    return run


def events(tmp_path):
    with Reader(tmp_path / "events") as reader:
        return list(reader.events())


def near(text):
    return abs(datetime.fromisoformat(text) - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize("error", [-YEAR, YEAR, timedelta(days=-20000)])
@pytest.mark.parametrize("live", [False, True])
def test_a_watch_tells_once_and_all_its_times_come_right(watch, wrong, tmp_path, error, live):
    def began():
        with contextlib.suppress(StoreError):  # being made
            return any(event.fields["kind"] == "corrosion_began" for event in events(tmp_path))

    def put_right():
        """Once corrosion began: a live camera is read by another thread than judges."""
        end = time.monotonic() + 60
        while not began():
            assert time.monotonic() < end
            time.sleep(0.01)
        wrong(timedelta(0))

    wrong(error)
    words = ["--json", *(["--frames", "6"] if live else [])]
    result = watch(*["frame"] * 3, put_right, *["frame"] * 30, live=live, words=words)
    assert result.exit_code == 0, result.output
    told = [line for line in map(json.loads, result.stdout.splitlines()) if "event" in line]
    kinds = ["started", "corrosion_began", "clock_set", "corrosion_ended", "stopped"]
    assert [line["event"] for line in told] == kinds
    jump = told[2]["details"]["jump_s"]
    assert jump == pytest.approx(-error.total_seconds(), abs=60)
    found = {event.fields["kind"]: event for event in events(tmp_path)}
    assert list(found) == kinds
    for kind in ("started", "corrosion_began"):
        assert found[kind].fields["clock_set"] is False
        assert not near(found[kind].fields["at"])
        assert near(found[kind].times.at)
    assert found["clock_set"].fields["details"] == {"jump_s": jump}
    assert found["clock_set"].fields["clock_set"] is True
    ended = found["corrosion_ended"]
    assert (ended.times.at, ended.times.end) == (None, None)  # by a clock that was set
    assert near(ended.times.start)
    assert all(near(event.at) for event in found.values())
    assert verify(tmp_path / "events").events == 5


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_passes_for_right_and_is_set_is_stored(watch, jumped, tmp_path, jump):
    jumps = jumped(timedelta(seconds=jump))
    result = watch(*["frame"] * 3, jumps, *["frame"] * 3)
    assert result.exit_code == 0, (result.output, result.exception)
    found = events(tmp_path)
    kinds = ["started", "corrosion_began", "clock_set", "corrosion_ended", "stopped"]
    assert [event.fields["kind"] for event in found] == kinds
    assert found[2].fields["details"]["jump_s"] == pytest.approx(jump, abs=1)
    assert found[2].fields["reason"].endswith("what was stored before keeps its times")
    began, ended = found[1], found[3]
    assert (began.times.at, began.times.start) == (None, None)
    at, start = (datetime.fromisoformat(text) for text in (ended.at, ended.start))
    assert timedelta(0) <= at - start < timedelta(minutes=5)
    assert verify(tmp_path / "events").events == 5


def test_people_are_told_once(watch, wrong, tmp_path):
    wrong(-YEAR)
    result = watch("frame", lambda: wrong(timedelta(0)), *["frame"] * 3)
    assert result.stderr.count("s forward; what was stored earlier in this boot is") == 1
    assert "warning: the clock is not synchronised" in result.stderr


def test_a_later_watch_of_the_same_boot_puts_right_what_an_earlier_one_stored(
    watch, wrong, tmp_path
):
    wrong(-YEAR)
    assert watch(*["frame"] * 2).exit_code == 0
    assert not any(event.times.at for event in events(tmp_path))
    wrong(timedelta(0))
    result = watch(*["frame"] * 2)
    assert result.exit_code == 0, (result.output, result.exception)
    found = events(tmp_path)
    assert all(near(event.at) for event in found)
    assert [event.fields["kind"] for event in found].count("clock_set") == 0
    assert [event.times.at is None for event in found].count(False) == len(found) // 2


def test_a_recording_is_left_as_it_is(watch, wrong, tmp_path, monkeypatch):
    wrong(-YEAR)
    monkeypatch.setattr(FakeCamera, "__init__", _with_spacing(FakeCamera.__init__))
    assert watch(*["frame"] * 3, lambda: wrong(timedelta(0)), *["frame"] * 3).exit_code == 0
    (began,) = [e for e in events(tmp_path) if e.fields["kind"] == "corrosion_began"]
    assert began.fields["recording"] is True
    assert not near(began.at)
    assert (began.times.at, began.times.start) == (None, None)
    started, *_ = events(tmp_path)
    assert near(started.times.at)  # that is no frame of the recording


def _with_spacing(make):
    return lambda self, script, **how: make(self, script, **{**how, "spacing": 0.1})


def test_minutes_know_whether_the_clock_was_set(wrong):
    from corrosion_edge.device.events.summary import Minutes
    from corrosion_edge.prediction import Prediction

    minutes, pixels = Minutes("north"), np.zeros((2, 2, 3), np.uint8)
    wrong(-YEAR)
    minutes.verdict(Stamp.of(Frame.now(pixels, 0)), Prediction(0.5, 0.5), False)
    wrong(timedelta(0))  # also if the minute ends after that
    done = minutes.finish()
    assert done.clock_set is False
    assert done.monotonic_s is not None
    minutes.verdict(Stamp.of(Frame.now(pixels, 0, position=3.0)), Prediction(0.5, 0.5), False)
    assert minutes.finish().monotonic_s is None
