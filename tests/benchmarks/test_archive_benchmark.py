"""The benchmark of archives, on a few small photos, and its charts."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from corrosion_edge.benchmarks.archive.cli import main
from corrosion_edge.benchmarks.archive.cost import Cost, measured
from corrosion_edge.benchmarks.archive.picture import cost_chart, memory_chart
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.errors import OutputError


@pytest.mark.skipif(not DEFAULT_MODEL.exists(), reason="no default model yet")
def test_a_small_one_from_end_to_end(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.jpg")
    result = CliRunner().invoke(main, [
        "--photos", str(tmp_path / "photos"), "--count", "7", "--rounds", "1", "--sizes", "3,6",
        "--out", str(tmp_path / "out"),
    ])  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "median, decode, network: pace: " in result.output
    assert "median, decode, scale, network: processor time: " in result.output
    assert "6 photos: " in result.output
    for name in ("cost.svg", "memory.svg"):
        ET.parse(tmp_path / "out" / name)
    assert len(list((tmp_path / "photos").iterdir())) == 3


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(OutputError, match="classify ended with 3: no"):
        measured(["sh", "-c", "echo no >&2; exit 3"], 1)


def test_what_a_command_costs_is_that_of_all_its_processes():
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    cost = measured(["python3", "-c", f"import subprocess, sys\nsubprocess.run([sys.executable, "
                     f"'-c', {burn!r}])"], 10)  # fmt: skip
    assert cost.cpu >= 0.3
    assert cost.cpu_ms == pytest.approx(100 * cost.cpu)
    assert cost.seconds >= 0.3


def test_the_charts_show_every_size():
    costs = [Cost(n, n * 0.01, n * 0.02, ((0.5, 10**8), (1.0, 2 * 10**8))) for n in (1000, 10_000)]
    drawn = cost_chart(costs)
    assert "1,000" in drawn
    assert "10,000" in drawn
    assert drawn.count("<circle") == 4
    assert "10,000 photos" in memory_chart(costs[-1])
