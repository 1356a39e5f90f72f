"""Options of ``benchmark`` that cannot be, found out before anything is measured."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from latency_samples import make_model, make_report

from corrosion_edge import output
from corrosion_edge.benchmarks import runner
from corrosion_edge.benchmarks.writing import require_files
from corrosion_edge.cli import cli


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path / "a.tflite")


@pytest.fixture
def refused(model, monkeypatch):
    """The error's sentence; nothing is measured."""
    monkeypatch.setattr(runner, "launch", lambda job: pytest.fail("measured"))

    def invoke(*words):
        done = CliRunner().invoke(cli, ["benchmark", str(model), *map(str, words)])
        assert done.exit_code == 2, done.output
        assert done.stderr.count("\n") == 1
        return done.stderr

    return invoke


@pytest.mark.parametrize("option", ["--json", "--markdown", "--html"])
def test_a_folder_in_place_of_a_file(refused, tmp_path, option):
    assert refused(option, tmp_path) == (
        f"Error: {option}: expected a file, got the folder {tmp_path}\n"
    )


def test_one_file_for_two_options(refused, tmp_path):
    (tmp_path / "sub").mkdir()
    both, again = tmp_path / "both.x", tmp_path / "sub" / ".." / "both.x"
    for one, other in (("--json", "--html"), ("--json", "--markdown"), ("--markdown", "--html")):
        assert f"{one} and {other}: expected two files" in refused(one, both, other, again)
    assert "--json and --markdown: expected two files, got - twice" in refused(
        "--json", "-", "--markdown", "-"
    )
    assert not both.exists()


def test_the_folder_of_a_device_need_not_be_writable(monkeypatch):
    monkeypatch.setattr(output, "require_writable", lambda folder: pytest.fail(str(folder)))
    require_files({"--json": Path("/dev/null")})


def test_a_page_is_not_printed(refused):
    assert refused("--html", "-").startswith("Error: --html: expected a file, got -")


def test_markdown_is_printed_in_place_of_the_table(model, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "measure", lambda plan, meter: make_report())
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["benchmark", str(model), "--markdown", "-"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("# Latency on this machine\n")
    assert "machine: " not in done.stdout
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("words", [("--delegate", "foo"), ("--accelerator-device", "usb")])
def test_the_cpu_with_what_only_an_edge_tpu_uses(refused, words):
    told = refused("--accelerator", "cpu", *words)
    assert told == f"Error: {words[0]}: needs an accelerator, not --accelerator cpu\n"


@pytest.mark.parametrize(
    ("command", "told"), [("false", "ended with exit code 1"), ("'x", "no comm")]
)
def test_a_meter_that_measures_nothing(refused, command, told):
    assert told in refused("--sustained", "1", "--meter-command", command)
