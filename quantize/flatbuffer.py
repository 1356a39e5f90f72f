"""Reading and mending the TFLite flatbuffer itself."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BundleError

__all__ = ["INTEGERS", "name_ends", "operators", "problems"]

INTEGERS: Final = frozenset({"INT8", "UINT8", "INT16", "INT32", "INT64"})
"""Tensor types a full-integer model may hold; biases are INT32."""

_IDENTIFIER = b"TFL3"


def problems(model: bytes) -> list[str]:
    """Why a flatbuffer is not a full-integer network for one picture; empty if it is one.

    Looks at every tensor's type, at the operators, and at the batch of inputs and outputs.
    """
    found: list[str] = []
    for graph in _read(model).subgraphs:
        for tensor in graph.tensors:
            kind = _name(schema.TensorType, tensor.type)
            if kind not in INTEGERS:
                found.append(f"tensor {tensor.name.decode()!r} is {kind}")
            if tensor.shapeSignature is not None and min(tensor.shapeSignature, default=0) < 0:
                found.append(f"tensor {tensor.name.decode()!r} has no fixed shape")
        for place in (*graph.inputs, *graph.outputs):
            if graph.tensors[place].shape[0] != 1:
                found.append(
                    f"tensor {graph.tensors[place].name.decode()!r} is not for one picture"
                )
    found += [f"operator {name}" for name in operators(model) if name == "DEQUANTIZE"]
    return found


def operators(model: bytes) -> Counter[str]:
    """How often each operator occurs, by its name in the TFLite schema."""
    net = _read(model)
    codes = [_name(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]
    return Counter(codes[op.opcodeIndex] for graph in net.subgraphs for op in graph.operators)


def name_ends(model: bytes, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> bytes:
    """Give the tensors of the signature's inputs and outputs plain names, outputs in that order.

    ``inputs`` and ``outputs`` map names in the signature to names for the tensors. The order of
    the outputs in the graph becomes that of ``outputs``.
    """
    net = _read(model)
    graph, signature = net.subgraphs[0], net.signatureDefs[0]
    places: dict[str, int] = {}
    for wanted, given in ((inputs, signature.inputs), (outputs, signature.outputs)):
        by_name = {entry.name.decode(): entry.tensorIndex for entry in given}
        if set(by_name) != set(wanted):
            raise BundleError(f"expected a signature with {sorted(wanted)}, got {sorted(by_name)}")
        for name, title in wanted.items():
            graph.tensors[by_name[name]].name = title.encode()
            places[name] = by_name[name]
    graph.outputs = np.array([places[name] for name in outputs], np.int32)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(net.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _read(model: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(model, 0)


def _name(enumeration: type, value: int) -> str:
    return next(k for k, v in vars(enumeration).items() if v == value and k.isupper())
