import csv
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from commands import run

from corrosion_edge import image
from corrosion_edge.bundle import Bundle
from corrosion_edge.confidence import reassess
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.sources.folder import FolderSource
from corrosion_edge.errors import BackendError
from corrosion_edge.image import Preprocessing
from corrosion_edge.quantize import convert as convert_module
from corrosion_edge.quantize import flatbuffer
from corrosion_edge.quantize import judge as judge_module
from corrosion_edge.quantize.evidence.limits import Limits
from corrosion_edge.trainer import backbones, model
from corrosion_edge.trainer.evaluate import evaluate
from corrosion_edge.trainer.load import load

WIDE = ("--max-accuracy-drop", 1, "--max-auc-drop", 1, "--max-mean-change", 1, "--max-change", 1,
        "--min-agreement", 0, "--max-map-change", 1, "--max-false-alarm-rise", 1)  # fmt: skip


def test_the_model_is_integer_throughout_and_for_one_picture(tiny_model):
    bundle = Bundle.load(tiny_model)
    assert flatbuffer.problems(bundle.model) == []
    assert set(flatbuffer.operators(bundle.model)) & {"DEQUANTIZE", "SHAPE", "PACK"} == set()


def test_a_float_model_has_problems():
    """The check must be able to fail: the same converter without quantization."""
    import keras
    import tensorflow as tf

    net = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    found = flatbuffer.problems(tf.lite.TFLiteConverter.from_keras_model(net).convert())
    assert any("FLOAT32" in line for line in found)
    assert any("fixed shape" in line for line in found)


def test_max_pooling_has_scores_but_no_map():
    network, _ = backbones.build("tiny", 32, "none")
    parts = model.assemble(network, "max")
    pixels = np.random.default_rng(0).integers(0, 255, (8, 32, 32, 3), np.uint8)
    content = convert_module.convert(model.deliverable(parts.model), pixels)
    bundle = Bundle.seal(content, {}, name="max", outputs={"scores": "scores"},
                         preprocessing=Preprocessing(32, 32))  # fmt: skip
    with Classifier(bundle, open_backend(bundle, threads=1)) as classifier:
        prediction = classifier.classify(pixels[0])
    assert prediction.heatmap is None
    assert prediction.score == pytest.approx(model.predict(parts.model, pixels)[0], abs=0.1)


def test_the_manifest_says_how_it_was_made(tiny_model, tiny_run):
    manifest = Bundle.load(tiny_model).manifest
    info = json.loads((tiny_run / "run.json").read_text())
    assert manifest.preprocessing == Preprocessing(64, 64)
    assert manifest.threshold == info["threshold"]
    assert manifest.provenance["data"]["fingerprint"] == info["data"]["fingerprint"]
    assert manifest.provenance["training"]["command"] == info["command"]
    assert "40 training photos" in manifest.provenance["quantization"]["calibration"]
    assert manifest.drift["n"] == 24
    assert len(manifest.golden) == 3


def test_the_confidence_is_that_of_the_integer_model(tiny_model):
    """Thresholds come from the int8 scores of the validation photos, as the reports list them."""
    with tiny_model.with_suffix(".drift.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    labels = np.array([row["label"] == "corrosion" for row in rows]).astype(np.int64)
    scores = np.array([float(row["int8_score"]) for row in rows])
    confidence = Bundle.load(tiny_model).manifest.confidence
    assert confidence is not None
    assert (confidence.n, confidence.corroded, confidence.on) == (24, 12, "validation")
    found = reassess(confidence, labels, scores)
    assert confidence.ece_after == pytest.approx(found.ece_after, abs=1e-5)
    assert confidence.recall_threshold == pytest.approx(found.recall_threshold, abs=1e-6)
    assert confidence.unsure == pytest.approx(found.unsure, abs=1e-6)
    page = tiny_model.with_suffix(".drift.html").read_text()
    assert "were chosen on 24 validation photos" in page


def test_int8_and_float_agree_photo_by_photo(tiny_model):
    with tiny_model.with_suffix(".drift.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    changes = [abs(float(r["float_score"]) - float(r["int8_score"])) for r in rows]
    assert len(rows) == 24
    assert np.mean(changes) < 0.05
    drift = json.loads(tiny_model.with_suffix(".drift.json").read_text())
    assert drift["mean_change"] == pytest.approx(np.mean(changes), abs=1e-6)


def test_golden_outputs_are_reproduced(tiny_model):
    with Classifier.open(tiny_model, threads=1) as classifier:
        assert classifier.check_golden() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": 3}, "up to 3 of 256 steps away"),
        ({"map": 2}, "up to 2 of 256 steps away"),
        ({"prepared": "f" * 64}, "scales pictures differently"),
    ],
)
def test_a_machine_that_differs_is_told(tiny_model, change, said):
    with _moved(tiny_model, change) as classifier:
        (sentence,) = classifier.check_golden()
    assert said in sentence


