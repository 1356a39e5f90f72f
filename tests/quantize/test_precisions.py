"""Other precisions than int8: made for real on the tiny run, read by all our tools."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from commands import run

from corrosion_edge.bundle import Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.image import Preprocessing
from corrosion_edge.network.sound import require_sound
from corrosion_edge.precision import INT8, PRECISIONS
from corrosion_edge.quantize import flatbuffer, metadata
from corrosion_edge.quantize.precision import convert as convert_module
from corrosion_edge.quantize.precision.convert import as_precision
from corrosion_edge.quantize.precision.ends import pixels_in
from corrosion_edge.quantize.precision.kinds import require_kinds
from corrosion_edge.quantize.precision.maker import Maker
from corrosion_edge.trainer.load import load
from corrosion_edge.trainer.model import deliverable, predict
from corrosion_edge.trainer.model import load as load_model

OTHERS = [name for name in PRECISIONS if name != INT8]
WIDE = ("--max-accuracy-drop", 1, "--max-auc-drop", 1, "--max-mean-change", 1, "--max-change", 1,
        "--min-agreement", 0, "--max-map-change", 1, "--max-false-alarm-rise", 1)  # fmt: skip
NEAR = {"float32": 1e-5, "float16": 0.01, "dynamic": 0.1, "int16x8": 0.1}
"""Largest change of a probability that a precision's rounding explains."""


@pytest.fixture(scope="module")
def network(tiny_run: Path):
    return load_model(tiny_run / "model.keras")


@pytest.fixture(scope="module")
def photos(rendered: Path):
    return load(rendered, Preprocessing(64, 64), positive=None, seed=1).samples


@pytest.fixture(scope="module")
def made(network, photos) -> dict[str, bytes]:
    """A real conversion to each precision."""
    maker = Maker(deliverable(network), photos["train"].pixels[:20])
    return {name: maker.make(name) for name in OTHERS}


def bundle_of(model: bytes, precision: str) -> Bundle:
    outputs = {name: name for name in flatbuffer.output_names(model)}
    return Bundle.seal(model, {}, name=precision, outputs=outputs, precision=precision,
                       preprocessing=Preprocessing(64, 64))  # fmt: skip


@pytest.mark.parametrize("precision", OTHERS)
def test_pixels_go_in_and_scores_near_those_of_keras_come_out(made, network, photos, precision):
    require_sound(made[precision])
    held_out = photos["validation"].pixels
    bundle = bundle_of(made[precision], precision)
    with Classifier(bundle, open_backend(bundle, threads=1)) as classifier:
        looks = [classifier.classify(picture) for picture in held_out]
    changes = np.abs(np.array([look.score for look in looks]) - predict(network, held_out))
    assert changes.max() <= NEAR[precision]
    assert precision == "float32" or changes.max() > NEAR["float32"]  # rounding is seen
    heatmap = looks[0].heatmap
    assert heatmap is not None
    z = np.log(looks[0].score / (1 - looks[0].score))
    assert heatmap.mean() == pytest.approx(z, abs=0.3)


def test_the_files_are_of_the_types_that_they_say(made, tiny_model):
    for name, model in made.items():
        require_kinds(model, name)
        for other in set(OTHERS) - {name}:
            with pytest.raises(BackendError, match=r"weights of|activations of"):
                require_kinds(model, other)
        assert flatbuffer.problems(model), name  # none of them passes for full integer
    plain = Bundle.load(tiny_model).model
    for name in OTHERS:
        with pytest.raises(BackendError):
            require_kinds(plain, name)
    assert len(made["float16"]) < 0.7 * len(made["float32"])


def test_pixels_are_for_networks_with_a_float_input_alone(tiny_model):
    with pytest.raises(BundleError, match="one input of float32"):
        pixels_in(Bundle.load(tiny_model).model)


def test_an_int8_manifest_with_float_outputs_is_refused(made):
    bundle = bundle_of(made["float32"], INT8)
    with pytest.raises(BackendError, match="'scores' is not integer, as its manifest's precision"):
        open_backend(bundle, threads=1)


def test_a_float_manifest_with_integer_outputs_is_refused(tiny_model):
    bundle = Bundle.load(tiny_model).with_fields(precision="float16")
    with pytest.raises(BackendError, match="is not float32"):
        open_backend(bundle, threads=1)


def test_a_converter_that_fails_names_the_precision(network, photos, monkeypatch):
    def fail(converter):
        raise BackendError("TensorFlow's converter failed (no)")

    monkeypatch.setattr(convert_module, "converted", fail)
    with pytest.raises(BackendError, match=r"int16x8 cannot be made of this network: .*\(no\)"):
        as_precision(deliverable(network), "int16x8", photos["train"].pixels[:2])


def test_the_metadata_says_real_numbers(made):
    about = metadata.About(name="n", description="d", version="1")
    content = metadata.metadata_of(metadata.with_metadata(made["float32"], about))
    assert content is not None
    assert b"Probability of each label." in content
    assert b"in steps of 1/256" not in content
    assert b"* (q - " not in content


