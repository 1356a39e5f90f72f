"""Whether the guard sees what became slower, and bears what did not."""

import sys
from contextlib import nullcontext

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corrosion_edge.benchmarks.guard import measures
from corrosion_edge.benchmarks.guard.__main__ import main
from corrosion_edge.benchmarks.guard.kept import Finding, Kept, read_kept
from corrosion_edge.errors import BackendError, UsageError

RATIO = st.floats(0.01, 100)
LENIENT = "".join(f'[{name}]\nkept = 1.0\nroom = 1e6\nbetter = "lower"\n'
                  for name in measures.MEASURES)  # fmt: skip


@given(RATIO, st.floats(0, 2), st.sampled_from(["lower", "higher"]), RATIO)
def test_only_what_is_worse_than_its_room_fails(kept, room, better, ratio):
    found = Finding("x", "", (ratio,), Kept(kept, room, better))
    assert Finding("x", "", (kept,), found.kept).passes
    worse = ratio / kept if better == "lower" else kept / ratio
    if worse < (1 + room) * 0.999:
        assert found.passes
    if worse > (1 + room) * 1.001:
        assert not found.passes


def test_every_measure_has_its_kept_value_and_no_other_is_kept():
    assert set(read_kept()) == set(measures.MEASURES)


@pytest.mark.parametrize(
    "content", ["[x]\nkept = 0\nroom = 1\nbetter = 'lower'", "[x]\nkept = 1", "x = [", "x = 1",
                "[x]\nkept = 1\nroom = 1\nbetter = 'faster'"]
)  # fmt: skip
def test_kept_values_that_cannot_be_are_refused(tmp_path, content):
    file = tmp_path / "kept.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"kept\.toml: cannot be used"):
        read_kept(file)


def fakes(monkeypatch, ratios):
    fake = {name: (name, lambda setting, rounds, r=ratio: (r,) * rounds, 3)
            for name, ratio in ratios.items()}  # fmt: skip
    monkeypatch.setattr("corrosion_edge.benchmarks.guard.__main__.MEASURES", fake)
    monkeypatch.setattr("corrosion_edge.benchmarks.guard.__main__.prepared", nullcontext)


def test_what_became_slower_ends_with_exit_code_3(monkeypatch):
    kept = read_kept()
    good = {name: one.kept for name, one in kept.items()}
    fakes(monkeypatch, good)
    done = CliRunner().invoke(main, [])
    assert done.exit_code == 0, done.output
    assert done.stdout.count(" ok ") == len(kept)
    fakes(monkeypatch, {**good, "start": 2 * kept["start"].limit})
    done = CliRunner().invoke(main, [])
    assert done.exit_code == 3
    assert "start: " in done.stderr
    assert done.stdout.count("SLOWER") == 1


def test_a_noisy_minute_passes_and_what_is_measured_again_is_no_more_than_that(monkeypatch):
    kept = read_kept()
    series = iter([10.0, 1.0] + [1.0] * 10)
    fakes(monkeypatch, {name: one.kept for name, one in kept.items()})
    from corrosion_edge.benchmarks.guard import __main__ as module

    module.MEASURES["start"] = ("start", lambda setting, rounds: (next(series),) * 3, 3)
    assert CliRunner().invoke(main, ["--only", "start"]).exit_code == 0
    assert next(series) == 1.0
    asked = []
    module.MEASURES["start"] = ("start", lambda setting, rounds: asked.append(1) or (10.0,), 3)
    assert CliRunner().invoke(main, ["--only", "start"]).exit_code == 3
    assert len(asked) == 3


def test_a_measure_without_a_kept_value_is_no_pass(monkeypatch, tmp_path):
    (tmp_path / "kept.toml").write_text("")
    done = CliRunner().invoke(main, ["--kept", str(tmp_path / "kept.toml")])
    assert done.exit_code == 2
    assert "no value is kept for frame-path, frame-rate, watch, classify, start" in done.stderr


def test_each_measure_runs(tmp_path, monkeypatch):
    pytest.importorskip("av", reason="PyAV is not installed")
    monkeypatch.setattr(measures, "_FRAMES", 90)
    monkeypatch.setattr(measures, "_MANY", 20)
    monkeypatch.setattr(measures, "_SIZE", (640, 360))
    (tmp_path / "kept.toml").write_text(LENIENT)
    done = CliRunner().invoke(main, ["--rounds", "1", "--kept", str(tmp_path / "kept.toml")],
                              catch_exceptions=False)  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == list(measures.MEASURES)
    assert all(float(row[1]) > 0 for row in rows)


def test_a_script_that_says_nothing_is_no_time():
    with pytest.raises(BackendError, match="ended without a verdict"):
        measures._until_first_line([sys.executable, "-c", ""])
