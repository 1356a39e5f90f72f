import json
from dataclasses import fields, replace

import pytest
from latency_samples import MS, QUIET, make_report, make_round, make_samples

from corrosion_edge.benchmarks.layout import plain, read
from corrosion_edge.benchmarks.samples import UNAVAILABLE, Round, Samples, Start, WarmUp
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.benchmarks.state import State
from corrosion_edge.benchmarks.void import machine_reasons, result_reasons
from corrosion_edge.output import json_text


def test_a_report_survives_json():
    report = make_report()
    assert LatencyReport.from_dict(json.loads(json_text(report.to_dict()))) == report


def test_the_summary_follows_from_the_samples():
    summary = make_report().to_dict()["results"][0]["summary"]
    assert summary["first_verdict_ms"] == 288.0
    assert summary["statistics"]["path"]["p50"] == 26.0
    assert summary["statistics"]["invoke"]["minimum"] == 18.0
    assert summary["ratio"] == pytest.approx(26.0 / 18.45)
    assert summary["peak_memory_bytes"] == 70_000_000


def test_raw_samples_are_kept():
    content = make_report().to_dict()
    assert [len(r["samples"]["invoke_ns"]) for r in content["results"][0]["rounds"]] == [60, 60]


def test_a_figure_changed_by_hand_is_found():
    content = json.loads(json_text(make_report().to_dict()))
    content["results"][0]["summary"]["statistics"]["invoke"]["p50"] = 1.0
    with pytest.raises(ValueError, match="does not follow"):
        LatencyReport.from_dict(content)


@pytest.mark.parametrize("field", [field.name for field in fields(LatencyReport)])
def test_a_missing_field_is_named(field):
    content = make_report().to_dict()
    del content[field]
    with pytest.raises(ValueError, match=f"{field}: expected a value, got nothing"):
        LatencyReport.from_dict(content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 1}, "this version reads 4"),
        ({"runs": 0}, "runs: expected 1"),
        ({"results": ()}, "results: expected 1"),
        ({"started_at": "2026-01-02T03:04:05"}, "time in UTC"),
        ({"started_at": "2027-01-02T03:04:05+00:00"}, "after started_at"),
        ({"others_cores": -1.0}, "others_cores"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_report(**changes)


def test_series_of_different_length_are_refused():
    with pytest.raises(ValueError, match="equally many"):
        Samples((1,), (1,), (1,), (1,), (1, 2), (1,), (1,))
    with pytest.raises(ValueError, match="equally many"):
        Samples((1,), (1,), (1,), (1,), (1,), (1,), (1, 2))
    with pytest.raises(ValueError, match="1 or more"):
        Samples((1,), (1,), (1,), (1,), (1,), (), ())
    assert Samples((1,), (1,), (1,), (1,), (1,), (1, 2), (1, 2)).path_ns == (4,)


@pytest.mark.parametrize("value", [0, -5, 1.5, True, "3"])
def test_a_sample_is_a_whole_number_of_nanoseconds(value):
    with pytest.raises(ValueError, match="whole nanoseconds"):
        Samples((1,), (1,), (1,), (1,), (value,), (1,), (1,))


def test_a_stage_before_the_spawn_is_refused():
    with pytest.raises(ValueError, match="interpreter_ns"):
        Start(-1, 0, 0, 0, 0, 0, 0)


def test_rounds_on_different_backends_are_not_mixed():
    result = make_report().results[0]
    other = replace(make_round(), backend="another")
    with pytest.raises(ValueError, match="one backend"):
        replace(result, rounds=(make_round(), other))


def test_unknown_memory_stays_unknown():
    unknown = replace(make_round(), peak_memory_bytes=UNAVAILABLE)
    result = replace(make_report().results[0], rounds=(make_round(), unknown))
    assert result.summary.peak_memory_bytes == UNAVAILABLE


def test_a_quiet_machine_and_enough_runs_are_valid():
    assert machine_reasons(QUIET, QUIET, 0.1) == ()
    assert result_reasons([make_round(60), make_round(60)]) == ()


def test_throttling_since_boot_or_now_is_void():
    hot = State(81.0, "0x40004", "1000", "0 0 0")
    assert machine_reasons(QUIET, hot, 0.0) == (
        "the firmware reports throttled now",
        "the firmware reports throttled since boot",
    )
    assert machine_reasons(hot, hot, 0.0) == machine_reasons(QUIET, hot, 0.0)


def test_the_voltage_monitors_alarm_is_void():
    low = replace(QUIET, under_voltage="yes")
    reason = "the board's voltage monitor reports under-voltage"
    assert machine_reasons(QUIET, low, 0.0) == (reason,)
    assert machine_reasons(QUIET, replace(QUIET, under_voltage="no"), 0.0) == ()


def test_load_by_others_is_void_and_unknown_load_is_not_guessed():
    assert "1.20 cores" in machine_reasons(QUIET, QUIET, 1.2)[0]
    assert machine_reasons(QUIET, QUIET, UNAVAILABLE) == ()


def test_swapping_is_void():
    (reason,) = machine_reasons(QUIET, QUIET, 0.0, 12)
    assert reason == "12 pages of memory were swapped while measuring"
    assert machine_reasons(QUIET, QUIET, 0.0, UNAVAILABLE) == ()


def test_a_clock_that_falls_is_void_and_one_that_wavers_is_not():
    (reason,) = result_reasons([make_round(60), make_round(60, clocks=(1500, 1000))])
    assert reason == "the clock fell from 1500 to 1000 MHz while measuring"
    assert result_reasons([make_round(clocks=(1500, 1350))]) == ()
    assert result_reasons([make_round(clocks=())]) == ()


def test_few_runs_are_void():
    assert result_reasons([make_round(99)]) == ("99 runs, fewer than 100",)


def test_a_wide_spread_is_void():
    samples = make_samples(100)
    slow = samples.invoke_ns[:95] + (90 * MS,) * 5
    disturbed = replace(make_round(), samples=replace(samples, invoke_ns=slow))
    (reason,) = result_reasons([disturbed])
    assert "p99 is 4.9 times its p50" in reason


def test_an_unsettled_warm_up_is_void():
    (reason,) = result_reasons([make_round(settled=False), make_round()])
    assert reason == "the warm-up did not settle in 1 of 2 processes"


def test_round_reads_back():
    report = make_report().to_dict()
    assert read(Round, report["results"][0]["rounds"][0]) == make_round(60)
    assert plain(make_round(60)) == report["results"][0]["rounds"][0]
    with pytest.raises(ValueError, match="settled"):
        WarmUp(3, settled=1)
