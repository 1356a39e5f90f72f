"""Conversions side by side, by made-up figures: which rows there are, and what they say."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.benchmarks.samples import Round, Samples, Start, WarmUp
from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BackendError
from corrosion_edge.precision import INT8
from corrosion_edge.quantize.choices import EFFORTS
from corrosion_edge.quantize.drift import Limits
from corrosion_edge.quantize.judge import Judge
from corrosion_edge.quantize.precision import latency as latency_module
from corrosion_edge.quantize.precision.latency import Conditions, Latency, latencies
from corrosion_edge.quantize.precision.names import COMPARED
from corrosion_edge.quantize.precision.page import comparison_section, lines
from corrosion_edge.quantize.precision.rung import diagnosis
from corrosion_edge.quantize.precision.side_by_side import Candidate, compare_precisions
from corrosion_edge.report import Page, Table, Text, render
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.samples import Samples as Photos

CONDITIONS = Conditions("x86_64 Toy, 2 cores, Debian", "runtime 1.0", "2026-01-02T03:04:05+00:00",
                        1, 100, 3, ())  # fmt: skip
BEFORE = np.linspace(0, 1, 40)


class Calls(list[str]):
    """A judge's way to score, that counts: model ``b"3"`` is 0.03 too high."""

    def score(self, model: bytes, precision: str) -> Any:
        self.append(f"{precision} {model.decode()}")
        if model == b"broken":
            raise BackendError("the runtime refuses the model (no kernel)")
        return np.clip(BEFORE + int(model) / 100, 0, 1)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def judge(calls: Calls) -> Judge:
    labels = (BEFORE >= 0.5).astype(np.int64)
    photos = tuple(Photo(Path(f"{i}.png"), int(n)) for i, n in enumerate(labels))
    samples = Photos(np.zeros((40, 2, 2, 3), np.uint8), labels, photos)
    return Judge(samples=samples, before=BEFORE, score=calls.score, threshold=0.5,
                 limits=Limits())  # fmt: skip


def measured(bundles, base):
    """A model's name is as many ms as it has letters."""
    assert base == "plain"
    found = {name: Latency(len(name), len(name) + 1, len(name) / 5, ()) for name in bundles}
    return found, CONDITIONS


def compare(judge, names, given, make=lambda name: b"1", measure=measured):
    def seal(model: bytes, precision: str) -> Any:
        return SimpleNamespace(model=model * 100)

    return compare_precisions(names, given, make, seal, judge, measure)


def test_photos_are_scored_once_per_model(judge, calls):
    first, second = judge(b"3"), judge(b"3")
    scored = judge.scored("validation", b"3")
    assert calls == ["int8 3"]
    assert first == second
    assert first.largest_change == pytest.approx(0.03)
    assert np.array_equal(scored.after, np.clip(BEFORE + 0.03, 0, 1))
    judge(b"4", "float16")
    assert calls == ["int8 3", "float16 4"]


def test_false_alarms_are_counted_on_photos_without_corrosion_alone(calls):
    before = np.array([0.2, 0.48, 0.49, 0.51, 0.9])
    samples = Photos(np.zeros((5, 2, 2, 3), np.uint8), np.array([0, 0, 0, 0, 1]),
                     tuple(Photo(Path(f"{i}.png"), 0) for i in range(5)))  # fmt: skip

    def score(model, precision):
        return np.clip(before + int(model) / 100, 0, 1)

    judge = Judge(samples=samples, before=before, score=score, threshold=0.5, limits=Limits())
    assert [judge.alarm_rise(model) for model in (b"0", b"1", b"2", b"-2")] == [0, 0.25, 0.5, -0.25]


def test_rows_are_the_plain_one_first_what_was_asked_for_and_the_one_taken(judge, calls):
    asked = []

    def make(name):
        asked.append(name)
        return b"0"

    given = [Candidate("plain", INT8, b"3"), Candidate("solved", INT8, b"1")]
    found = compare(judge, ("float32", "plain", "float32"), given, make)
    assert [row.name for row in found.rows] == ["plain", "float32", "solved"]
    assert [row.taken for row in found.rows] == [False, False, True]
    assert asked == ["float32"]
    assert calls == ["int8 3", "float32 0", "int8 1"]
    plain = found.rows[0].to_dict()
    assert plain["mean_change"] == pytest.approx(np.mean(np.clip(BEFORE + 0.03, 0, 1) - BEFORE))
    assert (plain["bytes"], plain["latency"]["p50_ms"]) == (100, 5)


