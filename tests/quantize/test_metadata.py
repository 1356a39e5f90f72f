"""The standard metadata, read by the byte as the flatbuffer format and its schema say.

MediaPipe's own reader has its say in tests/rigs/test_mediapipe.py.
"""

import dataclasses
import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from flatbuffers import encode, number_types, packer, table

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from corrosion_edge import __version__
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.cli import cli
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.errors import BundleError
from corrosion_edge.network.writing import Table
from corrosion_edge.network.writing import encode as encode_tables
from corrosion_edge.quantize import about as about_module
from corrosion_edge.quantize.about import About
from corrosion_edge.quantize.flatbuffer import output_names, pack, unpack
from corrosion_edge.quantize.metadata import METADATA_NAME, metadata_of, with_metadata
from corrosion_edge.trainer.run import Run

ABOUT = About(name="Rost", description="Für Brücken", version="7", author="Ä. Maker", license="X")


class _Reader:
    """A table by the numbers of its fields, from 0."""

    def __init__(self, content: bytes, place: int) -> None:
        self._tab = table.Table(bytearray(content), place)

    @classmethod
    def root(cls, content: bytes) -> "_Reader":
        return cls(content, encode.Get(packer.uoffset, content, 0))

    def _at(self, slot: int) -> int:
        offset = self._tab.Offset(4 + 2 * slot)
        if not offset:
            raise KeyError(slot)
        return int(offset) + int(self._tab.Pos)

    def has(self, slot: int) -> bool:
        return bool(self._tab.Offset(4 + 2 * slot))

    def text(self, slot: int) -> str:
        return self._tab.String(self._at(slot)).decode()

    def number(self, slot: int, flags: type = number_types.Uint8Flags) -> int:
        return int(self._tab.Get(flags, self._at(slot)))

    def table(self, slot: int) -> "_Reader":
        return _Reader(self._tab.Bytes, self._tab.Indirect(self._at(slot)))

    def _vector(self, slot: int) -> tuple[int, int]:
        offset = self._tab.Offset(4 + 2 * slot)
        return self._tab.Vector(offset), self._tab.VectorLen(offset)

    def tables(self, slot: int) -> list["_Reader"]:
        start, length = self._vector(slot)
        return [_Reader(self._tab.Bytes, self._tab.Indirect(start + 4 * i)) for i in range(length)]

    def texts(self, slot: int) -> list[str]:
        start, length = self._vector(slot)
        return [self._tab.String(start + 4 * i).decode() for i in range(length)]

    def floats(self, slot: int) -> list[float]:
        start, length = self._vector(slot)
        return np.frombuffer(self._tab.Bytes, np.float32, length, start).tolist()


@pytest.fixture(scope="module")
def root(tiny_model) -> _Reader:
    content = metadata_of(Bundle.load(tiny_model).model)
    assert content is not None
    assert content[4:8] == b"M001"
    return _Reader.root(content)


def test_the_model_is_described(root, tiny_model, tiny_run):
    bundle = Bundle.load(tiny_model)
    assert root.text(0) == bundle.manifest.name
    assert f"from a score of {bundle.manifest.threshold:.4g}" in root.text(1)
    assert __version__ in root.text(1)
    assert root.text(2) == json.loads((tiny_run / "run.json").read_text())["finished_at"]
    assert root.text(7) == "1.0.0"
    assert unpack(bundle.model).description.decode() == bundle.manifest.name


def test_whose_it_is_and_its_licence_are_not_made_up(root):
    assert not root.has(4)
    assert not root.has(5)


def test_the_input_is_an_rgb_picture_that_goes_in_as_it_is(root):
    (graph,) = root.tables(3)
    (given,) = graph.tables(2)
    assert given.text(0) == "image"
    assert given.texts(2) == ["batch", "height", "width", "channel"]
    content = given.table(3)
    assert content.number(0) == 2  # ImageProperties
    properties = content.table(1)
    assert properties.number(0, number_types.Int8Flags) == 1  # RGB
    size = properties.table(1)
    assert [size.number(i, number_types.Uint32Flags) for i in (0, 1)] == [64, 64]
    (unit,) = given.tables(4)
    assert unit.number(0) == 1  # NormalizationOptions
    assert (unit.table(1).floats(0), unit.table(1).floats(1)) == ([0.0], [1.0])
    assert (given.table(5).floats(0), given.table(5).floats(1)) == ([255.0], [0.0])


def test_the_scores_name_the_labels_in_the_archive(root, tiny_model):
    (graph,) = root.tables(3)
    scores, local = graph.tables(3)
    assert (scores.text(0), local.text(0)) == ("scores", "map")
    (labels,) = scores.tables(6)
    assert labels.number(2, number_types.Int8Flags) == 2  # TENSOR_AXIS_LABELS
    with zipfile.ZipFile(tiny_model) as archive:
        assert archive.read(labels.text(0)) == b"no-corrosion\ncorrosion\n"
        assert archive.getinfo(labels.text(0)).compress_type == zipfile.ZIP_STORED


def test_the_map_says_how_to_read_it(root, tiny_model):
    net = unpack(Bundle.load(tiny_model).model)
    tensor = net.subgraphs[0].tensors[net.subgraphs[0].outputs[1]]
    local = root.tables(3)[0].tables(3)[1]
    scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
    assert f"{scale:.6g} * (q - {zero})" in local.text(1)
    assert not local.has(6)


