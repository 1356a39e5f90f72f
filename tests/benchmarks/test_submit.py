"""``benchmark submit``, and a board's row of what it writes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from latency_samples import MACHINE, QUIET, make_report, make_round, make_second, make_sustained

from corrosion_edge.benchmarks.pictures import Pictures
from corrosion_edge.benchmarks.published import BOARDS, Published, slug_of, table
from corrosion_edge.benchmarks.submit import submission
from corrosion_edge.cli import cli
from corrosion_edge.errors import GateError, UsageError
from corrosion_edge.output import json_text

RUN = Path("run.json")
REAL = replace(MACHINE, virtual="no")


def valid(**changes):
    return make_report("/home/me/models/a.tflite", **{"machine": REAL, **changes})


def submitted(report, **changes):
    asked = {"by": "Ada", "note": "", "board": None, "virtual": False, **changes}
    return submission(RUN, report, **asked)


def test_all_but_the_models_folder_is_published():
    report = valid(sustained=(make_sustained("/home/me/models/a.tflite"),))
    made = submitted(report)
    assert made.board == "raspberry-pi-4-model-b"
    assert made.report.results[0].model == made.report.sustained[0].model == "a.tflite"
    assert "/home" not in made.to_json()
    whole = replace(
        made.report,
        results=(replace(made.report.results[0], model="/home/me/models/a.tflite"),),
        sustained=report.sustained,
    )
    assert whole == report


def disturbed(**changes):
    """Two minutes, the second of them disturbed."""
    quiet = [make_second(1.0 + n) for n in range(60)]
    return (*quiet, *(make_second(61.0 + n, **changes) for n in range(60)))


@pytest.mark.parametrize(
    "changes",
    [
        {"void": ("it was hot",)},
        {"after": replace(QUIET, throttled="0x4")},  # and void was emptied by hand
        {"others_cores": 2.0},
        {"swapped_pages": 7},
        {"sustained": (make_sustained(void=("hot",)),)},
        {"sustained": (make_sustained(seconds=(make_second(5.0),)),)},
        {"sustained": (make_sustained(seconds=disturbed(swapped_pages=1)),)},
        {"sustained": (make_sustained(seconds=disturbed(under_voltage="yes")),)},
        {"sustained": (make_sustained(seconds=disturbed(frequency_mhz=900)),)},
        {"sustained": (make_sustained(seconds=disturbed(frequency_mhz=900), rate=5.0),)},
        {"results": (replace(make_report().results[0], rounds=(make_round(20),)),)},
    ],
)
def test_void_figures_are_refused_whether_it_says_so_or_not(changes):
    with pytest.raises(GateError, match=r"run\.json: figures in it are void \("):
        submitted(valid(**changes))


@pytest.mark.parametrize(
    "machine",
    [
        replace(REAL, virtual="yes"),
        replace(REAL, virtual="unavailable"),
        replace(REAL, board="unavailable"),
    ],
)
def test_what_is_no_real_board_is_refused_unless_that_is_wanted(machine):
    with pytest.raises(UsageError, match="expected a real board"):
        submitted(valid(machine=machine))
    assert submitted(valid(machine=machine), virtual=True, board="mine").board == "mine"


@pytest.mark.parametrize("board", ["raspberry-pi-5-model-b", "coral-dev-board", "mine"])
def test_a_board_with_a_row_gets_no_other(board):
    with pytest.raises(UsageError, match=r"--board: the report is of Raspberry Pi 4 Model B Rev"):
        submitted(valid(), board=board)
    assert submitted(valid(), board="raspberry-pi-4-model-b").title == "Raspberry Pi 4 Model B"


def test_a_board_without_a_row_gets_none_of_another():
    coral = valid(machine=replace(REAL, board="Freescale i.MX8MQ Phanbell"))
    assert submitted(coral, board="coral-dev-board").title == "Coral Dev Board"
    assert submitted(coral, board="my-phanbell").title == "Freescale i.MX8MQ Phanbell"
    with pytest.raises(UsageError, match=r"Phanbell, not of a Raspberry Pi 5; .* freescale-i-mx8"):
        submitted(coral, board="raspberry-pi-5-model-b")


def test_frames_of_another_kind_are_refused():
    with pytest.raises(UsageError, match="frames in rgb24, not yuv420p as the other results"):
        submitted(valid(pixel_format="rgb24"))


def test_photos_that_nobody_has_are_refused():
    with pytest.raises(UsageError, match="measured on 9 photos, which nobody else has"):
        submitted(valid(pictures=Pictures("photos", 9, "a" * 64)))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"note": "see /home/ada/notes"}, "note holds a path"),
        ({"note": "~/notes"}, "note holds a path"),
        ({"by": ""}, "--by: expected who measured"),
        ({"by": "a\nb"}, "--by: expected one line"),
        ({"board": "../x"}, "--board: expected small letters"),
    ],
)
def test_what_is_said_of_it_is_checked(changes, place):
    with pytest.raises(UsageError, match=place):
        submitted(valid(), **changes)


def test_a_path_anywhere_is_refused_by_its_place():
    machine = replace(REAL, os="Debian in /mnt/disk")
    with pytest.raises(UsageError, match=r"report\.machine\.os holds a path, 'Debian in /mnt"):
        submitted(valid(machine=machine))
    assert submitted(valid(machine=replace(REAL, os="Debian GNU/Linux 12, /dev/apex_0")))


@pytest.mark.parametrize(
    ("board", "backend", "slug"),
    [
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "lite, CPU", "raspberry-pi-3-model-b-plus"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "lite, CPU", "raspberry-pi-zero-2-w"),
        ("Raspberry Pi 5 Model B Rev 1.1", "lite, Edge TPU usb", "raspberry-pi-5-model-b-coral"),
        ("Raspberry Pi 4 Model B Rev 1.4", "lite, Edge TPU", "raspberry-pi-4-model-b-coral"),
    ],
)
def test_a_boards_own_name_leads_to_its_row(board, backend, slug):
    result = make_report().results[0]
    rounds = tuple(replace(part, backend=backend) for part in result.rounds)
    report = valid(machine=replace(REAL, board=board), results=(replace(result, rounds=rounds),))
    assert slug_of(report) == slug
    assert slug in BOARDS


def test_the_table_has_a_row_for_each_board_measured_or_not():
    lines = table([]).splitlines()
    assert [line.split(" | ")[0].removeprefix("| ") for line in lines[2:]] == [*BOARDS.values()]
    assert all(line.endswith("| nobody yet |") for line in lines[2:])
    assert len({line.count("|") for line in lines}) == 1


def test_a_measured_board_tells_who_and_when():
    sustained = make_sustained()
    made = submitted(valid(sustained=(sustained,)), by="Ada | Co")
    radxa = valid(machine=replace(REAL, board="Radxa ROCK 5B"))
    other = submitted(radxa, board="zz-own-board")
    lines = table([made, other]).splitlines()
    (row,) = [line for line in lines if line.startswith("| Raspberry Pi 4 Model B |")]
    assert "| a | CPU | 1 | 1920x1080 | 288.0 ms | 18.45 ms | 18.90 ms | 26.00 ms | 38.5 |" in row
    assert row.endswith(r"| 1.00 | 0.060 J | 2026-01-02, Ada \| Co, 0.1.0 |")
    assert lines[-1].startswith("| Radxa ROCK 5B | a |")


@pytest.fixture
def run_file(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json_text(valid().to_dict()))
    return path


def submit(*words):
    return CliRunner().invoke(cli, ["benchmark", "submit", *map(str, words)])


def test_the_command_writes_the_boards_file_and_shows_it(run_file, tmp_path):
    out = tmp_path / "reference"
    done = submit(run_file, "--by", "Ada", "--note", "a fan", "--out", out)
    assert done.exit_code == 0, done.output
    for told in ("by: Ada", "note: a fan", "board: Raspberry Pi 4", "a.tflite, without its folder"):
        assert told in done.stdout
    written = out / "raspberry-pi-4-model-b.json"
    assert Published.load(written).by == "Ada"
    assert written.read_text().count("\n") == 1
    again = submit(run_file, "--by", "Ada", "--out", out)
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_a_void_run_ends_with_3_and_writes_nothing(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json_text(valid(others_cores=3.0).to_dict()))
    done = submit(path, "--by", "Ada", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_a_file_of_another_board_is_refused(run_file, tmp_path):
    submit(run_file, "--by", "Ada", "--out", tmp_path)
    moved = (tmp_path / "raspberry-pi-4-model-b.json").rename(tmp_path / "other.json")
    with pytest.raises(UsageError, match=r"expected raspberry-pi-4-model-b\.json"):
        Published.load(moved)
    lied = tmp_path / "raspberry-pi-5-model-b.json"
    lied.write_text(json.dumps({**json.loads(moved.read_text()), "board": lied.stem}))
    with pytest.raises(
        UsageError, match=r"no published result .*board: the report is of Raspberry"
    ):
        Published.load(lied)
    moved.write_text(json.dumps({"board": "other"}))
    with pytest.raises(UsageError, match="no published result"):
        Published.load(moved)
