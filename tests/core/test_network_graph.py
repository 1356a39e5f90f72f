"""Any TFLite file is read, also one that no runtime here would be given."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

pytest.importorskip("ai_edge_litert", reason="no TFLite runtime, so no schema")

from ai_edge_litert import schema_py_generated as schema
from networks import Tensor, pack, single, unpack

from corrosion_edge.errors import BundleError
from corrosion_edge.network import names
from corrosion_edge.network.graph import COMPILED, read
from corrosion_edge.network.sound import require_sound

FOUR = Tensor((1, 4, 4, 4))


def test_names_are_those_of_the_schema():
    for enumeration, name in (
        (schema.BuiltinOperator, names.operator),
        (schema.TensorType, lambda number: names.type_of(number)[0]),
    ):
        numbers = {v: k for k, v in vars(enumeration).items() if k.isupper()}
        assert {number: name(number) for number in numbers} == numbers
    assert len(names.OPERATORS) == max(vars(schema.BuiltinOperator)[n] for n in names.OPERATORS) + 1


def _changed(change) -> bytes:
    model = unpack(single("RELU", {}, [FOUR], FOUR))
    change(model, model.subgraphs[0])
    return pack(model)


@pytest.mark.parametrize(
    "change",
    [
        lambda m, g: setattr(m.operatorCodes[0], "builtinCode", 4242),
        lambda m, g: setattr(g.tensors[0], "type", schema.TensorType.FLOAT8_E5M2),
        lambda m, g: setattr(g.tensors[0], "shape", [1] * 6),
        lambda m, g: setattr(g.tensors[0], "shapeSignature", [-1, 4, 4, 4]),
        lambda m, g: setattr(g.tensors[0], "isVariable", True),
        lambda m, g: m.subgraphs.append(g),
        lambda m, g: setattr(m.buffers[0], "offset", 1),
    ],
)
def test_what_a_runtime_is_not_given_is_read_all_the_same(change):
    model = _changed(change)
    assert [op.index for op in read(model).ops] == [0]
    with pytest.raises(BundleError):
        require_sound(model)


def test_what_is_read_of_it():
    def change(model, graph):
        model.operatorCodes[0].version = 7
        graph.tensors[0].shapeSignature = [-1, 4, 4, 4]
        model.subgraphs.append(graph)

    graph = read(_changed(change))
    assert (graph.ops[0].name, graph.ops[0].version, graph.subgraphs) == ("RELU", 7, 2)
    given = graph.tensors[0]
    assert (given.index, given.type, given.shape, given.size) == (0, "INT8", (1, 4, 4, 4), 64)
    assert (given.free, given.fixed, given.constant, given.elements) == (True, True, False, 64)
    assert given.scales == (pytest.approx(0.05),)
    assert not graph.compiled


def test_a_part_for_the_edge_tpu_is_seen():
    def change(model, graph):
        code = model.operatorCodes[0]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = COMPILED.encode()

    graph = read(_changed(change))
    assert graph.compiled
    assert graph.ops[0].custom == COMPILED
