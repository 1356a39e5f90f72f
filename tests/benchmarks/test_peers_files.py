"""The files of networks with random weights, as prepared for the peers."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge.benchmarks.peers import integer, prepare
from corrosion_edge.benchmarks.peers.networks import untrained
from corrosion_edge.bundle import Bundle
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BackendError
from corrosion_edge.network import graph
from corrosion_edge.quantize.convert import conversions
from corrosion_edge.render import surface

SIZE = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    prepare.make("tiny", folder, ["int8.tflite"], SIZE)
    return folder


def _operators(model: bytes) -> list[str]:
    return [op.name for op in graph.read(model).ops]


def test_int8_files_are_made_as_quantize_makes_them(folder):
    bundle = Bundle.load(folder / "int8.tflite")
    made = json.loads((folder / "made.json").read_text())
    assert made["converted"] == bundle.manifest.provenance["converted"]
    assert made["converted"].startswith("as quantize does, input scaling folded: pixel ")
    assert "int8.tflite" in made["random"]
    assert "MUL" not in _operators(bundle.model)
    assert {*bundle.manifest.outputs} == {"scores", "map"}
    with Classifier.open(folder / "int8.tflite") as classifier:
        scores = [classifier.classify(surface("steel", rust=rust, seed=7)).score
                  for rust in (0.0, 0.5)]  # fmt: skip
    assert len(set(scores)) == 2


def test_what_quantize_does_not_know_is_converted_plainly_and_says_so(monkeypatch):
    pictures = np.stack([surface("steel", rust=0.1 * i, seed=i, size=(SIZE, SIZE))
                         for i in range(4)])  # fmt: skip
    made = conversions(untrained("tiny", pictures), pictures)

    def refuse(*given: object) -> None:
        raise BackendError("the operator ROLL (number 3) is not known here")

    monkeypatch.setattr(integer, "ranged", refuse)
    model, told = integer.integer(made, pictures)
    assert told.startswith("plainly, as quantize has no more for it: the operator ROLL")
    assert "MUL" in _operators(model)


def test_the_default_models_float_files_have_random_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "_NETWORK", "tiny")
    made = prepare.make("default", tmp_path, ["float.keras"])
    assert made["random"] == ["float.tflite", "float.keras", "float.onnx"]
    assert made["converted"] == "the model that ships"
    assert (tmp_path / "float.tflite").is_file()
    assert (tmp_path / "float.keras").is_file()
    assert not (tmp_path / "float.onnx").exists()
