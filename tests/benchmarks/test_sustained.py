"""Sustained runs: what a second tells, what follows from them, and a real one of two seconds."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from latency_samples import make_model, make_report, make_second, make_sustained

from corrosion_edge.benchmarks import sustaining
from corrosion_edge.benchmarks.endurance import NEVER, NOT_MEASURED
from corrosion_edge.benchmarks.endure import endure
from corrosion_edge.benchmarks.job import Job
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.benchmarks.sustaining import sustain
from corrosion_edge.benchmarks.void import sustained_reasons
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.output import json_text

NAMED = {
    "model": "default", "model_name": "a", "model_sha256": "0" * 64, "threads": 1,
    "width": 32, "height": 24,
}  # fmt: skip


@pytest.fixture
def job(tmp_path):
    raw = tmp_path / "one.raw"
    raw.write_bytes(bytes(32 * 24 * 3))
    model = make_model(tmp_path / "a.tflite")
    return Job(str(model), 1, 1, str(raw), 1, 32, 24, ("none.jpg",), seconds=3.0)


class Time:
    """A clock that each look moves on; sleeping is told."""

    def __init__(self, step):
        self.now, self.step, self.slept = 0.0, step, []

    def __call__(self):
        self.now += self.step
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def lines_of(job, time):
    def opened(asked):
        return Classifier(Bundle.load(Path(asked.model)), FakeBackend())

    return list(endure(job, opened, time, time.sleep))


def test_a_line_each_second_until_the_time_is_up(job):
    first, *lines = lines_of(job, Time(0.125))
    assert first["backend"] == "fake backend"
    assert [line["frames"] for line in lines] == [8, 8, 8]
    assert [line["at_s"] for line in lines] == sorted(line["at_s"] for line in lines)
    assert lines[-1]["at_s"] >= 3.0
    assert all(0 < line["p50_ms"] <= line["p99_ms"] for line in lines)


def test_a_rate_is_kept_by_waiting(job):
    time = Time(0.001)
    _, *lines = lines_of(replace(job, rate=4.0), time)
    assert sum(line["frames"] for line in lines) == pytest.approx(4 * lines[-1]["at_s"], abs=1)
    assert len(time.slept) >= 10


def test_a_frame_that_takes_longer_than_a_second_is_a_line(job):
    _, *lines = lines_of(job, Time(1.5))
    assert {line["frames"] for line in lines} == {1}


def test_what_follows_from_the_seconds():
    seconds = [make_second(1.0 + n, p50_ms=20.0 if n < 60 else 30.0) for n in range(120)]
    seconds[70] = replace(seconds[70], throttled="0x4", temperature_c=81.0)
    found = make_sustained(seconds=tuple(seconds)).summary
    assert (found.first_p50_ms, found.last_p50_ms, found.slowdown) == (20.0, 30.0, 1.5)
    assert found.throttled_after_s == 71.0
    assert found.hottest_c == 81.0
    assert found.frames_per_second == 50.0
    assert found.watts == 3.0
    assert found.joules_per_frame == pytest.approx(3.0 / 50)
    assert found.joules_per_frame_above_idle == pytest.approx(1.0 / 50)


def test_power_is_weighed_by_time():
    seconds = (make_second(1.0, watts=2.0), make_second(4.0, watts=6.0))
    assert make_sustained(seconds=seconds).summary.watts == pytest.approx(5.0)


def test_what_was_not_measured_is_said_and_not_guessed():
    second = make_second(1.0, watts=NOT_MEASURED, throttled=UNAVAILABLE, temperature_c=UNAVAILABLE)
    found = make_sustained(seconds=(second,), idle_watts=NOT_MEASURED).summary
    assert (
        found.watts == found.joules_per_frame == found.joules_per_frame_above_idle == NOT_MEASURED
    )
    assert found.throttled_after_s == found.hottest_c == UNAVAILABLE
    assert make_sustained().summary.throttled_after_s == NEVER


def test_a_meter_that_falls_silent_gives_no_energy():
    seconds = (make_second(1.0), make_second(2.0, watts=UNAVAILABLE))
    found = make_sustained(seconds=seconds).summary
    assert found.watts == found.joules_per_frame == UNAVAILABLE


def test_a_quiet_minute_is_valid():
    assert sustained_reasons([make_second(1.0 + n) for n in range(60)], paced=False) == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"throttled": "0x4"}, "the firmware reports throttled now"),
        ({"others_cores": 0.5}, "other programs used 0.50 cores while measuring, more than 0.25"),
        ({"under_voltage": "yes"}, "the board's voltage monitor reports under-voltage"),
        ({"swapped_pages": 2}, "120 pages of memory were swapped while measuring"),
    ],
)
def test_a_disturbed_one_is_void(changes, reason):
    seconds = [make_second(1.0 + n, **changes) for n in range(60)]
    assert sustained_reasons(seconds, paced=False) == (reason,)


UNKNOWN = {"throttled": UNAVAILABLE, "under_voltage": UNAVAILABLE, "swapped_pages": UNAVAILABLE}


def clocked(*clocks):
    """Seconds with these clocks, of a machine that tells nothing else."""
    return [make_second(1.0 + n, frequency_mhz=mhz, **UNKNOWN) for n, mhz in enumerate(clocks)]


def test_a_clock_that_falls_is_void_and_one_that_wavers_is_not():
    (reason,) = sustained_reasons(clocked(*[1500] * 59, 1000), paced=False)
    assert reason == "the clock fell from 1500 to 1000 MHz while measuring"
    assert sustained_reasons(clocked(*[1500, 1350] * 30), paced=False) == ()
    assert sustained_reasons(clocked(*[UNAVAILABLE] * 60), paced=False) == ()


def test_a_governor_that_idles_between_frames_is_not_throttling():
    waiting = clocked(*([600] * 9 + [1500]) * 6, *[600] * 5)  # the last five alone are no stretch
    assert sustained_reasons(waiting, paced=True) == ()
    (reason,) = sustained_reasons(clocked(*[1500] * 40, *[1000] * 20), paced=True)
    assert reason == "the clock fell from 1500 to 1000 MHz while measuring"
    assert sustained_reasons(clocked(*[1500] * 4), paced=True) == ("4 s, shorter than 60 s",)


def test_the_clock_is_the_highest_that_was_seen_after_a_frame(job, monkeypatch):
    clocks = itertools.cycle([600, 900, 1500, 1400])
    monkeypatch.setattr("corrosion_edge.benchmarks.endure.fastest_mhz", lambda: next(clocks))
    _, *lines = lines_of(job, Time(0.125))
    assert [line["clock_mhz"] for line in lines] == [1500, 1500, 1500]
    monkeypatch.setattr("corrosion_edge.benchmarks.endure.fastest_mhz", lambda: None)
    assert {line["clock_mhz"] for line in lines_of(job, Time(0.125))[1:]} == {None}


def test_the_clock_is_not_looked_at_after_each_of_many_frames(job, monkeypatch):
    looks = []
    monkeypatch.setattr("corrosion_edge.benchmarks.endure.fastest_mhz", lambda: looks.append(1))
    _, *lines = lines_of(job, Time(0.01))
    assert 9 * len(lines) <= len(looks) <= 11 * len(lines)


def test_a_short_one_is_void():
    assert sustained_reasons([make_second(59.0)], paced=False) == ("59 s, shorter than 60 s",)


def test_a_report_with_sustained_runs_survives_json():
    report = make_report(sustained=(make_sustained(),), meter="ina219 at 0x40 on I2C bus 1")
    assert LatencyReport.from_dict(json.loads(json_text(report.to_dict()))) == report


def test_a_void_sustained_run_voids_the_report():
    assert not make_report(sustained=(make_sustained(),)).is_void
    assert make_report(sustained=(make_sustained(void=("hot",)),)).is_void


class Silent:
    """A meter whose readings are given."""

    name = "given"

    def __init__(self, *readings):
        self._readings = iter(readings)

    def mean(self):
        return next(self._readings)


def test_each_second_is_looked_at_from_outside_too(job, monkeypatch):
    busy, own = itertools.count(0.0, 1.0), itertools.count(0.0, 0.0)
    clock = itertools.count(0.0, 1.0)
    monkeypatch.setattr(sustaining, "IDLE", 0.0)
    monkeypatch.setattr("corrosion_edge.benchmarks.state.busy_seconds", lambda: next(busy))
    monkeypatch.setattr("corrosion_edge.benchmarks.state.own_seconds", lambda: next(own))
    monkeypatch.setattr("corrosion_edge.benchmarks.usage.time.monotonic", lambda: next(clock))
    swapped = itertools.count(0, 4)
    monkeypatch.setattr("corrosion_edge.benchmarks.state.swapped_pages", lambda: next(swapped))
    monkeypatch.setattr("corrosion_edge.benchmarks.state._under_voltage", lambda root: "yes")
    line = {"at_s": 1.0, "frames": 9, "p50_ms": 1.0, "p99_ms": 2.0, "memory_bytes": 5,
            "clock_mhz": 1400}  # fmt: skip
    told = [{"backend": "b", "cpu_s": 7.0}, {**line, "cpu_s": 7.25}, {**line, "cpu_s": 7.5}]
    meter = Silent(9.0, 2.0, 9.0, 3.0, None)  # before, idle, start of the process, two seconds
    found = sustain(job, NAMED, meter, lambda asked: iter(told))
    assert found.backend == "b"
    assert found.idle_watts == 2.0
    assert [second.watts for second in found.seconds] == [3.0, UNAVAILABLE]
    assert [second.others_cores for second in found.seconds] == [0.75, 0.75]
    assert [second.swapped_pages for second in found.seconds] == [4, 4]
    assert [second.frequency_mhz for second in found.seconds] == [1400, 1400]
    assert found.void[-1] == "1 s, shorter than 60 s"
    assert "8 pages of memory were swapped while measuring" in found.void
    assert "the board's voltage monitor reports under-voltage" in found.void


def test_an_error_of_the_process_is_the_users(job):
    with pytest.raises(BundleError, match="the network is damaged"):
        sustain(job, NAMED, None)


def test_a_process_that_crashes_is_reported(job, monkeypatch, tmp_path):
    killer = tmp_path / "killer"
    killer.write_text('#!/bin/sh\necho \'{"backend": "b", "cpu_s": 0}\'\nkill -SEGV $$\n')
    killer.chmod(0o755)
    monkeypatch.setattr(sustaining.sys, "executable", str(killer))
    with pytest.raises(BackendError, match="SIGSEGV"):
        sustain(job, NAMED, None)


def test_the_default_model_endures_for_real(job):
    pytest.importorskip("ai_edge_litert", reason="no runtime is installed")
    found = sustain(replace(job, model=str(DEFAULT_MODEL), seconds=2.0), NAMED, None)
    assert "1 thread" in found.backend
    assert 1 <= len(found.seconds) <= 3
    assert found.seconds[-1].at_s >= 2.0
    assert all(second.memory_bytes > 20_000_000 for second in found.seconds)
    assert found.summary.watts == NOT_MEASURED
