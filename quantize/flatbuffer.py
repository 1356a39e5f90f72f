"""Reading and mending the TFLite flatbuffer itself."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BundleError

__all__ = [
    "INTEGERS",
    "drop_unused",
    "enumerated",
    "name_ends",
    "operators",
    "output_names",
    "pack",
    "problems",
    "unpack",
]

INTEGERS: Final = frozenset({"INT8", "UINT8", "INT16", "INT32", "INT64"})
"""Tensor types a full-integer model may hold; biases are INT32."""

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16


def problems(model: bytes) -> list[str]:
    """Why a flatbuffer is not a full-integer network for one picture; empty if it is one.

    Looks at every tensor's type, at the operators, and at the batch of inputs and outputs.
    """
    found: list[str] = []
    for graph in unpack(model).subgraphs:
        for tensor in graph.tensors:
            kind = enumerated(schema.TensorType, tensor.type)
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
    net = unpack(model)
    codes = [enumerated(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]
    return Counter(codes[op.opcodeIndex] for graph in net.subgraphs for op in graph.operators)


def name_ends(model: bytes, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> bytes:
    """Give the tensors of the signature's inputs and outputs plain names, outputs in that order.

    ``inputs`` and ``outputs`` map names in the signature to names for the tensors. The order of
    the outputs in the graph becomes that of ``outputs``.
    """
    net = unpack(model)
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
    return pack(net)


def output_names(model: bytes) -> tuple[str, ...]:
    """Names of the graph's output tensors, in order."""
    graph = unpack(model).subgraphs[0]
    return tuple(graph.tensors[place].name.decode() for place in graph.outputs)


def unpack(model: bytes) -> Any:
    """A flatbuffer as objects of the TFLite schema, to be read or changed."""
    return schema.ModelT.InitFromPackedBuf(model, 0)


def pack(net: Any) -> bytes:
    """The flatbuffer of what ``unpack`` gave; weights lie at multiples of 16 bytes.

    The schema asks for that alignment (``force_align: 16`` of ``Buffer.data``); the Python code
    generated from it does not keep to it.
    """
    for buffer in net.buffers:
        buffer.__class__ = _AlignedBuffer
    builder = flatbuffers.Builder(1024)
    builder.Finish(net.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def drop_unused(net: Any) -> None:
    """Take out tensors that no operator of the first graph needs, and buffers without a tensor."""
    graph = net.subgraphs[0]
    used = {int(i) for op in graph.operators for i in (*op.inputs, *op.outputs) if i >= 0}
    kept = sorted(used | {int(i) for i in (*graph.inputs, *graph.outputs)})
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}

    def moved(numbers: Any) -> Any:
        return np.array([place[int(i)] for i in numbers], np.int32)

    for op in graph.operators:
        op.inputs, op.outputs = moved(op.inputs), moved(op.outputs)
    graph.inputs, graph.outputs = moved(graph.inputs), moved(graph.outputs)
    graph.tensors = [graph.tensors[i] for i in kept]
    for signature in net.signatureDefs or ():
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = place[entry.tensorIndex]
    _drop_buffers(net)


def _drop_buffers(net: Any) -> None:
    """The first buffer stays: the schema has it empty, for tensors without content."""
    holders = [t for graph in net.subgraphs for t in graph.tensors] + list(net.metadata or ())
    kept = sorted({0} | {holder.buffer for holder in holders})
    place = {old: new for new, old in enumerate(kept)}
    for holder in holders:
        holder.buffer = place[holder.buffer]
    net.buffers = [net.buffers[i] for i in kept]


def enumerated(enumeration: type, value: int) -> str:
    """The name of a member of one of the schema's enumerations."""
    return next(k for k, v in vars(enumeration).items() if v == value and k.isupper())


class _AlignedBuffer(schema.BufferT):
    """A buffer that is written at a multiple of 16 bytes."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802
        """Write the content, then the table that points at it."""
        content = self.data
        if content is not None:
            builder.StartVector(1, len(content), _ALIGNMENT)
            builder.head -= len(content)
            builder.Bytes[builder.head : builder.head + len(content)] = bytes(content)
            place = builder.EndVector()
        schema.BufferStart(builder)
        if content is not None:
            schema.BufferAddData(builder, place)
        schema.BufferAddOffset(builder, self.offset)
        schema.BufferAddSize(builder, self.size)
        return int(schema.BufferEnd(builder))
