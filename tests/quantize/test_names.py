import itertools
import re

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.backends import open_backend
from corrosion_edge.quantize.flatbuffer import operators, pack, unpack
from corrosion_edge.quantize.names import meaningful_names


@pytest.fixture(scope="module")
def shipped() -> bytes:
    """The default model with names as the converter gave them."""
    return Bundle.load(DEFAULT_MODEL).model


def _names(model: bytes) -> list[str]:
    return [tensor.name.decode() for tensor in unpack(model).subgraphs[0].tensors]


def _made(model: bytes) -> list[str]:
    """Names of what each operation makes, in order."""
    graph = unpack(model).subgraphs[0]
    return [graph.tensors[op.outputs[0]].name.decode() for op in graph.operators]


def _check(names: list[str]) -> None:
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name), name
        assert not re.search(r"tfl\.|arith|pseudo|StatefulPartitionedCall", name), name


def test_a_model_file_of_quantize_has_names_that_mean_something(tiny_model):
    model = Bundle.load(tiny_model).model
    _check(_names(model))
    assert unpack(model).subgraphs[0].name == b"main"
    made = _made(model)
    assert made[0] == "image/quantize"
    assert made[-2:] == ["map", "scores"]
    assert {"block2_dwconv/depthwise_conv_2d", "map/conv_2d", "pooled/mean"} <= set(made)


def test_tensors_are_called_after_the_layers_of_keras(tiny_model, tiny_run):
    import keras

    network = keras.models.load_model(tiny_run / "model.keras", compile=False)
    (backbone,) = (layer for layer in network.layers if isinstance(layer, keras.Model))
    known = {layer.name for layer in backbone.layers} | {"map", "log_odds", "pooled", "scores"}
    layers = {name.split("/")[0] for name in _names(Bundle.load(tiny_model).model)}
    assert layers - known - {"image", "shared"} == set()


def test_fused_layers_go_by_the_one_with_the_weights(shipped):
    """Batch normalisation is inside the convolution; a viewer shows the convolution."""
    names = _names(meaningful_names(shipped))
    _check(names)
    for expected in (
        "stem_conv/weights",
        "block1a_project_conv/conv_2d",
        "block4a_dwconv2/bias",
        "block6h_se_squeeze/mean",
        "top_activation/logistic",
        "shared/axes",
        "scores/softmax",
    ):
        assert expected in names
    assert not any("bn" in name for name in names)


def test_only_names_change(shipped):
    before, after = unpack(shipped), unpack(meaningful_names(shipped))
    for net in (before, after):
        for tensor in net.subgraphs[0].tensors:
            tensor.name = b""
        net.subgraphs[0].name = b""
    assert pack(before) == pack(after)


def test_a_second_pass_changes_nothing(shipped, tiny_model):
    for model in (shipped, Bundle.load(tiny_model).model):
        once = meaningful_names(model)
        assert meaningful_names(once) == once


def test_inputs_and_outputs_keep_their_names(shipped):
    net = unpack(meaningful_names(shipped))
    graph = net.subgraphs[0]
    assert [graph.tensors[i].name for i in (*graph.inputs, *graph.outputs)] == [
        b"image", b"scores", b"map"
    ]  # fmt: skip
    assert {e.name: e.tensorIndex for e in net.signatureDefs[0].outputs} == {
        b"map": graph.outputs[1], b"scores": graph.outputs[0]
    }  # fmt: skip


NOISE = st.sampled_from(
    ["", ";;", "tfl.quantize", "tfl.pseudo_qconst57", "arith.constant12", "a/b", "a/b;c/d/e",
     "StatefulPartitionedCall_1:01", "StatefulPartitionedCall/m/l/Add;m/l/Mul", "/", "a;b", "ä/ö"]
)  # fmt: skip


@pytest.fixture(scope="module")
def renamed(tiny_bytes):
    """Names after the pass, of the tiny model with other names before it."""

    def rename(drawn: list[str]) -> list[str]:
        net = unpack(tiny_bytes)
        graph = net.subgraphs[0]
        inner = sorted({*range(len(graph.tensors))} - {*graph.inputs, *graph.outputs})
        for place, name in zip(inner, itertools.cycle(drawn), strict=False):
            graph.tensors[place].name = name.encode()
        return _names(meaningful_names(pack(net)))

    return rename


@settings(deadline=None, max_examples=50)
@given(drawn=st.lists(NOISE, min_size=1, max_size=60))
def test_whatever_the_converter_called_them(renamed, drawn):
    """No names at all, or the same for all: still unique, none empty, ends as they were."""
    names = renamed(drawn)
    assert len(set(names)) == len(names)
    assert all(name and ";" not in name for name in names)
    assert {"image", "scores", "map"} <= set(names)


@pytest.fixture(scope="module")
def tiny_bytes(tiny_model) -> bytes:
    return Bundle.load(tiny_model).model


def test_weights_are_aligned_as_the_schema_asks(tiny_bytes):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(tiny_bytes, 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    starts = [b._tab.Vector(b._tab.Offset(4)) for b in buffers if b._tab.Offset(4)]
    assert len(starts) > 20
    assert all(start % 16 == 0 for start in starts)


def test_the_renamed_model_answers_the_same(shipped):
    bundle = Bundle.load(DEFAULT_MODEL)
    renamed = Bundle.seal(
        meaningful_names(shipped), {}, name="renamed", outputs=bundle.manifest.outputs
    )
    pixels = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), np.uint8)
    answers = []
    for one in (bundle, renamed):
        with open_backend(one, threads=1) as backend:
            answers.append({k: v.raw for k, v in backend.run(pixels).items()})
    assert answers[0].keys() == answers[1].keys()
    for name, raw in answers[0].items():
        assert np.array_equal(raw, answers[1][name])
    assert operators(shipped) == operators(renamed.model)
