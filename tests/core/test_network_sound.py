"""The check in front of the runtime: what is refused, and that its shapes are the runtime's."""

import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.errors import BundleError
from corrosion_edge.network import sound
from corrosion_edge.network.shapes import RULES
from corrosion_edge.network.sound import require_sound
from corrosion_edge.network.table import Buffer
from corrosion_edge.network.used import OPS

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

from ai_edge_litert import schema_py_generated as schema
from networks import TYPES, Tensor, corpus, network, pack, single, unpack

FOUR, I32 = Tensor((1, 8, 9, 4)), "int32"
CONV = {"strideW": 2, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 2}
POOL = {"strideW": 2, "strideH": 3, "filterWidth": 3, "filterHeight": 2}


def weights(*shape: int, channels: int = 0, axis: int = 0) -> Tensor:
    values = np.arange(np.prod(shape)).reshape(shape) % 9 - 4
    return Tensor(shape, "int8", values, (0.05,) * max(channels, 1), axis)


def bias(count: int, channels: int = 1) -> Tensor:
    return Tensor((count,), I32, range(count), (0.0025,) * channels)


def of(*values: int) -> Tensor:
    return Tensor((len(values),), I32, values)


def out(*shape: int, scale: float = 0.05) -> Tensor:
    return Tensor(shape, scale=(scale,))


