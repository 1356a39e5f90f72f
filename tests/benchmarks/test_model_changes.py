"""The benchmark of models put in place, with two changes."""

import re

import pytest
from click.testing import CliRunner

from corrosion_edge.benchmarks.model_changes import main
from corrosion_edge.bundle import DEFAULT_MODEL


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_two_changes_from_end_to_end():
    done = CliRunner().invoke(main, ["--changes", "2", "--every", "0.1"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["no change", "1 changes", "2 changes"]
    pattern = r"[\d.]+ ms from verdict to verdict \(median\), [\d.]+ at most; \d+ MB, \d+ threads"
    assert all(re.search(pattern, line) for line in lines)
