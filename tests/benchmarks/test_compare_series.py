"""What is compared beside medians, what is known of it, and what of two runs has to be said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from latency_samples import MACHINE, make_report, make_round, make_second, make_sustained

from corrosion_edge.benchmarks.compare import compare
from corrosion_edge.benchmarks.compare_text import comparison_text
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.submit import submission
from corrosion_edge.cli import cli
from corrosion_edge.errors import UsageError
from corrosion_edge.output import json_text

A, B = Path("a.json"), Path("b.json")


def report_of(processes=5, sustained=(), runs=60, **changes):
    part = replace(make_round(runs), **changes)
    result = replace(make_report().results[0], rounds=(part,) * processes)
    return make_report(results=(result,), sustained=sustained)


def frames(count, **changes):
    """A minute with so many frames in each second."""
    return make_sustained(seconds=tuple(make_second(1.0 + n, frames=count) for n in range(60)),
                          minutes=1.0, **changes)  # fmt: skip


def series(found):
    return {row.series: row for row in found.rows}


def test_single_processes_give_ratios_and_no_verdict():
    found = compare({A: report_of(1, runs=120), B: report_of(5)})
    assert {row.ratio.differs for row in found.rows} == {None}
    assert "a.json: 1 process, too few for intervals of 95 %; see --processes" in found.notes
    rows = comparison_text(found).splitlines()[1 : 1 + len(found.rows)]
    assert all(row.endswith("-  not known") for row in rows)


def test_no_tail_of_few_runs_and_no_memory_that_is_unknown():
    assert "invoke p99" not in series(compare({A: report_of(3, runs=33), B: report_of()}))
    unknown = report_of(peak_memory_bytes=UNAVAILABLE)
    assert "peak memory" not in series(compare({A: report_of(), B: unknown}))


def test_memory_is_compared():
    row = series(compare({A: report_of(), B: report_of(peak_memory_bytes=140_000_000)}))[
        "peak memory"
    ]
    assert (row.first_value, row.second_value, row.unit) == (70.0, 140.0, "MB")
    assert row.ratio.differs


def test_xnnpack_and_kernels_that_differ_are_told():
    builtin = report_of(xnnpack="off", backend="made up 1.0, CPU, 1 thread, built-in kernels")
    assert compare({A: report_of(), B: builtin}).notes == (
        "b.json: ran on made up 1.0, CPU, 1 thread, built-in kernels, against made up 1.0, CPU, "
        "1 thread in a.json",
        "b.json: a, CPU with 1 thread on 1920x1080: XNNPACK off, against on in a.json",
    )


def test_throughput_of_sustained_runs_is_compared_where_both_have_one():
    one, other = report_of(sustained=(frames(50),)), report_of(sustained=(frames(40),))
    found = compare({A: one, B: other})
    row = series(found)["sustained"]
    assert (row.first_value, row.second_value, row.unit) == (50.0, 40.0, "1/s")
    assert row.ratio.value == 0.8
    assert row.ratio.differs is None
    assert "50.0 1/s" in comparison_text(found)
    assert "of a sustained run's frames/s slower" in comparison_text(found)
    assert "sustained" not in series(compare({A: one, B: report_of()}))


@pytest.mark.parametrize(
    ("other", "compared", "note"),
    [
        (frames(50, rate=5.0), False, "b.json: {}: rate 5.0 against full speed in a.json"),
        (make_sustained(), True, "b.json: {}: minutes 2.0 against 1.0 in a.json"),
        (
            frames(50, void=("hot",)),
            False,
            "b.json: {}: void (hot), so it is not compared; see --void",
        ),
    ],
)
def test_sustained_runs_that_are_unlike_are_told(other, compared, note):
    found = compare({A: report_of(sustained=(frames(50),)), B: report_of(sustained=(other,))})
    assert ("sustained" in series(found)) is compared
    assert note.format("a, CPU with 1 thread on 1920x1080, sustained") in found.notes


def test_a_published_result_is_compared(tmp_path):
    report = replace(report_of(), machine=replace(MACHINE, virtual="no"))
    mine = tmp_path / "mine.json"
    mine.write_text(json_text(report.to_dict()))
    made = submission(mine, report, by="Ada", note="", board=None, virtual=False)
    published = tmp_path / "raspberry-pi-4-model-b.json"
    published.write_text(made.to_json())
    words = ["benchmark", "compare", str(published), str(mine)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert f"against {published}; " in done.stdout
    content = json.loads(made.to_json())
    published.write_text(json.dumps({**content, "report": {**content["report"], "format": 3}}))
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 2
    assert "no report of a benchmark (format: this version reads 4, got 3)" in done.stderr


def test_a_published_result_is_not_submitted_again(tmp_path):
    from corrosion_edge.benchmarks.reading import read_report

    path = tmp_path / "x.json"
    path.write_text(json.dumps({"board": "x", "by": "", "note": "", "report": {}}))
    with pytest.raises(UsageError, match="no report of a benchmark"):
        read_report(path)
