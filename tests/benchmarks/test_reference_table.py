"""The table of reference results in the documentation: up to date, and made of sound files."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from latency_samples import MACHINE, make_report

from corrosion_edge.benchmarks.submit import submission

ROOT = Path(__file__).resolve().parents[2]
REAL = replace(MACHINE, virtual="no")


@pytest.fixture
def folder(tmp_path):
    """With the result of one board."""
    report = make_report(machine=REAL)
    made = submission(Path("r"), report, by="Ada", note="", board=None, virtual=False)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / f"{made.board}.json").write_text(made.to_json())
    return tmp_path / "reference"


def reference(*words):
    command = [sys.executable, ROOT / "tools" / "reference.py", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def test_the_documentations_table_is_what_the_files_say():
    done = reference("--check")
    assert done.returncode == 0, done.stderr


def test_a_table_that_is_out_of_date_is_found_and_renewed(folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text((ROOT / "docs" / "benchmarks.md").read_text())
    where = ["--page", page, "--folder", folder]
    found = reference("--check", *where)
    assert found.returncode == 1
    assert "out of date" in found.stderr
    assert reference(*where).returncode == 0
    assert reference("--check", *where).returncode == 0
    assert "Ada" in page.read_text()


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe{", b"[" * 100_000, b'{"board": "other"}', None]
)
def test_a_broken_file_is_told_of_in_one_sentence(tmp_path, content):
    broken = tmp_path / "other.json"
    broken.mkdir() if content is None else broken.write_bytes(content)
    done = reference("--check", "--folder", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {broken}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", ["no marks", None])
def test_a_page_that_cannot_hold_the_table_is_named(tmp_path, content):
    page = tmp_path / "page.md"
    if content:
        page.write_text(content)
    done = reference("--page", page)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {page}: ")
    assert done.stderr.count("\n") == 1
