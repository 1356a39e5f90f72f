"""The whole line on real photos, by the commands a user types: minutes, and only where they are."""

import json
from pathlib import Path

import pytest
from typed import same_scores, typed

from corrosion_edge.bundle import Bundle

pytestmark = pytest.mark.photos


@pytest.fixture(scope="session")
def weights(shared: Path) -> Path:
    return shared / "weights" / "efficientnetv2-b0_notop.npz"


@pytest.fixture(scope="session")
def run(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("photos") / "fast"
    typed("train", data, "--out", out, "--recipe", "fast", "--weights", weights)
    return out


@pytest.fixture(scope="session")
def model(run: Path, data: Path) -> Path:
    out = run.parent / "fast.tflite"
    typed("quantize", run, "--data", data, "--out", out, "--calibration", 64)
    return out


def test_the_fast_recipe_reaches_its_figures(run):
    figures = json.loads((run / "metrics.json").read_text())["test"]
    assert figures["n"] == 182
    assert figures["accuracy"] >= 0.940
    assert figures["auc"] >= 0.980


def test_the_photos_were_counted(run):
    data = json.loads((run / "run.json").read_text())["data"]
    assert data["photos"]["train"] == {"corrosion": 622, "no-corrosion": 580}
    assert data["photos"]["validation"] == {"corrosion": 198, "no-corrosion": 166}
    assert data["passed_over"]["AppleDouble files"] > 300
    assert data["unreadable"] == []


def test_the_model_file_is_integer_and_within_its_limits(model):
    from corrosion_edge.quantize import flatbuffer

    bundle = Bundle.load(model)
    assert flatbuffer.problems(bundle.model) == []
    assert bundle.manifest.drift["broken"] == []


def test_the_search_is_nearer_than_the_plain_conversion(model):
    told = json.loads(model.with_suffix(".drift.json").read_text())
    rungs = {rung["name"]: rung for rung in told["rungs"]}
    assert rungs[told["rung"]]["mean_change"] < 0.6 * rungs["plain"]["mean_change"]
    assert told["mean_change"] < 0.015


def test_classify_evaluate_and_watch_say_the_same(model, data, tmp_path):
    same_scores(model, data, tmp_path, "--no-slices")


def test_benchmark_on_this_machine(model):
    ran = typed("benchmark", model, "--threads", "1,2", code=None)
    assert model.name in ran.stdout
    assert ran.returncode == (3 if "void: " in ran.stdout else 0)  # tests may run beside it
