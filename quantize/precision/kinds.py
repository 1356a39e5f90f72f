"""Whether a flatbuffer is of the precision that it is said to be: read from its tensors."""

from collections.abc import Mapping
from typing import Any, Final

from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.flatbuffer import enumerated, unpack

__all__ = ["require_kinds"]

_WEIGHTED: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_KINDS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "float32": ("FLOAT32", frozenset({"FLOAT32"})),
    "float16": ("FLOAT32", frozenset({"FLOAT16"})),
    # The converter leaves weights of fewer than 1024 elements in float.
    "dynamic": ("FLOAT32", frozenset({"INT8", "FLOAT32"})),
    "int16x8": ("INT16", frozenset({"INT8"})),
}
"""By precision: the type of the activations, and those that weights may have."""


def require_kinds(model: bytes, precision: str) -> None:
    """BackendError unless activations and weights of every layer are of the precision's types.

    Of weights that may have two types, at least one layer has the first of the two that is not
    float32: a "dynamic" network all of whose weights are float32 is refused.
    """
    activations, weights = _KINDS[precision]
    found: set[str] = set()
    for layer, got, kind in _layers(model):
        if got != activations or kind not in weights:
            raise BackendError(
                f"the layer {layer!r:.80} has activations of {got} and weights of {kind}, "
                f"expected {activations} and {' or '.join(sorted(weights))}"
            )
        found.add(kind)
    if rounded := weights - {"FLOAT32"} - found:
        raise BackendError(f"no layer has weights of {' or '.join(sorted(rounded))}")


def _layers(model: bytes) -> list[tuple[str, str, str]]:
    """Name, type of the first input, and type of the stored weights, of each layer with weights."""
    net = unpack(model)
    graph = net.subgraphs[0]
    codes = [enumerated(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]
    sources = {
        int(op.outputs[0]): int(op.inputs[0])
        for op in graph.operators
        if codes[op.opcodeIndex] == "DEQUANTIZE"
    }
    layers = [op for op in graph.operators if codes[op.opcodeIndex] in _WEIGHTED]
    return [
        (
            graph.tensors[op.outputs[0]].name.decode(),
            _kind(graph.tensors[op.inputs[0]]),
            _kind(graph.tensors[sources.get(int(op.inputs[1]), int(op.inputs[1]))]),
        )
        for op in layers
    ]


def _kind(tensor: Any) -> str:
    return enumerated(schema.TensorType, tensor.type)