CASES: dict[str, tuple[str, dict[str, Any], list[Tensor], Tensor]] = {
    "add": ("ADD", {}, [FOUR, FOUR], out(1, 8, 9, 4)),
    "add, broadcast": ("ADD", {}, [FOUR, out(1, 1, 1, 4)], out(1, 8, 9, 4)),
    "sub, a scalar": ("SUB", {}, [FOUR, Tensor((), values=3)], out(1, 8, 9, 4)),
    "mul": ("MUL", {}, [FOUR, Tensor((1, 8, 1, 1))], out(1, 8, 9, 4)),
    "maximum": ("MAXIMUM", {}, [FOUR, FOUR], out(1, 8, 9, 4)),
    "conv, same": ("CONV_2D", CONV, [FOUR, weights(6, 3, 3, 4, channels=6), bias(6, 6)],
                   out(1, 8, 5, 6)),
    "conv, valid": ("CONV_2D", CONV | {"padding": 1}, [FOUR, weights(6, 3, 3, 4), bias(6)],
                    out(1, 4, 4, 6)),
    "conv, groups": ("CONV_2D", CONV, [FOUR, weights(6, 3, 3, 2), bias(6)], out(1, 8, 5, 6)),
    "depthwise": ("DEPTHWISE_CONV_2D", {"strideW": 2, "strideH": 2, "depthMultiplier": 2},
                  [FOUR, weights(1, 3, 3, 8, channels=8, axis=3), bias(8, 8)], out(1, 4, 5, 8)),
    "fully connected": ("FULLY_CONNECTED", {}, [FOUR, weights(5, 4, channels=5), bias(5, 5)],
                        out(72, 5)),
    "fully connected, kept": ("FULLY_CONNECTED", {"keepNumDims": True},
                              [FOUR, weights(5, 4), bias(5)], out(1, 8, 9, 5)),
    "max pool, same": ("MAX_POOL_2D", POOL, [FOUR], out(1, 3, 5, 4)),
    "average pool, valid": ("AVERAGE_POOL_2D", POOL | {"padding": 1}, [FOUR], out(1, 3, 4, 4)),
    "concatenation": ("CONCATENATION", {"axis": -1}, [FOUR, FOUR, out(1, 8, 9, 2)],
                      out(1, 8, 9, 10)),
    "pack": ("PACK", {"valuesCount": 2, "axis": -1}, [Tensor((2, 3)), Tensor((2, 3))],
             out(2, 3, 2)),
    "mean": ("MEAN", {"keepDims": True}, [FOUR, of(1, 2)], out(1, 1, 1, 4)),
    "mean, dropped": ("MEAN", {}, [FOUR, of(1, -2)], out(1, 4)),
    "reduce max": ("REDUCE_MAX", {}, [FOUR, of(1, 2)], out(1, 4)),
    "sum": ("SUM", {}, [FOUR, of(3)], out(1, 8, 9)),
    "pad": ("PAD", {}, [FOUR, Tensor((4, 2), I32, [0, 0, 1, 2, 3, 0, 0, 1])], out(1, 11, 12, 5)),
    "reshape": ("RESHAPE", {"newShape": [4, -1]}, [FOUR, of(4, -1)], out(4, 72)),
    "reshape, by its options": ("RESHAPE", {"newShape": [288]}, [FOUR], out(288)),
    "squeeze": ("SQUEEZE", {"squeezeDims": [0]}, [FOUR], out(8, 9, 4)),
    "squeeze, all": ("SQUEEZE", {}, [out(1, 8, 1)], out(8)),
    "expand": ("EXPAND_DIMS", {}, [out(8, 9), of(-1)], out(8, 9, 1)),
    "transpose": ("TRANSPOSE", {}, [FOUR, of(0, 3, 2, 1)], out(1, 4, 9, 8)),
    "slice": ("SLICE", {}, [FOUR, of(0, 1, 2, 0), of(1, 3, -1, 2)], out(1, 3, 7, 2)),
    "strided slice": ("STRIDED_SLICE", {"beginMask": 1, "endMask": 2},
                      [FOUR, of(0, 1, -3, 0), of(1, 2, 99, 3), of(1, 2, 1, 2)], out(1, 4, 3, 2)),
    "bilinear": ("RESIZE_BILINEAR", {}, [FOUR, of(3, 11)], out(1, 3, 11, 4)),
    "nearest": ("RESIZE_NEAREST_NEIGHBOR", {}, [FOUR, of(3, 11)], out(1, 3, 11, 4)),
    "relu": ("RELU", {}, [FOUR], out(1, 8, 9, 4)),
    "hard swish": ("HARD_SWISH", {}, [FOUR], out(1, 8, 9, 4)),
    "leaky relu": ("LEAKY_RELU", {"alpha": 0.1}, [FOUR], out(1, 8, 9, 4)),
    "quantize": ("QUANTIZE", {}, [FOUR], out(1, 8, 9, 4, scale=0.1)),
    "dequantize": ("DEQUANTIZE", {}, [FOUR], Tensor((1, 8, 9, 4), "float32")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_shapes_are_those_of_the_runtime(case):
    """What the rules accept, the runtime makes; with another shape in the file they refuse it."""
    from ai_edge_litert.interpreter import Interpreter

    name, options, inputs, made = CASES[case]
    right = single(name, options, inputs, made)
    require_sound(right)
    interpreter = Interpreter(model_content=right, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.invoke()
    (details,) = interpreter.get_output_details()
    assert tuple(details["shape"]) == made.shape
    wrong = Tensor((*made.shape[:-1], made.shape[-1] + 1), made.dtype, None, made.scale)
    with pytest.raises(BundleError, match="the file says"):
        require_sound(single(name, options, inputs, wrong))


def test_split_gives_as_many_as_it_says():
    tensors = [Tensor((), I32, [-1]), FOUR, out(1, 8, 9, 2), out(1, 8, 9, 2)]

    def split(count: int, outputs: list[int]) -> bytes:
        return network(tensors, [("SPLIT", {"numSplits": count}, [0, 1], outputs)], [1], outputs)

    require_sound(split(2, [2, 3]))
    for count, outputs in ((65535, [2, 3]), (1, [2, 3]), (2, [2, 2]), (2, [2])):
        with pytest.raises(BundleError):
            require_sound(split(count, outputs))


def test_every_operator_that_is_read_has_a_rule():
    assert set(OPS.values()) == set(RULES)


def test_the_pieces_and_the_default_model_are_sound():
    for name, model in corpus():
        assert require_sound(model).ops, name
    graph = require_sound(Bundle.load(DEFAULT_MODEL).model)
    whole = unpack(Bundle.load(DEFAULT_MODEL).model).subgraphs[0]
    assert len(graph.ops) == len(whole.operators)
    assert [t.shape for t in graph.tensors] == [tuple(t.shape) for t in whole.tensors]


def _changed(change, *, of: str = "conv, same") -> bytes:
    name, options, inputs, made = CASES[of]
    model = unpack(single(name, options, inputs, made))
    change(model, model.subgraphs[0])
    return pack(model)


def _set(*path, value):
    """Set an attribute of the graph or model, reached by names and indices."""

    def change(model, graph):
        place = graph if path[0] != "model" else model
        *way, last = path if path[0] != "model" else path[1:]
        for step in way:
            place = place[step] if isinstance(step, int) else getattr(place, step)
        setattr(place, last, value)

    return change


def _ints(*values):
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("tensors", 0, "shape", value=_ints(1, 8, 9, 0)), "no fixed shape"),
        (_set("tensors", 0, "shape", value=_ints(1, 8, -1, 4)), "no fixed shape"),
        (_set("tensors", 0, "shape", value=_ints(1, 1, 1, 1, 1)), "no fixed shape"),
        (_set("tensors", 0, "shapeSignature", value=_ints(1, 8, -1, 4)), "no fixed shape"),
        (_set("tensors", 0, "shape", value=_ints(1, 2**16, 2**16, 4)), "too large"),
        (_set("tensors", 0, "type", value=5), "a type that is not used"),
        (_set("tensors", 0, "type", value=TYPES["int32"]), "not used for it"),
        (_set("tensors", 3, "type", value=TYPES["uint8"]), "mixes the types"),
        (_set("tensors", 1, "type", value=TYPES["float32"]), "bytes of content"),
        (_set("tensors", 0, "buffer", value=99), "in no buffer"),
        (_set("tensors", 0, "buffer", value=1), "content"),
        (_set("tensors", 0, "isVariable", value=True), "variable"),
        (_set("tensors", 0, "externalBuffer", value=1), "elsewhere"),
        (_set("tensors", 0, "quantization", value=None), "no single scale"),
        (_set("tensors", 0, "quantization", "scale", value=[0.0]), "scale that no runtime"),
        (_set("tensors", 0, "quantization", "scale", value=[float("nan")]), "scale that no"),
        (_set("tensors", 1, "quantization", "scale", value=[0.1, np.inf, 0.1, -np.inf, 0.1, 0.1]),
         "scale that no"),
        (_set("tensors", 1, "quantization", "scale", value=[0.1, np.nan, 0.1, 0.1, 0.1, 0.1]),
         "scale that no"),
        (_set("tensors", 0, "quantization", "scale", value=[1e6]), "too far apart"),
        (_set("tensors", 1, "quantization", "scale", value=[0.1] * 5 + [300.0]), "too far apart"),
        (_set("tensors", 0, "quantization", "scale", value=[0.1, 0.1]), "2 scales and 1 zero"),
        (_set("tensors", 0, "quantization", "zeroPoint", value=[200]), "zero point"),
        (_set("tensors", 1, "quantization", "quantizedDimension", value=3), "scales, not one for"),
        (_set("tensors", 1, "quantization", "scale", value=[]), "scales and"),
        (_set("inputs", value=_ints(0, 0)), "inputs are not"),
        (_set("inputs", value=_ints(1)), "inputs are not"),
        (_set("inputs", value=_ints(-1)), "inputs are not"),
        (_set("outputs", value=_ints(99)), "outputs are made by none"),
        (_set("outputs", value=_ints(0)), "outputs are made by none"),
        (_set("operators", value=[]), "outputs are made by none"),
        (_set("operators", 0, "inputs", value=_ints(0)), "has 1 inputs"),
        (_set("operators", 0, "inputs", value=_ints(0, -1, 2)), "left out"),
        (_set("operators", 0, "inputs", value=_ints(0, 3, 2)), "made by nothing before"),
        (_set("operators", 0, "inputs", value=_ints(0, 2**30, 2)), "made by nothing before"),
        (_set("operators", 0, "inputs", value=_ints(-2, 1, 2)), "made by nothing before"),
        (_set("operators", 0, "outputs", value=_ints()), "has 0 outputs"),
        (_set("operators", 0, "outputs", value=_ints(1)), "no tensor of its own"),
        (_set("operators", 0, "outputs", value=_ints(-1)), "no tensor of its own"),
        (_set("operators", 0, "opcodeIndex", value=7), "no operator code"),
        (_set("operators", 0, "intermediates", value=_ints(1)), "fields that are not used"),
        (_set("operators", 0, "largeCustomOptionsOffset", value=9), "fields that are not used"),
        (_set("operators", 0, "builtinOptionsType", value=5), "another operator"),
        (_set("operators", 0, "builtinOptions", "strideW", value=0), "expected 1 to"),
        (_set("operators", 0, "builtinOptions", "strideH", value=-(2**31)), "expected 1 to"),
        (_set("operators", 0, "builtinOptions", "dilationHFactor", value=0), "expected 1 to"),
        (_set("operators", 0, "builtinOptions", "padding", value=9), "padding"),
        (_set("operators", 0, "builtinOptions", "fusedActivationFunction", value=7), "activation"),
        (_set("model", "operatorCodes", 0, "builtinCode", value=118), "number 118"),
        (_set("model", "operatorCodes", 0, "builtinCode", value=32), "not sound"),
        (_set("model", "buffers", 1, "offset", value=2), "behind the network"),
        (_set("model", "subgraphs", value=[]), "no graph"),
        (_set("model", "version", value=2), "version 3"),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_refused(change, said):
    with pytest.raises(BundleError, match=said):
        require_sound(_changed(change))


def test_two_graphs_are_refused():
    def change(model, graph):
        model.subgraphs = [graph, graph]

    with pytest.raises(BundleError, match="too large"):
        require_sound(_changed(change))


def test_the_order_of_operators_is_that_of_their_tensors():
    tensors = [FOUR, FOUR, FOUR]
    ops = [("RELU", {}, [0], [1]), ("RELU", {}, [1], [2])]
    require_sound(network(tensors, ops, [0], [2]))
    with pytest.raises(BundleError, match="made by nothing before"):
        require_sound(network(tensors, ops[::-1], [0], [2]))
    with pytest.raises(BundleError, match="no tensor of its own"):
        require_sound(network(tensors, [*ops, ops[1]], [0], [2]))


def test_work_and_memory_are_bounded(monkeypatch):
    model = single(*CASES["conv, same"])
    graph = require_sound(model)
    monkeypatch.setattr(sound, "MAX_MULTIPLICATIONS", 8 * 5 * 6 * 3 * 3 * 4 - 1)
    with pytest.raises(BundleError, match="multiplications"):
        require_sound(model)
    monkeypatch.setattr(sound, "MAX_MULTIPLICATIONS", 8 * 5 * 6 * 3 * 3 * 4)
    require_sound(model)
    monkeypatch.setattr(sound, "MAX_MEMORY", sum(t.size for t in graph.tensors) - 1)
    with pytest.raises(BundleError, match="bytes"):
        require_sound(model)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused(noise):
    with pytest.raises(BundleError):
        require_sound(noise)


def test_a_buffer_that_many_tensors_share_is_not_copied():
    model = unpack(single("RELU", {}, [FOUR], out(1, 8, 9, 4)))
    buffer, graph = schema.BufferT(), model.subgraphs[0]
    buffer.data = np.zeros(2_000_000, np.uint8)
    model.buffers.append(buffer)
    for _ in range(2000):  # 4 GB, were it copied
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = [2, 1000, 1000], TYPES["int8"], 1
        tensor.name = b"shared"
        graph.tensors.append(tensor)
    content = pack(model)
    tracemalloc.start()
    try:
        with pytest.raises(BundleError, match="tensors take"):
            require_sound(content)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("options", [{"newShape": [2**31 - 1] * 100_000}, {"newShape": [1] * 5}])
def test_a_shape_without_end_is_refused_at_once(options):
    with pytest.raises(BundleError, match="no valid shape"):
        require_sound(single("RESHAPE", options, [FOUR], out(288)))


def test_a_constant_without_end_is_refused_unread():
    many = Tensor((1000,), I32, range(1000))
    with pytest.raises(BundleError, match="too long"):
        require_sound(single("MEAN", {}, [FOUR, many], out(1, 4)))


def test_shared_tables_are_not_read_without_end():
    """19,003 tensors that are all the same table, whose scales take 0.8 MB."""
    model = unpack(single("RELU", {}, [FOUR], out(1, 8, 9, 4)))
    tensor = model.subgraphs[0].tensors[0]
    tensor.quantization.scale = np.full(200_000, 0.5, np.float32)
    once, count = pack(model), 19_003  # so that the copy lies at a multiple of 16
    field, first = _tensors_vector(once)
    content = bytearray(once + bytes(-len(once) % 16))
    vector = len(content)
    first += vector + 4 + 4 * count  # in a copy behind the vector, as offsets lead forward
    places = range(vector + 4, vector + 4 + 4 * count, 4)
    content += struct.pack(f"<I{count}I", count, *(first - place for place in places)) + once
    struct.pack_into("<I", content, field, vector - field)
    with pytest.raises(BundleError, match="too large or too many"):
        require_sound(bytes(content))


def _word(content: bytes, place: int, value: int, code: str = "I") -> bytes:
    changed = bytearray(content)
    struct.pack_into(f"<{code}", changed, place, value)
    return bytes(changed)


def test_fields_that_nothing_reads_lie_inside_too():
    """tflite-runtime follows them all, unverified."""
    model = pack(_named())
    root = Buffer(model).root()
    graph = root.tables(2, 1)[0]
    texts = [(root, 3), (graph, 4), (root.tables(6, 9)[0], 0), (root.tables(7, 9)[0], 2)]
    ends = root.tables(7, 9)[0].tables(0, 9)[0]
    quantization = graph.tables(0, 9)[0].table(4)
    assert quantization is not None
    require_sound(model)
    for table, index in (*texts, (ends, 0), (quantization, 0), (graph, 4)):
        for value in (2**31, 2**32 - 4, len(model) - table.where(index, 4)):
            with pytest.raises(BundleError, match="damaged"):
                require_sound(_word(model, table.where(index, 4), value))
        start, count = table.span(index)
        for value in (2**32 - 1, len(model), 2**30):
            with pytest.raises(BundleError, match="damaged"):
                require_sound(_word(model, start - 4, value))
        if (table, index) in texts:  # a text without its end
            with pytest.raises(BundleError, match="misplaced"):
                require_sound(_word(model, start + count, 65, "B"))


def _named():
    model = unpack(single("RELU", {}, [FOUR], out(1, 8, 9, 4)))
    note, signature, end = schema.MetadataT(), schema.SignatureDefT(), schema.TensorMapT()
    note.name, note.buffer = b"note", 0
    end.name, end.tensorIndex = b"in", 0
    signature.inputs, signature.outputs, signature.signatureKey = [end], [end], b"serve"
    model.metadata, model.signatureDefs = [note], [signature]
    model.subgraphs[0].tensors[0].quantization.min = np.array([0], np.float32)
    return model


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: setattr(m.metadata[0], "buffer", 9), "metadata lies in no buffer"),
        (lambda m: setattr(m, "metadataBuffer", [9]), "metadata lies in no buffer"),
        (lambda m: setattr(m.signatureDefs[0], "subgraphIndex", 1), "names no tensor"),
        (lambda m: setattr(m.signatureDefs[0].inputs[0], "tensorIndex", 2), "names no tensor"),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "sparsity", schema.SparsityParametersT()),
         "not used here"),
        (lambda m: setattr(m.subgraphs[0].tensors[0], "variantTensors", [schema.VariantSubTypeT()]),
         "not used here"),
    ],
)  # fmt: skip
def test_references_to_nothing_are_refused(change, said):
    model = _named()
    change(model)
    with pytest.raises(BundleError, match=said):
        require_sound(pack(model))


