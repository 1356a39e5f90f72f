import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

TINY = ["--recipe", "scratch", "--backbone", "tiny", "--weights", "none", "--image-size", "64",
        "--epochs", "1"]  # fmt: skip


def test_a_run_holds_what_it_should(tiny_run):
    names = {path.name for path in tiny_run.iterdir()}
    assert names == {
        "model.keras", "run.json", "recipe.toml", "history.csv", "metrics.json",
        "learning_curves.png", "confusion_matrix.png", "roc.png", "reliability.png", "report.html",
    }  # fmt: skip
    info = json.loads((tiny_run / "run.json").read_text())
    assert info["recipe"] == "scratch"
    assert info["seed"] == 1
    assert info["data"]["photos"]["train"] == {"corrosion": 42, "no-corrosion": 42}
    assert len(info["data"]["fingerprint"]) == 64
    assert {"tensorflow", "keras", "numpy", "pillow", "python"} <= set(info["versions"])
    with (tiny_run / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == [f"{i + 1}.0" for i in range(20)]
    metrics = json.loads((tiny_run / "metrics.json").read_text())
    assert set(metrics) == {"validation", "test"}
    assert metrics["test"]["n"] == 12
    page = (tiny_run / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    assert 'src="http' not in page


def test_the_toy_learns(tiny_run):
    """Rendered rust is easy; a trainer that does not train would sit at one half."""
    metrics = json.loads((tiny_run / "metrics.json").read_text())
    assert metrics["validation"]["auc"] > 0.8


def test_evaluate_prints_the_contract(tiny_run, rendered):
    result = run("evaluate", tiny_run, rendered, "--json", "--split", "validation")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)
    assert {"n", "accuracy", "auc", "precision", "recall", "f1", "threshold", "confusion",
            "ci95"} <= set(figures)  # fmt: skip
    assert figures["n"] == 24
    assert set(figures["confusion"]) == {"tp", "fp", "tn", "fn"}
    assert {"accuracy", "auc", "precision", "recall", "f1"} <= set(figures["ci95"])
    assert {"specificity", "log_loss", "brier", "ece", "ece_if_calibrated", "at_recall", "abstain",
            "confidence"} <= set(figures)  # fmt: skip
    curves = {curve["name"]: curve["levels"] for curve in figures["slices"]["curves"]}
    assert {"greyscale", "hue", "brightness", "blur", "jpeg"} <= set(curves)
    assert all(0 <= level["accuracy"] <= 1 for levels in curves.values() for level in levels)
    stored = json.loads((tiny_run / "metrics.json").read_text())["validation"]
    assert figures["confusion"] == stored["confusion"]
    assert figures["auc"] == pytest.approx(stored["auc"])
    assert re.fullmatch(r"keras [\d.]+, tensorflow [\d.]+, [CG]PU", figures["backend"])


def test_a_run_and_its_keras_file_give_the_same_figures(tiny_run, rendered):
    both = [
        json.loads(run("evaluate", model, rendered, "--json", "--no-slices").stdout)
        for model in (tiny_run, tiny_run / "model.keras")
    ]
    carried = ("confidence", "at_recall", "abstain")  # a bare Keras file carries none
    for figures in both:
        assert figures["slices"] is None
    assert all(both[0][name] == both[1][name] for name in both[0] if name not in carried)


def test_evaluate_writes_its_folder(tiny_model, rendered, tmp_path):
    out = tmp_path / "evaluation"
    result = run("evaluate", tiny_model, rendered, "--out", out)
    assert result.exit_code == 0
    assert "in the paper's convention" in result.output
    assert "Accuracy, " in result.output
    assert "were chosen on 24 validation photos, 12 of them corroded" in result.output
    assert {p.name for p in out.iterdir()} == {
        "metrics.json", "scores.csv", "confusion_matrix.png", "roc.png", "report.html",
        "reliability.png", "slices.png"}  # fmt: skip
    page = (out / "report.html").read_text()
    assert f"{rendered.name}, test" in page
    ran_on = json.loads((out / "metrics.json").read_text())["backend"]
    assert ", CPU, " in ran_on
    assert f"; the model ran on {ran_on}" in page
    assert f"  ran on {ran_on}\n" in result.output
    assert page.index("<h2>Figures") < page.index("<h2>Where it breaks") < page.index("<h2>Pict")
    with (out / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert all(0 <= float(row["score"]) <= 1 for row in rows)


def test_an_unsplit_folder_is_taken_whole(tiny_model, rendered, tmp_path):
    photos = rendered / "validation"
    assert run("evaluate", tiny_model, photos, "--no-slices", "--out", tmp_path).exit_code == 0
    page = (tmp_path / "report.html").read_text()
    assert "validation, test" not in page
    assert json.loads((tmp_path / "metrics.json").read_text())["n"] == 24


def test_evaluate_at_another_threshold(tiny_model, rendered):
    figures = json.loads(
        run("evaluate", tiny_model, rendered, "--json", "--no-slices", "--threshold", 0).stdout
    )
    assert figures["threshold"] == 0
    assert figures["recall"] == 1
    assert figures["confidence"]["on"] == "validation"
    few = run("evaluate", tiny_model, rendered, "--threshold", "recall")
    assert few.exit_code == 2
    assert "12 corroded validation photos are too few for a recall of 0.98" in few.stderr
    for wrong in ("1.5", "high", "nan"):
        result = run("evaluate", tiny_model, rendered, "--threshold", wrong)
        assert result.exit_code == 2
        assert "--threshold" in result.stderr


def test_an_unreadable_photo_is_named_and_ends_with_1(tiny_run, rendered, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(rendered, data)
    victim = next((data / "test" / "CORROSION").iterdir())
    victim.write_bytes(b"broken")
    result = run("evaluate", tiny_run, data, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["n"] == 11
    assert f"left out: {victim}" in result.stderr


def _spoil(data: Path, fault: str) -> None:
    if fault == "missing":
        shutil.rmtree(data)
    elif fault == "empty":
        for folder in data.iterdir():
            shutil.rmtree(folder)
    elif fault == "one class":
        shutil.rmtree(data / "train" / "CORROSION")
    else:
        for path in data.rglob("*.jpg"):
            path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "no such folder"),
        ("empty", "found none"),
        ("one class", "two class folders"),
        ("all broken", "none of the"),
    ],
)
def test_data_that_cannot_be_trained_on(rendered, tmp_path, fault, message):
    data = tmp_path / "data"
    shutil.copytree(rendered, data)
    _spoil(data, fault)
    result = run("train", data, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_an_out_folder_that_exists_is_left_alone(rendered, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "keep").write_text("mine")
    result = run("train", rendered, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert (tmp_path / "run" / "keep").read_text() == "mine"


def test_an_out_folder_that_cannot_be_written(rendered, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("train", rendered, "--out", tmp_path / "file" / "run", *TINY)
    assert result.exit_code == 1
    assert "cannot be" in result.stderr


def test_a_disk_that_fills_up_while_the_run_is_written(rendered, small_disk):
    result = run("train", rendered, "--out", small_disk / "run", *TINY)
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("words", [["--backbone", "resnet"], ["--recipe", "magic"],
                                   ["--epochs", "many"], ["--fine-tune", "2"],
                                   ["--image-size", "5"], ["--weights", "missing.npz"],
                                   ["--positive", "cats"]])  # fmt: skip
def test_wrong_options_exit_with_2_and_name_themselves(rendered, tmp_path, words):
    base = ["--recipe", "fast", "--backbone", "tiny", "--weights", "none", "--image-size", "64"]
    result = run("train", rendered, "--out", tmp_path / "run", *base, *words)
    assert result.exit_code == 2
    assert words[0] in result.stderr or words[1] in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["missing", "missing.keras", "missing.tflite"])
def test_a_model_that_is_not_there(rendered, tmp_path, name):
    result = run("evaluate", tmp_path / name, rendered)
    assert result.exit_code == 2
    assert name in result.stderr


def test_a_folder_that_is_no_run(rendered, tmp_path):
    result = run("evaluate", tmp_path, rendered)
    assert result.exit_code == 2
    assert "run.json" in result.stderr
    (tmp_path / "run.json").write_text("{}")
    assert run("evaluate", tmp_path, rendered).exit_code == 2


def test_progress_is_silent_when_nobody_looks(tiny_run, rendered):
    assert run("evaluate", tiny_run, rendered, "--json").stderr == ""


def test_render_writes_a_set_once(tmp_path):
    out = tmp_path / "set"
    result = run("render", "--out", out, "--per-class", 10, "--size", 48, 40)
    assert result.exit_code == 0
    assert len(list(out.rglob("*.jpg"))) == 20
    again = run("render", "--out", out, "--per-class", 10, "--size", 48, 40)
    assert again.exit_code == 1
    assert str(out) in again.stderr


def test_the_program_itself_says_nothing_of_tensorflow(rendered, tmp_path):
    """A process of its own: native libraries write to the descriptor, past Python."""
    program = Path(sys.executable).with_name("corrosion-edge")
    run = subprocess.run(
        [program, "train", rendered, "--out", tmp_path / "run", "--json", *TINY],
        capture_output=True, text=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert run.returncode == 0
    assert run.stderr == f"Written: {tmp_path / 'run' / 'report.html'}\n"
    assert json.loads(run.stdout) == json.loads((tmp_path / "run" / "metrics.json").read_text())


def test_photos_that_training_split_are_judged_by_that_split(rendered, tmp_path):
    """Not on those that it learned from, though the folder's own test split names some of them."""
    trained = tmp_path / "run"
    result = run("train", rendered, "--out", trained, *TINY, "--split", "grouped")
    assert result.exit_code == 0, result.output
    stored = json.loads((trained / "metrics.json").read_text())
    info = json.loads((trained / "run.json").read_text())
    assert info["data"]["split"] == "70/20/10, duplicates kept together"
    for split in ("validation", "test"):
        words = ["evaluate", trained, rendered, "--split", split, "--json", "--no-slices"]
        again = json.loads(run(*words).stdout)
        assert again["confusion"] == stored[split]["confusion"]
        assert again["auc"] == pytest.approx(stored[split]["auc"])
    others = tmp_path / "others"
    shutil.copytree(rendered, others)
    next((others / "train" / "CORROSION").iterdir()).unlink()
    figures = json.loads(run("evaluate", trained, others, "--json", "--no-slices").stdout)
    assert figures["n"] == 12
