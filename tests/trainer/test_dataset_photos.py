"""The audit of the real photos: what is known of them is found."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("cv2", reason="OpenCV is not installed")

from corrosion_edge.cli import cli

pytestmark = pytest.mark.photos


@pytest.fixture(scope="module")
def audit(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("audit") / "out"
    data = shared / "data" / "corrosion"
    result = CliRunner().invoke(cli, ["dataset", "audit", str(data), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


def test_the_known_oddities_are_found(audit):
    found = json.loads((audit / "audit.json").read_text())
    assert found["misnamed"] == {"train/CORROSION/F1.jpg": "PNG"}
    assert found["greyscale"] == {"corrosion": 2, "no-corrosion": 76}
    assert found["passed_over"]["AppleDouble files"] > 300
    assert found["duplicates"]["identical_files"] == 1


def test_the_leak_between_the_splits_is_found(audit):
    with (audit / "pairs.csv").open() as stream:
        pairs = [(row["path_a"], row["path_b"]) for row in csv.DictReader(stream)]
    assert ("train/CORROSION/11.jpg", "train/CORROSION/29.jpg") in pairs
    assert all(a < b for a, b in pairs)
    assert len(set(pairs)) == len(pairs)
    found = json.loads((audit / "audit.json").read_text())["duplicates"]
    leaked = found["photos_with_a_version_in"]["test"]["train"]
    assert 0.20 < leaked / 182 < 0.30


def test_orange_alone_goes_far(audit):
    text = (audit / "report.html").read_text()
    assert "fraction of orange pixels" in text
    rules = json.loads((audit / "audit.json").read_text())["shortcuts"]["rules"]
    best = max(rules, key=lambda rule: float(rule["accuracy"]["train"]))
    assert best["feature"] == "orange"
    assert 0.78 < best["accuracy"]["test"] < 0.83
