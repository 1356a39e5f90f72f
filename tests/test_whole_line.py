"""The whole line on real photos, by the commands a user types: minutes, and only where they are."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from corrosion_edge import image
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.photos import find_photos

pytestmark = pytest.mark.photos
PROGRAM = Path(sys.executable).with_name("corrosion-edge")


def _run(*words: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    start = time.monotonic()
    ran = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    print(
        f"\n$ corrosion-edge {' '.join(map(str, words))}\n{ran.stdout[-1500:]}{ran.stderr[-600:]}"
    )
    print(f"[{time.monotonic() - start:.1f} s, exit code {ran.returncode}]")
    assert code is None or ran.returncode == code
    return ran


@pytest.fixture(scope="session")
def data(shared: Path) -> Path:
    return shared / "data" / "corrosion"


@pytest.fixture(scope="session")
def weights(shared: Path) -> Path:
    return shared / "weights" / "efficientnetv2-b0_notop.npz"


@pytest.fixture(scope="session")
def run(data: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("photos") / "fast"
    _run("train", data, "--out", out, "--recipe", "fast", "--weights", weights)
    return out


@pytest.fixture(scope="session")
def model(run: Path, data: Path) -> Path:
    out = run.parent / "fast.tflite"
    _run("quantize", run, "--data", data, "--out", out, "--calibration", 64)
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


@pytest.mark.parametrize("which", ["new", "default"])
def test_classify_evaluate_and_watch_say_the_same(which, request, data, tmp_path):
    path = request.getfixturevalue("model") if which == "new" else DEFAULT_MODEL
    folder = data / "test"
    lines = _run("classify", folder, "--model", path, "--json").stdout.splitlines()
    classified = {v["path"]: v["score"] for v in map(json.loads, lines)}
    lines = _run("watch", "--camera", folder, "--model", path, "--json").stdout.splitlines()
    watched = {v["path"]: v["score"] for v in map(json.loads, lines)}
    _run("evaluate", path, data, "--out", tmp_path)
    with (tmp_path / "scores.csv").open() as stream:
        evaluated = {row["path"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert len(classified) == 182
    assert watched == classified
    assert evaluated == pytest.approx(classified, abs=1e-6)
    figures = json.loads((tmp_path / "metrics.json").read_text())
    right = sum((s >= 0.5) == ("/CORROSION/" in p) for p, s in classified.items())
    assert figures["accuracy"] == pytest.approx(right / 182)


def test_the_default_model_keeps_what_its_card_says(data):
    figures = json.loads(_run("evaluate", DEFAULT_MODEL, data, "--json").stdout)
    card = (Path(__file__).parents[1] / "MODEL_CARD.md").read_text()
    assert f"| accuracy | {figures['accuracy']:.4f} |" in card
    assert f"| ROC-AUC | {figures['auc']:.4f} |" in card


def test_a_video_of_photos_is_judged_frame_by_frame(data, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    photos = find_photos(data / "validation").photos[::12]
    frames = [np.asarray(Image.fromarray(image.read(p)).resize((640, 480))) for p in photos]
    stills = tmp_path / "stills"
    stills.mkdir()
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        track = container.add_stream("ffv1", rate=10)
        track.width, track.height, track.pix_fmt = 640, 480, "bgr0"
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(stills / f"{number:03}.png")
            container.mux(track.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(track.encode())
    video = _run("watch", "--camera", tmp_path / "clip.mkv", "--json", "--no-quality")
    still = _run("watch", "--camera", stills, "--json", "--no-quality")
    assert f"{len(photos)} delivered = {len(photos)} classified" in video.stderr
    scores = [[json.loads(v)["score"] for v in r.stdout.splitlines()] for r in (video, still)]
    assert len(scores[0]) == len(photos)
    assert scores[0] == scores[1]


def test_benchmark_on_this_machine(model):
    ran = _run("benchmark", model, "--threads", "1,2", code=None)
    assert model.name in ran.stdout
    assert ran.returncode == (3 if "void: " in ran.stdout else 0)  # tests may run beside it


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--weights", "{shared}/weights/efficientnet-lite0_imagenet.npz"], "not the weights of"),
        (["--weights", "{shared}/data/README.md"], "not a readable .npz"),
        (["--weights", "imagenet"], "--weights FILE.npz"),
    ],
)
def test_weights_that_do_not_do(data, shared, tmp_path, monkeypatch, words, message):
    # No way out and no cache: what a site office sees, wherever the test runs.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    filled = [word.format(shared=shared) for word in words]
    ran = _run("train", data, "--out", tmp_path / "run", *filled, code=2)
    assert message in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
