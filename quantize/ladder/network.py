"""A float TFLite network taken apart: operators in order and constants as arrays, to be changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.flatbuffer import enumerated, unpack

__all__ = ["WEIGHTED", "Network", "Op", "read"]

WEIGHTED: Final = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""Operators with weights and a bias."""

_TYPES: Final = {"FLOAT32": np.float32, "INT32": np.int32, "INT64": np.int64}
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Op:
    """An operator: its name in the TFLite schema, its tensors, its options as the schema has them.

    ``place`` is its place in the file it was read from.
    """

    kind: str
    inputs: tuple[int, ...]
    output: int
    options: Any
    place: int


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network with one input; ``constants`` maps a tensor's number to its array.

    ``names`` and ``shapes`` are those of all tensors. ``offset`` is what the network's input is
    below the pixel: x = pixel - offset.
    """

    ops: tuple[Op, ...]
    constants: Mapping[int, Array]
    names: Sequence[str]
    shapes: Sequence[tuple[int, ...]]
    input: int
    outputs: tuple[int, ...]
    offset: int = 0

    @property
    def log_odds(self) -> int:
        """The tensor [n, 2] that the softmax turns into scores."""
        return next(op.inputs[0] for op in self.ops if op.kind == "SOFTMAX")

    @property
    def scores(self) -> int:
        """The tensor [n, 2] of probabilities."""
        return next(op.output for op in self.ops if op.kind == "SOFTMAX")

    def with_constants(self, changed: Mapping[int, Array]) -> "Network":
        """The same network with some constants changed."""
        return replace(self, constants={**self.constants, **changed})


def read(model: bytes) -> Network:
    """Take a float flatbuffer apart (BackendError if it has several graphs or inputs)."""
    net = unpack(model)
    graph = net.subgraphs[0]
    if len(net.subgraphs) != 1 or len(graph.inputs) != 1:
        raise BackendError("expected a network with one graph and one input")
    kinds = [enumerated(schema.BuiltinOperator, _code(code)) for code in net.operatorCodes]
    ops = tuple(
        Op(kinds[op.opcodeIndex], tuple(map(int, op.inputs)), int(op.outputs[0]),
           op.builtinOptions, place)
        for place, op in enumerate(graph.operators)
    )  # fmt: skip
    return Network(
        ops=ops,
        constants=_constants(net.buffers, graph.tensors),
        names=[tensor.name.decode() for tensor in graph.tensors],
        shapes=[tuple(map(int, _shape(tensor))) for tensor in graph.tensors],
        input=int(graph.inputs[0]),
        outputs=tuple(map(int, graph.outputs)),
    )


def _constants(buffers: Sequence[Any], tensors: Sequence[Any]) -> dict[int, Array]:
    found = {}
    for number, tensor in enumerate(tensors):
        content, kind = buffers[tensor.buffer].data, enumerated(schema.TensorType, tensor.type)
        if content is not None and len(content) and kind in _TYPES:
            values = np.frombuffer(bytes(content), _TYPES[kind])
            found[number] = values.reshape(tuple(_shape(tensor)))
    return found


def _shape(tensor: Any) -> Sequence[int]:
    return [] if tensor.shape is None else list(tensor.shape)


def _code(code: Any) -> int:
    """The builtin code, which older files keep in a field of eight bits."""
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))