def test_names_are_text():
    model = _named()
    model.subgraphs[0].tensors[0].name = b"\xff\xfe"
    with pytest.raises(BundleError, match="no text"):
        require_sound(pack(model))


def test_tables_are_aligned_and_of_the_schema():
    model = pack(_named())
    root = Buffer(model).root()
    vtable = root.place - struct.unpack_from("<i", model, root.place)[0]
    for place, value, code in (
        (0, root.place + 2, "I"),  # the root at an odd place
        (vtable, 3, "H"),
        (vtable, 0xFFFE, "H"),  # fields without end
        (vtable + 2, 0xFFFF, "H"),  # a table longer than the file
        (root.place, 2**31 - 1, "i"),
    ):
        with pytest.raises(BundleError):
            require_sound(_word(model, place, value, code))


def _tensors_vector(content: bytes) -> tuple[int, int]:
    """Where the graph's field of tensors lies, and the first tensor."""
    graph = Buffer(content).root().tables(2, 1)[0]
    return graph.where(0, 4), graph.tables(0, 9)[0].place


@pytest.mark.parametrize("scale", [1.01, 1.6])
def test_the_input_of_a_table_may_have_any_scale(scale):
    """A sigmoid of values that reach 200 has steps of 1.6 in front and of 1/256 behind."""
    model = unpack(Bundle.load(DEFAULT_MODEL).model)
    graph = model.subgraphs[0]
    codes = [code.builtinCode for code in model.operatorCodes]
    sigmoid = schema.BuiltinOperator.LOGISTIC
    op = next(op for op in graph.operators if codes[op.opcodeIndex] == sigmoid)
    graph.tensors[op.inputs[0]].quantization.scale = [np.float32(scale)]
    require_sound(pack(model))