def test_a_machine_that_differs_wildly_is_refused(tiny_model):
    with (
        _moved(tiny_model, {"scores": 65}) as classifier,
        pytest.raises(BackendError, match="65 of 256 steps"),
    ):
        classifier.check_golden()


def _moved(path: Path, change: dict[str, Any]) -> Classifier:
    """The model with one golden picture whose expectations were moved."""
    bundle = Bundle.load(path)
    golden = bundle.manifest.golden[0]
    values: dict[str, Any] = {
        name: value if isinstance(value, str) else tuple(v + value for v in getattr(golden, name))
        for name, value in change.items()
    }
    moved = bundle.with_fields(golden=(dataclasses.replace(golden, **values),))
    return Classifier(moved, open_backend(moved, threads=1))


@pytest.fixture
def gate(tiny_run, rendered, tmp_path, monkeypatch):
    """``quantize`` whose integer model answers a coin's throw: real gate, real files."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(judge_module, "scores", lambda bundle, samples: rng.random(len(samples)))
    out = tmp_path / "models" / "m.tflite"
    return out, lambda *more: run("quantize", tiny_run, "--data", rendered, "--out", out,
                                   "--calibration", 10, *more)  # fmt: skip


def test_a_model_that_drifts_too_far_is_not_delivered(gate):
    out, run = gate
    result = run()
    assert result.exit_code == 3
    assert "was not written: accuracy drops by" in result.stderr
    assert not out.exists()
    report = json.loads(out.with_suffix(".drift.json").read_text())
    assert report["broken"]
    assert "Beyond the limits: " in out.with_suffix(".drift.html").read_text()


def test_an_older_model_is_kept_and_called_old(gate):
    out, run = gate
    out.parent.mkdir()
    out.write_bytes(b"older")
    result = run()
    assert result.exit_code == 3
    assert "is an older one" in result.stderr
    assert out.read_bytes() == b"older"


def test_wider_limits_let_it_through(gate):
    out, run = gate
    result = run(*WIDE, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["limits"] == Limits.none().to_dict()
    assert Bundle.load(out).manifest.drift["mean_change"] > 0.1


def test_a_disk_that_fills_up_leaves_no_part_of_a_model(tiny_run, rendered, small_disk):
    result = run("quantize", tiny_run, "--data", rendered, "--out", small_disk / "m.tflite",
                  "--calibration", 10, *WIDE)  # fmt: skip
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    left = {path.name for path in small_disk.iterdir()}
    assert left <= {"m.drift.json", "m.drift.csv", "m.drift.html"}


@pytest.mark.parametrize("part", [0, 4, 0.01, 0.3, 0.6, 0.9, 0.999, -100, -22, -1])
def test_a_truncated_model_file_is_one_sentence(tiny_model, rendered, tmp_path, part):
    content = tiny_model.read_bytes()
    length = int(len(content) * part) if 0 < part < 1 else int(part)
    (tmp_path / "cut.tflite").write_bytes(content[:length])
    photo = next((rendered / "test" / "CORROSION").iterdir())
    for words in (["classify", photo, "--model"], ["watch", "--camera", "demo", "--model"],
                  ["benchmark"], ["evaluate"]):  # fmt: skip
        more = [rendered] if words == ["evaluate"] else []
        result = run(*words, tmp_path / "cut.tflite", *more)
        assert result.exit_code == 1, words
        assert "cut.tflite: " in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_other_photos_than_the_runs_are_said(gate, rendered, tmp_path, tiny_run):
    out, _ = gate
    data = tmp_path / "data"
    shutil.copytree(rendered, data)
    victim = next((data / "train" / "CORROSION").iterdir())
    victim.write_bytes(b"broken")
    result = run("quantize", tiny_run, "--data", data, "--out", out, "--calibration", 10,
                  *WIDE)  # fmt: skip
    assert result.exit_code == 1
    assert "not the very photos" in result.stderr
    assert f"left out: {victim}" in result.stderr


def test_wrong_usage(tiny_run, rendered, tmp_path):
    for words in (
        [tiny_run, "--data", rendered, "--out", tmp_path / "m.bin"],
        [tmp_path, "--data", rendered, "--out", tmp_path / "m.tflite"],
        [tiny_run, "--data", tmp_path / "none", "--out", tmp_path / "m.tflite"],
        [tiny_run, "--data", rendered, "--out", tmp_path / "m.tflite", "--calibration", 1],
    ):
        result = run("quantize", *words)
        assert result.exit_code == 2
        assert result.stderr.strip()
    (tmp_path / "file").write_text("")
    result = run("quantize", tiny_run, "--data", rendered, "--out", tmp_path / "file" / "m.tflite")
    assert result.exit_code == 1


@pytest.fixture
def odd_pictures(tmp_path):
    """One class folder each of pictures whose pixels are easily got wrong."""
    rng = np.random.default_rng(2)
    exif = Image.Exif()
    exif[0x0112] = 6
    for label in ("rust", "clean"):
        folder = tmp_path / "odd" / label
        folder.mkdir(parents=True)
        noise = Image.fromarray(rng.integers(0, 255, (90, 130, 3), np.uint8))
        noise.save(folder / "turned.jpg", exif=exif)
        noise.quantize(16).save(folder / "palette.png")
        noise.convert("CMYK").save(folder / "cmyk.jpg")
        noise.resize((700, 100)).save(folder / "wide.png")
        noise.resize((64, 64)).save(folder / "exact.png")
        (folder / "really.jpg").write_bytes((folder / "exact.png").read_bytes())
    return tmp_path / "odd"


def test_training_calibration_evaluation_and_camera_feed_the_same_pixels(
    odd_pictures, tiny_run, tiny_model, monkeypatch
):
    """What reaches the network on each of the four paths, recorded at its door."""
    spec = Preprocessing(64, 64)
    whole = {p.path: s for p, s in _trained(odd_pictures, spec)}
    camera = _camera(odd_pictures, tiny_model)
    evaluated = _evaluated(odd_pictures, tiny_model, monkeypatch)
    assert set(whole) == set(camera) == set(evaluated)
    assert len(whole) == 12
    for path, pixels in whole.items():
        assert np.array_equal(pixels, camera[path]), path
        assert np.array_equal(pixels, evaluated[path]), path
    fed = [x[0][0] for x in convert_module.feed(np.stack(list(whole.values())))]
    for pixels, calibration in zip(whole.values(), fed, strict=True):
        assert np.array_equal(pixels, calibration)


def _trained(folder, spec):
    from corrosion_edge.trainer.data import scan
    from corrosion_edge.trainer.samples import decode

    samples = decode(scan(folder).photos, spec)
    return list(zip(samples.photos, samples.pixels, strict=True))


class _Recorder:
    """A backend that keeps what it is fed and passes it on."""

    name = "recorder"

    def __init__(self, inner) -> None:
        self.inner = inner
        self.fed: list[np.ndarray] = []

    def run(self, pixels):
        self.fed.append(pixels[0].copy())
        return self.inner.run(pixels)

    def close(self) -> None:
        self.inner.close()


def _camera(folder, path):
    from pathlib import Path

    bundle = Bundle.load(path)
    recorder = _Recorder(open_backend(bundle, threads=1))
    names = []
    with FolderSource(folder) as source:
        classifier = Classifier(bundle, recorder)
        while (frame := source.read()) is not None:
            names.append(Path(frame.name))
            classifier.classify(frame.pixels)
    return dict(zip(names, recorder.fed, strict=True))


def _evaluated(folder, path, monkeypatch):
    recorders = []

    def record(self, bundle, backend, name=""):
        recorders.append(_Recorder(backend))
        original(self, bundle, recorders[-1], name)

    original = Classifier.__init__
    monkeypatch.setattr(Classifier, "__init__", record)
    result = evaluate(path, folder, "test")
    assert image.digest(result.samples.pixels[0]) == image.digest(recorders[0].fed[0])
    return dict(zip([p.path for p in result.samples.photos], recorders[0].fed, strict=True))


def test_a_flat_folder_is_split_alike_by_train_and_quantize(rendered, tmp_path):
    """The run's seed splits the folder again: validation photos never calibrate."""
    flat = tmp_path / "flat"
    for label in ("CORROSION", "NOCORROSION"):
        (flat / label).mkdir(parents=True)
        for split in ("train", "validation", "test"):
            for path in (rendered / split / label).iterdir():
                shutil.copy(path, flat / label / f"{split}-{path.name}")
    first, second = (load(flat, Preprocessing(32, 32), positive=None, seed=7) for _ in range(2))
    for name, samples in first.samples.items():
        assert samples.photos == second.samples[name].photos
