"""``benchmark compare``: what it matches, what it refuses, and what it says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from latency_samples import MACHINE, make_report, make_round

from corrosion_edge.benchmarks.compare import compare
from corrosion_edge.benchmarks.pictures import Pictures
from corrosion_edge.cli import cli
from corrosion_edge.errors import UsageError
from corrosion_edge.output import json_text

PHOTOS = Pictures("photos", 4, "e" * 64)
A, B = Path("a.json"), Path("b.json")
SERIES = ["first verdict", "invoke p50", "invoke p99", "path p50", "path p99", "peak memory"]


def changed(report, **changes):
    """The report with a changed result."""
    return replace(report, results=(replace(report.results[0], **changes),))


def slower(factor, processes=5):
    """Five processes whose runs take longer by a factor."""
    part = make_round(60)
    series = part.samples
    longer = {
        name: tuple(round(factor * ns) for ns in getattr(series, name)) for name in series.__slots__
    }
    part = replace(part, samples=replace(series, **longer))
    return changed(make_report(), rounds=(part,) * processes)


def test_ratios_are_the_second_by_the_first():
    found = compare({A: slower(1.0), B: slower(1.5)})
    assert [row.series for row in found.rows] == SERIES
    start, *paths, memory = found.rows
    assert start.ratio.value == memory.ratio.value == 1.0
    assert (memory.first_value, memory.unit) == (70.0, "MB")
    assert (paths[2].first_value, paths[2].second_value, paths[2].unit) == (26.0, 39.0, "ms")
    for row in paths:
        assert row.ratio.value == pytest.approx(1.5)
        assert row.ratio.interval[0] <= row.ratio.value <= row.ratio.interval[1]
        assert row.ratio.differs
    assert found.notes == ()


def test_every_report_is_compared_with_the_first():
    found = compare({A: slower(1.0), B: slower(2.0), Path("c.json"): slower(3.0)})
    assert [(r.second, r.first) for r in found.rows[:: len(SERIES)]] == [
        ("b.json", "a.json"),
        ("c.json", "a.json"),
    ]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            make_report(pictures=Pictures("photos", 4, "f" * 64)),
            "on 4 photos, and a.json on 4 rendered",
        ),
        (make_report(pictures=Pictures("rendered", 4, "e" * 64)), "and a.json on others"),
        (make_report(pixel_format="rgb24"), "frames in rgb24, and a.json in yuv420p"),
        (changed(make_report(), model_sha256="1" * 64), "use --across-models"),
        (changed(make_report(), threads=2), r"CPU with 2 threads .* against CPU with 1 thread on"),
        (changed(make_report(), width=640), r"640x1080 against"),
        (make_report(void=("it was hot",)), r"b\.json: its figures are void \(it was hot\)"),
        (changed(make_report(), void=("9 runs",)), r"void \(9 runs\); measure again"),
    ],
)
def test_what_is_not_comparable_is_refused(other, message):
    with pytest.raises(UsageError, match=message):
        compare({A: make_report(), B: other})


def test_a_first_report_that_is_void_is_refused_too():
    with pytest.raises(UsageError, match=r"a\.json: its figures are void"):
        compare({A: make_report(void=("hot",)), B: make_report()})


def test_another_kind_of_backend_is_not_compared_and_another_version_is():
    def on(backend):
        return changed(make_report(), rounds=(replace(make_round(60), backend=backend),) * 5)

    with pytest.raises(UsageError, match=r"Edge TPU with 1 thread .* against CPU"):
        compare({A: on("lite 1.0, CPU, 1 thread"), B: on("lite 1.0, Edge TPU usb, its runtime 13")})
    found = compare({A: on("lite 1.0, CPU, 1 thread"), B: on("lite 2.0, CPU, 1 thread")})
    assert found.rows[0].backend == "CPU"
    assert found.notes == (
        "b.json: ran on lite 2.0, CPU, 1 thread, against lite 1.0, CPU, 1 thread in a.json",
    )


def test_void_and_other_models_are_compared_if_that_is_asked_for():
    other = changed(make_report(void=("hot",)), model_sha256="1" * 64, model_name="b")
    found = compare({A: make_report(), B: other}, across_models=True, void=True)
    assert (found.rows[0].first_model, found.rows[0].second_model) == ("a", "b")
    assert "b.json: figures in it are void" in found.notes


def test_a_void_figure_that_is_not_compared_does_no_harm():
    one = slower(1.0)
    extra = replace(one.results[0], threads=4, void=("9 runs",))
    found = compare({A: one, B: replace(one, results=(*one.results, extra))})
    assert len(found.rows) == len(SERIES)
    assert "b.json: a, CPU with 4 threads on 1920x1080: nothing to compare it with" in found.notes


def test_other_machines_and_few_processes_are_told():
    other = replace(MACHINE, board="Raspberry Pi 5", soc="brcm,bcm2712")
    notes = compare({A: slower(1.0), B: replace(slower(1.0, processes=2), machine=other)}).notes
    assert notes[0] == (
        "b.json is of another machine than a.json, or it changed: board Raspberry Pi 5 against "
        "Raspberry Pi 4 Model B Rev 1.4; soc brcm,bcm2712 against unavailable"
    )
    assert notes[1] == "b.json: 2 processes, too few for intervals of 95 %; see --processes"


@pytest.fixture
def files(tmp_path):
    for name, factor in (("a", 1.0), ("b", 1.5)):
        (tmp_path / f"{name}.json").write_text(json_text(slower(factor).to_dict()))
    return [str(tmp_path / "a.json"), str(tmp_path / "b.json")]


def run(*words):
    return CliRunner().invoke(cli, ["benchmark", "compare", *map(str, words)])


def test_the_command_prints_a_table(files):
    done = run(*files)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len({len(line) for line in lines[:7]}) == 1
    assert lines[2].split()[:8] == [
        "b.json",
        "a",
        "CPU",
        "1",
        "1920x1080",
        "invoke",
        "p50",
        "27.68",
    ]
    assert lines[2].split()[-1] == "yes"
    assert f"against {files[0]}; a ratio below 1 is faster than it, of memory less" in lines


def test_the_command_prints_json(files):
    found = json.loads(run(*files, "--json").stdout)
    assert found["rows"][3]["ratio"]["value"] == pytest.approx(1.5)
    assert found["rows"][3]["unit"] == "ms"


@pytest.mark.parametrize("content", [None, "no json", "[]", '{"format": 1}', "[" * 100_000])
def test_what_is_no_report_is_refused_by_name(files, tmp_path, content):
    wrong = tmp_path / "wrong.json"
    if content is not None:
        wrong.write_text(content)
    done = run(files[0], wrong)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"Error: {wrong}: ")
    assert "Traceback" not in done.stderr


def test_one_report_is_not_enough(files):
    done = run(files[0], files[0])
    assert done.exit_code == 2
    assert "two reports or more" in done.stderr