@pytest.fixture(scope="module")
def delivered(tiny_run, rendered, tmp_path_factory) -> tuple[Path, Result]:
    """``quantize --precision float16`` by the command, and what it said."""
    out = tmp_path_factory.mktemp("float16") / "m.tflite"
    return out, run("quantize", tiny_run, "--data", rendered, "--out", out, "--calibration", 10,
                     "--precision", "float16", *WIDE)  # fmt: skip


def test_the_command_writes_it_with_the_same_evidence(delivered):
    out, result = delivered
    assert result.exit_code == 0, result.output
    assert "float against float16 on 24 validation photos" in result.stdout
    manifest = Bundle.load(out).manifest
    assert (manifest.precision, manifest.name.endswith(", float16")) == ("float16", True)
    assert manifest.drift["precision"] == "float16"
    assert {"float", "float16"} <= set(manifest.drift)
    assert "int8" not in manifest.drift
    made = manifest.provenance["quantization"]
    assert made["precision"] == made["rung"] == "float16"
    assert {"effort", "calibration"} & set(made) == set()
    page = out.with_suffix(".drift.html").read_text()
    assert "Float against float16 on 24" in page
    assert "This model is float16" in page
    with out.with_suffix(".drift.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    changes = [abs(float(r["float_score"]) - float(r["float16_score"])) for r in rows]
    assert 0 < max(changes) <= NEAR["float16"]


def test_golden_outputs_are_compared_in_steps(delivered):
    with Classifier.open(delivered[0], threads=1) as classifier:
        assert classifier.check_golden() == []
        golden = classifier.manifest.golden
    assert len(golden) == 3
    assert all(sum(one.scores) in (255, 256, 257) for one in golden)


def test_our_tools_read_it(delivered, tiny_run, rendered, tmp_path):
    out, _ = delivered
    photo = min((rendered / "test" / "CORROSION").iterdir())
    for words, said in (
        (("classify", photo, "--model", out, "--json"), '"label": '),
        (("bundle", "show", out), "precision   float16: weights in half precision"),
        (("bundle", "verify", out), "gives the same on 3 pictures"),
        (("evaluate", out, rendered), "accuracy"),
        (("drift", tiny_run, out, rendered, *WIDE), "float against float16 on"),
        (("benchmark", out, "--runs", 3, "--threads", 1, "--size", "64x64"), "m.tflite"),
    ):
        result = run(*words)
        few = words[0] == "benchmark"  # three runs are void
        assert result.exit_code == 3 * few, (words, result.output)
        assert said in result.output, words


@pytest.mark.parametrize(
    ("option", "value"), [("effort", "plain"), ("effort", "search"), ("target", "edgetpu")]
)
def test_what_is_about_int8_is_wrong_usage_for_another_precision(
    tiny_run, rendered, tmp_path, option, value
):
    out = tmp_path / "m.tflite"
    result = run("quantize", tiny_run, "--data", rendered, "--out", out, f"--{option}", value,
                  "--precision", "dynamic")  # fmt: skip
    assert result.exit_code == 2
    assert f"--{option} is about int8 conversions, got --precision dynamic" in result.stderr


def test_an_unknown_name_to_compare_is_wrong_usage(tiny_run, rendered, tmp_path):
    result = run("quantize", tiny_run, "--data", rendered, "--out", tmp_path / "m.tflite",
                  "--compare", "float32,float8")  # fmt: skip
    assert result.exit_code == 2
    assert "got 'float8'" in result.stderr


def test_all_of_them_beside_a_delivery_that_they_do_not_change(tiny_run, rendered, tmp_path):
    out = tmp_path / "m.tflite"
    words = ("quantize", tiny_run, "--data", rendered, "--out", out, "--calibration", 10,
             "--effort", "plain", *WIDE)  # fmt: skip
    assert run(*words).exit_code == 0
    alone = Bundle.load(out)
    result = run(*words, "--compare", "float32, dynamic", "--compare", "int16x8")
    assert result.exit_code == 0, result.output
    beside = Bundle.load(out)
    assert beside.model == alone.model
    assert beside.manifest.drift == alone.manifest.drift
    found = json.loads(out.with_suffix(".drift.json").read_text())["compared"]
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == ["plain", "float32", "dynamic", "int16x8"]
    assert [name for name, row in rows.items() if row["taken"]] == ["plain"]
    assert rows["plain"]["latency"]["ratio_to_plain"] == 1
    assert rows["plain"]["bytes"] == len(alone.model)
    assert rows["float32"]["largest_change"] <= NEAR["float32"]
    assert rows["float32"]["accuracy"] == found["float"]["accuracy"]
    assert found["latency_measured"]["runtime"].startswith("ai-edge-litert")
    page = out.with_suffix(".drift.html").read_text()
    assert "Precisions side by side" in page
    assert "say nothing about another machine" in page
    assert "precisions side by side" in result.stdout
