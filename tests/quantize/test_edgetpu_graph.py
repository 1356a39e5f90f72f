"""Reading TFLite files: good ones, those of others, and damaged ones."""

import zipfile

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from edgetpu_models import Net, chain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import corrosion_edge
from corrosion_edge.bundle import Bundle
from corrosion_edge.errors import BundleError
from corrosion_edge.quantize.edgetpu.check import check
from corrosion_edge.quantize.edgetpu.graph import OPTIONS, integers, read

MODEL = chain("RELU", "SOFTMAX", "ABS")


@pytest.fixture(scope="module")
def default():
    from pathlib import Path

    return Path(corrosion_edge.__file__).parent / "models" / "default.tflite"


def test_an_op_is_read_with_its_name_version_options_and_tensors():
    net = Net()
    data = net.tensor((1, 4, 4, 2), "UINT8", zero_point=7, signature=(-1, 4, 4, 2))
    weights, out = net.weights(3, 1, 1, 2), net.tensor((1, 4, 4, 3))
    dilated = {"dilationWFactor": 2, "dilationHFactor": 3}
    net.op("CONV_2D", [data, weights, -1], [out], version=3, options="Conv2DOptions", **dilated)
    graph = read(net.pack([data], [out]))
    (op,) = graph.ops
    assert (op.name, op.version, op.options) == ("CONV_2D", 3, dilated)
    assert op.inputs[2] is None
    assert (graph.inputs[0].type, graph.inputs[0].shape) == ("UINT8", (1, 4, 4, 2))
    assert (graph.inputs[0].zero_points, graph.inputs[0].free) == ((7,), True)
    assert not graph.inputs[0].constant
    assert op.inputs[1] is not None
    np.testing.assert_array_equal(integers(op.inputs[1]), np.ones(6))


@pytest.mark.parametrize(("kind", "option"), [(k, o) for k, os in OPTIONS.items() for o in os])
def test_options_are_read_where_the_schema_has_them(kind, option):
    types = {v: k for k, v in vars(schema.BuiltinOptions).items() if not k.startswith("_")}
    for value in (None, 3, 1):
        net = Net()
        data, out = net.tensor((1, 4)), net.tensor((1, 4))
        given = (
            {} if value is None else {option: bool(value) if option == "alignCorners" else value}
        )
        net.op("RELU", [data], [out], options=types[kind], **given)
        (op,) = read(net.pack([data], [out])).ops
        # The generated objects start with 0, where the schema has another default.
        started = getattr(net.graph.operators[0].builtinOptions, option)
        assert op.options[option] == started
    assert read(chain("RELU")).ops[0].options == {}


def test_an_op_that_the_schema_does_not_know_is_named_by_its_number():
    net = Net()
    data, out = net.tensor((1, 4)), net.tensor((1, 4))
    net.op("RELU", [data], [out])
    net.model.operatorCodes[0].builtinCode = 4242
    (op,) = check(net.pack([data], [out])).ops
    assert (op.op, op.maps) == ("BUILTIN_4242", "no")


def test_a_model_file_of_this_project_is_read_like_the_flatbuffer_in_it(default):
    content = default.read_bytes()
    assert zipfile.is_zipfile(default)
    alone = Bundle.from_bytes(content).model
    assert len(alone) < len(content)
    assert read(content) == read(alone)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"not a model at all", MODEL[:4] + b"TFL9"])
def test_what_is_no_model_is_refused(content):
    with pytest.raises(BundleError, match=r"^it\.tflite: no TFLite model"):
        read(content, "it.tflite")


def test_an_op_that_reads_what_is_made_later_is_refused():
    net = Net()
    data, a, b = (net.tensor((1, 4)) for _ in range(3))
    net.op("ABS", [b], [a])
    net.op("RELU", [data], [b])
    with pytest.raises(BundleError, match="made later"):
        read(net.pack([data], [a]))


def test_a_tensor_that_is_not_there_is_refused():
    net = Net()
    data = net.tensor((1, 4))
    net.op("RELU", [data], [99])
    with pytest.raises(BundleError, match="not there"):
        read(net.pack([data], [data]))


def test_constants_of_the_wrong_size_are_refused():
    net = Net()
    data, out = net.tensor((1, 4, 4, 2)), net.tensor((1, 2))
    axes = net.tensor((3,), "INT32", [1, 2])
    net.op("MEAN", [data, axes], [out])
    with pytest.raises(BundleError, match=r"holds 8 bytes, expected 12"):
        check(net.pack([data], [out]))


def test_hostile_counts_are_refused_before_anything_is_read():
    net = Net()
    data, out = net.tensor((1,) * 40), net.tensor((1, 4))
    net.op("RELU", [data], [out])
    with pytest.raises(BundleError, match="40 dimensions, expected at most 32"):
        read(net.pack([data], [out]))
    marked = Net()
    places = [marked.tensor((1, 4)) for _ in range(0x51)]
    marked.op("RELU", places[:1], places[1:2])
    packed = bytearray(marked.pack(places[:1], places[1:2]))
    at = next(
        i for i in range(0, len(packed) - 4, 4)
        if int.from_bytes(packed[i : i + 4], "little") == 0x51
    )  # fmt: skip
    packed[at : at + 4] = (0x7FFFFFFF).to_bytes(4, "little")
    with pytest.raises(BundleError, match="2147483647 entries, 20000 are read"):
        read(bytes(packed))


@pytest.mark.parametrize("size", range(8, len(MODEL), 7))
def test_a_truncated_file_is_one_sentence(size):
    try:
        check(MODEL[:size], "cut.tflite")
    except BundleError as error:
        assert str(error).startswith("cut.tflite")
        assert "\n" not in str(error)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 255)), min_size=1, max_size=8)
)
def test_a_file_with_changed_bytes_is_read_or_refused(changes):
    content = bytearray(MODEL)
    for place, value in changes:
        content[place] = value
    _read_or_refuse(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(MODEL) // 4 - 1), st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1]))
def test_a_file_with_a_changed_offset_or_length_is_read_or_refused(place, value):
    content = bytearray(MODEL)
    content[4 * place : 4 * place + 4] = value.to_bytes(4, "little")
    _read_or_refuse(bytes(content))


def _read_or_refuse(content: bytes) -> None:
    try:
        report = check(content, "x")
    except BundleError as error:
        assert str(error).startswith("x")
    else:
        assert report.edgetpu_ops + report.cpu_ops + report.unknown_ops == len(report.ops)
