"""The default model on real photos, and what needs no model of one's own; only where they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typed import same_scores, typed

from corrosion_edge import image
from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.heatmap import strength
from corrosion_edge.photos import find_photos

pytestmark = pytest.mark.photos


def test_its_card_is_true_and_classify_evaluate_and_watch_say_the_same(data, tmp_path):
    figures = same_scores(DEFAULT_MODEL, data, tmp_path)
    card = (Path(__file__).parents[1] / "MODEL_CARD.md").read_text()
    assert f"| accuracy | {figures['accuracy']:.4f} |" in card
    assert f"| ROC-AUC | {figures['auc']:.4f} |" in card


def test_its_map_adds_up_to_the_score_and_reaches_the_strongest_colour(data):
    strongest = []
    with Classifier.open() as classifier:
        for photo in find_photos(data / "test").photos[::3]:
            seen = classifier.classify(image.read(photo))
            strongest.append(float(strength(seen.heatmap).max()))
            if 0.02 < seen.score < 0.98:  # beyond, a step of the score is more than a log-odd
                score = np.log(seen.score / (1 - seen.score))
                assert seen.heatmap.mean() == pytest.approx(score, abs=0.5), photo
    assert len(strongest) > 50
    assert np.mean(np.array(strongest) == 1) > 0.2


def test_benchmark_on_photos(data):
    photos = data / "validation" / "CORROSION"
    ran = typed("benchmark", "--threads", "1,2", "--pictures", photos, code=None)
    assert "pictures: 16 photos, yuv420p" in ran.stdout
    assert ran.returncode == (3 if "void: " in ran.stdout else 0)  # tests may run beside it


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
    video = typed("watch", "--camera", tmp_path / "clip.mkv", "--json", "--no-quality")
    still = typed("watch", "--camera", stills, "--json", "--no-quality")
    assert f"{len(photos)} delivered = {len(photos)} classified" in video.stderr
    scores = [[json.loads(v)["score"] for v in r.stdout.splitlines()] for r in (video, still)]
    assert len(scores[0]) == len(photos)
    assert scores[0] == scores[1]


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
    ran = typed("train", data, "--out", tmp_path / "run", *filled, code=2)
    assert message in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