def test_a_picture_wider_than_high():
    """Width and height are not mixed up."""
    net = unpack(Bundle.load(DEFAULT_MODEL).model)
    graph = net.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = np.array([1, 96, 160, 3], np.int32)
    content = metadata_of(with_metadata(pack(net), ABOUT))
    assert content is not None
    (given,) = _Reader.root(content).tables(3)[0].tables(2)
    size = given.table(3).table(1).table(1)
    assert [size.number(i, number_types.Uint32Flags) for i in (0, 1)] == [160, 96]


def test_new_metadata_takes_the_place_of_old(tiny_model):
    model = with_metadata(Bundle.load(tiny_model).model, ABOUT)
    entries = [e.name.decode() for e in unpack(model).metadata]
    assert entries.count(METADATA_NAME) == 1
    assert {"min_runtime_version", "CONVERSION_METADATA"} <= set(entries)
    content = metadata_of(model)
    assert content is not None
    root = _Reader.root(content)
    texts = [root.text(slot) for slot in (0, 1, 2, 4, 5)]
    assert texts == ["Rost", "Für Brücken", "7", "Ä. Maker", "X"]


def test_the_default_model_has_metadata_and_without_its_entry_none():
    model = Bundle.load(DEFAULT_MODEL).model
    assert metadata_of(model) is not None
    net = unpack(model)
    net.metadata = [entry for entry in net.metadata if entry.name.decode() != METADATA_NAME]
    assert metadata_of(pack(net)) is None


@pytest.mark.parametrize(
    ("name", "said"), [("scores", "expected outputs"), ("image", "expected an input uint8")]
)
def test_a_model_of_another_kind_is_refused(tiny_model, name, said):
    net = unpack(Bundle.load(tiny_model).model)
    graph = net.subgraphs[0]
    if name == "scores":
        graph.tensors[graph.outputs[0]].name = b"logits"
    else:
        graph.tensors[graph.inputs[0]].shape = np.array([1, 64, 64, 1], np.int32)
    with pytest.raises(BundleError, match=said):
        with_metadata(pack(net), ABOUT)


def test_a_description_says_something():
    with pytest.raises(ValueError, match="name: expected text"):
        dataclasses.replace(ABOUT, name="")


@pytest.mark.parametrize(
    ("temperature", "said"), [(None, "own"), (1.0, "own"), (1.7, "(temperature 1.7)")]
)
def test_calibration_inside_the_network_is_told(tiny_run, tiny_model, temperature, said):
    """Metadata with a calibration of its own would make a tool apply it twice."""
    run = Run.open(tiny_run)
    confidence = Bundle.load(tiny_model).manifest.confidence
    assert confidence is not None
    info = {k: v for k, v in run.info.items() if k != "confidence"}
    if temperature is not None:
        changed = dataclasses.replace(confidence, temperature=temperature)
        info["confidence"] = dataclasses.asdict(changed)
    assert said in about_module.about(Run(tiny_run, info)).description


def test_tables_hold_what_they_are_given():
    content = encode_tables(
        Table({1: "é", 2: np.uint32(2**32 - 1), 4: [Table(), Table({0: np.int8(-3)})],
               5: ["a", ""], 6: np.array([1.5], np.float32)}),
        b"TEST",
    )  # fmt: skip
    assert content[4:8] == b"TEST"
    root = _Reader.root(content)
    assert not root.has(0) and not root.has(3)
    assert root.text(1) == "é"
    assert root.number(2, number_types.Uint32Flags) == 2**32 - 1
    empty, one = root.tables(4)
    assert not empty.has(0)
    assert one.number(0, number_types.Int8Flags) == -3
    assert root.texts(5) == ["a", ""]
    assert root.floats(6) == [1.5]


@pytest.fixture(scope="module")
def scores_alone(tiny_run, rendered, tmp_path_factory):
    """The file of ``quantize --no-heatmap``."""
    out = tmp_path_factory.mktemp("single") / "m.tflite"
    words = ["quantize", tiny_run, "--data", rendered, "--out", out, "--calibration", 40,
             "--max-accuracy-drop", 1, "--max-auc-drop", 1, "--no-heatmap", "--author", "Me",
             "--license", "CC0-1.0"]  # fmt: skip
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return out


def test_no_heatmap_delivers_the_scores_alone(scores_alone, tiny_model, rendered):
    bundle = Bundle.load(scores_alone)
    assert bundle.manifest.outputs == {"scores": "scores"}
    assert output_names(bundle.model) == ("scores",)
    assert all(golden.map == () for golden in bundle.manifest.golden)
    with Classifier.open(scores_alone, threads=1) as one, Classifier.open(tiny_model) as other:
        assert one.check_golden() == []
        pixels = np.random.default_rng(3).integers(0, 255, (80, 90, 3), np.uint8)
        predictions = one.classify(pixels), other.classify(pixels)
    assert predictions[0].score == predictions[1].score
    assert predictions[0].heatmap is None


def test_author_and_licence_are_those_given(scores_alone):
    content = metadata_of(Bundle.load(scores_alone).model)
    assert content is not None
    root = _Reader.root(content)
    assert (root.text(4), root.text(5)) == ("Me", "CC0-1.0")
    assert len(root.tables(3)[0].tables(3)) == 1


def test_a_heat_map_of_such_a_model_is_wrong_usage(scores_alone, rendered, tmp_path):
    photo = next((rendered / "test" / "CORROSION").iterdir())
    words = ["classify", photo, "--model", scores_alone]
    assert CliRunner().invoke(cli, [str(word) for word in words]).exit_code == 0
    result = CliRunner().invoke(cli, [str(w) for w in (*words, "--heatmap", tmp_path / "maps")])
    assert result.exit_code == 2
    assert "made with maximum pooling or --no-heatmap" in result.stderr
