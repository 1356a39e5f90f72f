"""Time stamps around a change to or from summer time, and of a clock that nobody set."""

import io
import json
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from corrosion_edge.cli import cli
from corrosion_edge.device import clock
from corrosion_edge.device.sinks import JsonSink, TextSink
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

PIXELS = np.zeros((2, 2, 3), np.uint8)


@pytest.fixture
def zone(monkeypatch):
    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def untrusted(monkeypatch):
    monkeypatch.setenv(clock.SYNCHRONISED_VARIABLE, "untrusted")


def stamps(first, step, count):
    """The times that both sinks print of frames taken one ``step`` after the other."""
    text, lines = io.StringIO(), io.StringIO()
    for number in range(count):
        frame = Frame(PIXELS, number, first + number * step)
        for sink in (TextSink(text), JsonSink(lines)):
            sink.write(Verdict(frame, Prediction(0.9, 0.5), 1.0))
    printed = [line.split()[0] for line in text.getvalue().splitlines()]
    assert printed == [json.loads(line)["time"] for line in lines.getvalue().splitlines()]
    return printed


@pytest.mark.parametrize(
    ("first", "expected"),
    [("2026-10-25T00:30:00", ["02:30:00.000+02:00", "02:30:00.000+01:00", "03:30:00.000+01:00"]),
     ("2026-03-29T00:30:00", ["01:30:00.000+01:00", "03:30:00.000+02:00", "04:30:00.000+02:00"])],
)  # fmt: skip
def test_the_hour_that_comes_twice_or_never(zone, first, expected):
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    printed = stamps(begin, timedelta(hours=1), 3)
    assert [stamp.partition("T")[2] for stamp in printed] == expected
    moments = [datetime.fromisoformat(stamp) for stamp in printed]
    assert moments == [begin + timedelta(hours=hour) for hour in range(3)]


@pytest.mark.parametrize("name", ["UTC0", "NST3:30NDT,M3.2.0,M11.1.0", "<+0545>-5:45"])
def test_stamps_are_the_same_moments_in_every_zone(zone, name):
    zone(name)
    begin = datetime(2026, 11, 1, 4, 0, 0, 125_000, UTC)
    printed = stamps(begin, timedelta(minutes=15), 12)
    moments = [datetime.fromisoformat(stamp) for stamp in printed]
    assert moments == [begin + timedelta(minutes=15) * step for step in range(12)]
    assert all(len(stamp) == len("2026-11-01T04:00:00.125+00:00") for stamp in printed)


def test_a_clock_that_nobody_set_is_marked(untrusted):
    text, lines = io.StringIO(), io.StringIO()
    verdict = Verdict(Frame.now(PIXELS, 0), Prediction(0.9, 0.5), 1.0)
    TextSink(text).write(verdict)
    JsonSink(lines).write(verdict)
    assert text.getvalue().split()[0].endswith("?")
    assert json.loads(lines.getvalue())["clock"] == "unsynchronised"


def test_a_frame_of_before_the_clock_was_set_is_marked_also_after():
    text, lines = io.StringIO(), io.StringIO()
    now = Frame.now(PIXELS, 0)
    for taken in (now.taken_at, now.taken_at - timedelta(minutes=5)):
        frame = Frame(PIXELS, 0, taken, monotonic=now.monotonic)
        for sink in (TextSink(text), JsonSink(lines)):
            sink.write(Verdict(frame, Prediction(0.9, 0.5), 1.0))
    marked = [line.split()[0].endswith("?") for line in text.getvalue().splitlines()]
    assert marked == [False, True]
    assert ["clock" in json.loads(line) for line in lines.getvalue().splitlines()] == [False, True]


def test_a_trusted_clock_is_not_marked():
    lines = io.StringIO()
    JsonSink(lines).write(Verdict(Frame.now(PIXELS, 0), Prediction(0.9, 0.5), 1.0))
    assert "clock" not in json.loads(lines.getvalue())


def test_a_clock_at_1970_is_marked_whatever_it_says_of_itself():
    assert clock.is_synchronised()
    assert clock.is_doubtful(datetime.fromtimestamp(90, UTC))
    assert not clock.is_doubtful(datetime.fromtimestamp(clock.EARLIEST, UTC))


def test_watch_warns_once(classifier, untrusted):
    result = CliRunner().invoke(cli, ["watch", "--camera", "demo", "--frames", "3", "--json"])
    assert result.stderr.count("the clock is not synchronised") == 1
    assert [json.loads(line)["clock"] for line in result.stdout.splitlines()] == [
        "unsynchronised"
    ] * 3


def test_the_kernel_is_asked(monkeypatch):
    monkeypatch.delenv(clock.SYNCHRONISED_VARIABLE)
    assert clock.is_synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [(0, 0, True), (0, 0x2001, True), (5, 0, False), (0, 0x40, False), (5, 0x40, False),
     (1, 0, True), (-1, 0, None)],
)  # fmt: skip
def test_what_the_kernels_answers_mean(monkeypatch, answer, status, expected):
    def kernel(pointer):
        pointer._obj.status = status
        return answer

    monkeypatch.delenv(clock.SYNCHRONISED_VARIABLE)
    monkeypatch.setattr(clock, "_adjtimex", lambda: kernel)
    assert clock.is_synchronised() is expected


def test_without_the_function_nobody_knows(monkeypatch):
    monkeypatch.delenv(clock.SYNCHRONISED_VARIABLE)
    monkeypatch.setattr(clock, "_adjtimex", lambda: None)
    assert clock.is_synchronised() is None
