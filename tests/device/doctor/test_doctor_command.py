"""``corrosion-edge doctor`` from the outside, on this very machine."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.cli import cli
from corrosion_edge.device.doctor import examine as module
from corrosion_edge.device.doctor.finding import STATES, Finding
from corrosion_edge.device.trial import ask_child


def run(*arguments):
    return CliRunner().invoke(cli, ["doctor", *arguments])


@pytest.fixture
def findings(monkeypatch):
    found = []
    monkeypatch.setattr(module, "examine", lambda host: found)
    return found


def test_it_examines_this_machine_as_json():
    result = run("--json", "--patience", "60")
    told = json.loads(result.stdout)
    topics = [found["topic"] for found in told["findings"]]
    assert list(dict.fromkeys(topics)) == list(module.PROBES)
    assert all(found["state"] in STATES for found in told["findings"])
    problems = [found for found in told["findings"] if found["state"] == "problem"]
    assert told["problems"] == len(problems)
    assert result.exit_code == bool(problems)


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="the package carries no default model yet")
def test_the_runtime_is_really_tried():
    pytest.importorskip("ai_edge_litert", reason="no runtime here")
    assert ask_child("runtime", 60)["differences"] == []


def test_a_child_that_takes_too_long_is_given_up():
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        ask_child("runtime", 0.01)


def test_a_child_that_dies_says_its_last_words():
    with pytest.raises(RuntimeError, match="KeyError"):
        ask_child("nonsense", 60)


def test_text_has_a_line_a_finding_and_its_advice(findings):
    findings += [Finding("power", "ok", "5 A"), Finding("disk", "warning", "full", "Empty it.")]
    result = run()
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "ok       power        5 A",
        "warning  disk         full",
        "                      Empty it.",
    ]


def test_a_problem_is_exit_code_1(findings):
    findings.append(Finding("disk", "problem", "full", "Empty it."))
    assert run().exit_code == 1


def test_a_folder_that_is_not_there_is_wrong_usage():
    assert run("--folder", "/nowhere").exit_code == 2


def test_nothing_of_it_needs_root(tmp_path):
    """Run as nobody, where this test may change the user."""
    command = [sys.executable, "-m", "corrosion_edge", "doctor", "--json", "--patience", "60"]
    try:
        done = subprocess.run(command, user="nobody", group="nogroup", extra_groups=[],
                              capture_output=True, text=True, check=False)  # fmt: skip
    except (PermissionError, KeyError) as error:
        pytest.skip(f"this user may not run programs as nobody: {error}")
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["findings"]