def test_the_plain_one_is_made_where_it_is_not_there(judge):
    found = compare(judge, ("dynamic",), [Candidate("float16", "float16", b"0")])
    assert [row.name for row in found.rows] == ["plain", "dynamic", "float16"]
    assert [row.precision for row in found.rows] == [INT8, "dynamic", "float16"]
    assert found.rows[-1].taken


def test_one_that_cannot_run_says_why_and_the_others_stay(judge):
    def make(name):
        return b"broken" if name == "int16x8" else b"0"

    found = compare(judge, ("int16x8", "float32"), [Candidate("plain", INT8, b"1")], make)
    by_name = {row.name: row for row in found.rows}
    assert by_name["int16x8"].failed == "the runtime refuses the model (no kernel)"
    assert by_name["int16x8"].to_dict()["failed"]
    assert by_name["float32"].report is not None
    page = render(Page("t", "s", [comparison_section(found)]))
    assert "int16x8: the runtime refuses the model (no kernel)." in page
    assert any("no kernel" in line for line in lines(found))


def test_a_precision_that_cannot_be_run_is_named_with_the_reason(judge):
    maker: Any = SimpleNamespace(make=lambda name: b"broken")
    with pytest.raises(BackendError, match=r"dynamic was made .*, but not run: .*\(no kernel\)"):
        diagnosis(maker, "dynamic", judge)


def test_without_the_plain_one_there_are_no_ratios(judge):
    with pytest.raises(BackendError, match="no kernel"):
        compare(judge, (), [Candidate("float32", "float32", b"0")], lambda name: b"broken")


def test_void_latencies_are_marked(judge):
    def noisy(bundles, base):
        found, conditions = measured(bundles, base)
        found["plain"] = dataclasses.replace(found["plain"], void=("the warm-up did not settle",))
        return found, dataclasses.replace(conditions, void=("other programs used 1.5 cores",))

    found = compare(judge, (), [Candidate("plain", INT8, b"1")], measure=noisy)
    section = comparison_section(found)
    warnings = [b.text for b in section.blocks if isinstance(b, Text) and b.tone == "warning"]
    assert warnings == [
        "These latencies are void, measure again:\nall: other programs used 1.5 cores\n"
        "plain: the warm-up did not settle"
    ]
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.rows[0][-2:] == ("1.00", "void")


def test_latencies_come_from_one_run_of_the_benchmark_in_turn(monkeypatch):
    """The benchmark's own runner, its processes made up: 2 ms for int8, 6 ms for float32."""
    order: list[str] = []

    def launch(job):
        name = Path(job.model).stem
        order.append(name)
        series = (2_000_000 if name == "plain" else 6_000_000,) * job.runs
        start = Start(1, 1, 1, 1, 1, 1, 1)
        warm, samples = WarmUp(20, True), Samples(*[series] * 7)
        return Round("toy 1.0, CPU, 1 thread", "on", start, warm, samples, (), 1)

    runner = latency_module.measure
    monkeypatch.setattr(latency_module, "measure", lambda plan: runner(plan, launch))
    network = b"\x10\0\0\0TFL3" + bytes(64)
    bundles = {
        name: Bundle.seal(network, {}, name=name, outputs={"scores": "s"})
        for name in ("plain", "float32")
    }
    found, conditions = latencies(bundles, "plain")
    assert order == ["plain", "float32"] * 3
    assert (found["float32"].p50_ms, found["float32"].ratio, found["plain"].ratio) == (6, 3, 1)
    assert (conditions.runtime, conditions.runs, conditions.processes) == ("toy 1.0", 100, 3)
    assert "say nothing about another machine" in conditions.sentence


def test_choices_are_written_once():
    """The options of the command are those of the modules that do the work."""
    from corrosion_edge.quantize.cli import quantize

    options = {option.name: option for option in quantize.params}
    assert tuple(options["effort"].type.choices) == EFFORTS
    assert set(options["precision"].type.choices) - {INT8} < set(COMPARED)
