"""``benchmark roofline``: what it writes, what it refuses at once, and when it is void."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from click.testing import CliRunner
from latency_samples import QUIET, make_model

from corrosion_edge.benchmarks.roofline import measure as measuring
from corrosion_edge.benchmarks.roofline.cli import roofline as command


@pytest.fixture
def quiet_machine(monkeypatch):
    """Whatever else runs beside the tests."""
    monkeypatch.setattr(measuring, "read_state", lambda: QUIET)
    monkeypatch.setattr(measuring, "fastest_mhz", lambda: 1500)
    monkeypatch.setattr(measuring.Usage, "others_cores", lambda self: 0.0)
    monkeypatch.setattr(measuring.Usage, "swapped_pages", lambda self: 0)


@pytest.fixture
def fast(monkeypatch):
    """One invoke of each network, and little to copy."""
    monkeypatch.setattr(measuring, "_RUNS", 1)
    monkeypatch.setattr(measuring, "SHAPES", ((128, 28),))
    monkeypatch.setattr(measuring, "bytes_to_copy", lambda cache, memory: 2**20)


def run(*words):
    return CliRunner().invoke(command, ["--rounds", "2", *map(str, words)], catch_exceptions=False)


def test_the_command_writes_page_and_json(tmp_path, quiet_machine, fast):
    done = run("--json", tmp_path / "r.json", "--html", tmp_path / "r.html")
    assert done.exit_code == 0, done.output
    assert "peak, INT8: " in done.output
    assert "estimated, not measured:" in done.output
    (told,) = json.loads((tmp_path / "r.json").read_text())["runs"]
    (model,) = told["points"]
    assert model["seconds"] >= model["at_least"]["multiplying_s"] > 0
    assert told["peaks"]["INT8"] > 0
    assert (told["void"], told["clocks_mhz"], told["others_cores"]) == ([], [1500, 1500], 0.0)
    written = (tmp_path / "r.html").read_text()
    assert "data:image/svg" in written
    assert "Kinds of operators" in written


def test_several_numbers_of_threads(tmp_path, quiet_machine, fast):
    done = run("--threads", "1,2", "--json", "-", "--html", tmp_path / "r.html")
    assert done.exit_code == 0, done.output
    assert [one["threads"] for one in json.loads(done.stdout)["runs"]] == [1, 2]
    assert "Models, 2 threads" in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("read_state", lambda: replace(QUIET, throttled="0x4"), "firmware reports throttled now"),
        ("read_state", lambda: replace(QUIET, under_voltage="yes"), "reports under-voltage"),
        ("Usage.others_cores", lambda self: 1.5, "other programs used 1.50 cores"),
        ("Usage.swapped_pages", lambda self: 3, "3 pages of memory were swapped"),
        ("fastest_mhz", iter([1500, 900, 1500, 900]).__next__, "fell from 1500 to 900 MHz"),
    ],
)
def test_a_disturbed_run_is_void(tmp_path, monkeypatch, quiet_machine, fast, name, value, told):
    holder, _, attribute = f"measuring.{name}".rpartition(".")
    where = measuring.Usage if holder.endswith("Usage") else measuring
    monkeypatch.setattr(where, attribute, value)
    done = run("--json", tmp_path / "r.json", "--html", tmp_path / "r.html")
    assert done.exit_code == 3
    assert done.stderr.startswith("Error: figures are void, measure again: ")
    assert told in done.stderr
    assert f"{told}" in done.stdout.splitlines()[-1]
    assert json.loads((tmp_path / "r.json").read_text())["runs"][0]["void"]
    assert told in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--html", "{}"), "--html: expected a file, got the folder"),
        (("--json", "{}/x", "--html", "{}/x"), "--json and --html: expected two files"),
        (("--html", "-"), "--html: expected a file, got -"),
        (("--threads", "1,0"), "--threads: expected 1 to 256, got 0"),
        (("--threads", "two"), "--threads: expected whole numbers"),
    ],
)
def test_what_cannot_be_is_found_out_before_the_work(tmp_path, monkeypatch, words, told):
    monkeypatch.setattr(measuring, "measure", lambda *_: pytest.fail("measured"))
    done = run(*(word.format(tmp_path) for word in words))
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_wrong_model_is_told_before_peaks_are_probed(tmp_path, monkeypatch):
    (tmp_path / "no.tflite").write_bytes(b"nothing")
    monkeypatch.setattr(measuring, "probe", lambda *_: pytest.fail("probed"))
    for path in (tmp_path / "no.tflite", make_model(tmp_path / "damaged.tflite")):
        done = run(path)
        assert done.exit_code == 1
        assert str(path) in done.stderr


def test_the_runtime_says_nothing_of_its_own():
    code = (
        "from corrosion_edge.benchmarks.roofline import measure as m\n"
        "m._RUNS, m.SHAPES, m.bytes_to_copy = 1, ((128, 28),), lambda *_: 2**20\n"
        "m.measure([None], [1], 1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
