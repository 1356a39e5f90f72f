"""What is judged of a soak's record, and what the command makes of it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from soak_records import ending, fault, record, write

from corrosion_edge.benchmarks.soak.cli import main
from corrosion_edge.benchmarks.soak.verdict import Limits, judged
from corrosion_edge.errors import DataError

NOISE = np.random.default_rng(5)


def flat(hours):
    return {"rss_kb": 130_000 + 200 * NOISE.normal(), "threads": 20 + int(NOISE.integers(0, 3))}


def states(lines, **limits):
    return {check.what: check.state for check in judged(lines, Limits(**limits)).checks}


def exceeded(lines, **limits):
    return [what for what, state in states(lines, **limits).items() if state == "exceeded"]


def test_an_hour_without_growth_is_kept_in_every_check():
    assert set(states(record(flat)).values()) == {"kept"}


@pytest.mark.parametrize(("name", "leak"), [
    ("memory", lambda hours: {"rss_kb": flat(hours)["rss_kb"] + 2000 * hours}),
    ("heap in use", lambda hours: {"heap_kb": 45_000 + 2000 * hours}),
    ("open files", lambda hours: {"files": 18 + int(3 * hours)}),
    ("threads", lambda hours: {"threads": 20 + int(3 * hours)}),
    ("children", lambda hours: {"children": int(3 * hours)}),
    ("latency", lambda hours: {"latency_ms": [4 + 8 * hours]}),
    ("latency", lambda hours: {"latency_ms": [4.0] if hours < 0.7 else []}),
    ("watchdog", lambda hours: {"ping_gap_s": 61.0 if 0.5 < hours < 0.51 else 20.0}),
])  # fmt: skip
def test_each_leak_is_found_alone(name, leak):
    assert exceeded(record(leak)) == [name]


@pytest.mark.parametrize(("name", "end"), [
    ("events lost", {"lost": 1}),
    ("events otherwise told than stored", {"untold": 1}),
    ("events not delivered", {"undelivered": 1}),
    ("store", {"verify": "event 7: its picture was changed"}),
    ("exit code", {"exit_code": 1}),
    ("exit code", {"early": True}),
])  # fmt: skip
def test_each_loss_is_found_alone(name, end):
    assert exceeded(record(flat, **end)) == [name]


@pytest.mark.parametrize("outcome", ["unnoticed", "not recovered"])
def test_a_fault_that_was_not_got_over_is_named(outcome):
    result = judged([*record(flat), fault("hang", outcome)], Limits())
    (check,) = result.exceeded
    assert f"hang of mjpeg at 900 s: {outcome}" in check.found


def test_a_camera_that_is_away_hides_no_thread_and_adds_none():
    away = {"faults": 1, "threads": 17}
    assert exceeded(record(lambda hours: away if hours < 0.4 else {})) == []
    mostly = record(lambda hours: away if hours > 0.4 and round(240 * hours) % 3 else {})
    assert exceeded(mostly) == []
    leak = record(lambda hours: {"faults": round(240 * hours) % 2, "threads": 20 + int(3 * hours)})
    assert exceeded(leak) == ["threads"]


def test_a_watch_that_does_not_tell_of_its_heap_is_judged_without():
    silent = [{key: value for key, value in line.items() if key != "heap_kb"}
              for line in record(flat)]  # fmt: skip
    assert "heap in use" not in states(silent)
    assert judged(silent, Limits()).used is None


def test_growth_in_the_warm_up_is_not_judged():
    warm = record(lambda hours: {"rss_kb": 130_000 - 1e5 * max(0, 0.7 - hours)})
    assert exceeded(warm) == ["memory"]
    assert judged(warm, Limits(slope=1.0), warm_up=45).exceeded == []


def test_a_slope_that_may_be_either_is_open():
    wild = record(lambda hours: {"rss_kb": 130_000 + 3000 * np.sin(5 * hours)})
    found = judged(wild, Limits()).slope
    limit = (found.value + found.high) / 2
    assert states(wild, slope=limit)["memory"] == "open"
    assert states(wild, slope=found.high + 1)["memory"] == "kept"
    assert states(wild, slope=found.value)["memory"] == "exceeded"


def test_a_short_run_says_nothing_of_an_hour_unless_it_is_asked_to():
    leak = record(lambda hours: {"rss_kb": 130_000 + 1e6 * hours}, minutes=25)
    assert states(leak)["memory"] == "open"
    assert states(leak, slope=500.0)["memory"] == "exceeded"


def test_a_record_that_breaks_off_is_judged_as_far_as_it_goes():
    broken = record(flat)[:-1]
    assert states(broken)["end"] == "open"
    assert exceeded(broken) == []


def test_too_few_samples_and_no_start_are_refused():
    with pytest.raises(DataError, match="4 samples after the warm-up of 10 minutes"):
        judged(record(minutes=11), Limits())
    with pytest.raises(DataError, match="no start"):
        judged(record()[1:], Limits())


def judge(folder, *words):
    done = CliRunner().invoke(main, [str(folder), "--judge", *words])
    assert "Traceback" not in done.output
    return done


def test_the_command_writes_result_and_page(tmp_path):
    write(tmp_path, record(flat))
    done = judge(tmp_path)
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["slope"]["rss"]["ci95"][0] < 0.5
    assert result["faults"] == {"kill": {"recovered": 1}}
    page = (tmp_path / "report.html").read_text()
    assert "A watch under faults for 60 minutes" in page
    assert page.count("data:image/svg+xml") == 7
    assert "EXCEEDED" not in page


def test_a_leak_is_exit_code_3_with_the_reason(tmp_path):
    write(tmp_path, record(lambda hours: {"rss_kb": 130_000 + 5000 * hours}))
    done = judge(tmp_path)
    assert done.exit_code == 3
    assert "memory: +5.12 MB an hour" in done.stderr
    assert "limit under 1 MB an hour" in done.stderr
    assert "EXCEEDED" in (tmp_path / "report.html").read_text()
    assert judge(tmp_path, "--slope-limit", "6").exit_code == 0


def test_a_last_line_that_is_cut_off_is_left_out_and_a_changed_one_refused(tmp_path):
    write(tmp_path, record(flat))
    path = tmp_path / "soak.jsonl"
    whole = path.read_text()
    path.write_text(whole + json.dumps(ending())[:30])
    assert judge(tmp_path).exit_code == 0
    path.write_text(whole.replace('"kind": "end"', '"kind: "end"'))
    done = judge(tmp_path)
    assert done.exit_code == 2
    assert "soak.jsonl:243: is no JSON" in done.stderr


def test_a_folder_without_a_record_is_refused(tmp_path):
    done = judge(tmp_path)
    assert done.exit_code == 2
    assert "name a soak's folder" in done.stderr
