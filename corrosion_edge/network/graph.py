"""The parts of a TFLite flatbuffer that decide what a runtime does with it.

Field numbers are those of TensorFlow Lite's schema, version 3:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs
"""

import struct
from dataclasses import dataclass, field
from math import prod
from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network.schema import check_schema
from corrosion_edge.network.table import Buffer, Table

__all__ = ["OPS", "TYPES", "Graph", "Op", "Tensor", "read"]

TYPES: Final = {0: ("FLOAT32", 4), 1: ("FLOAT16", 2), 2: ("INT32", 4), 3: ("UINT8", 1),
                4: ("INT64", 8), 6: ("BOOL", 1), 7: ("INT16", 2), 9: ("INT8", 1)}  # fmt: skip
"""Tensor types that are understood, by number: name and bytes per element."""

OPS: Final = {
    0: "ADD", 1: "AVERAGE_POOL_2D", 2: "CONCATENATION", 3: "CONV_2D", 4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE", 9: "FULLY_CONNECTED", 14: "LOGISTIC", 17: "MAX_POOL_2D", 18: "MUL",
    19: "RELU", 20: "RELU_N1_TO_1", 21: "RELU6", 22: "RESHAPE", 23: "RESIZE_BILINEAR",
    25: "SOFTMAX", 28: "TANH", 32: "CUSTOM", 34: "PAD", 39: "TRANSPOSE", 40: "MEAN", 41: "SUB",
    42: "DIV", 43: "SQUEEZE", 45: "STRIDED_SLICE", 49: "SPLIT", 55: "MAXIMUM", 57: "MINIMUM",
    65: "SLICE", 70: "EXPAND_DIMS", 74: "SUM", 82: "REDUCE_MAX", 83: "PACK", 89: "REDUCE_MIN",
    97: "RESIZE_NEAREST_NEIGHBOR", 98: "LEAKY_RELU", 114: "QUANTIZE", 117: "HARD_SWISH",
}  # fmt: skip
"""Operators that are understood, by their number in the schema."""

_MOST_TENSORS, _MOST_CODES, _MOST_RANK = 20_000, 1000, 4


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: its fixed shape, type, constant content, and quantization.

    ``size`` is in bytes. ``data`` is None for a tensor that the network computes or is given.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    size: int
    data: memoryview | None = field(repr=False)
    scales: tuple[float, ...] = field(repr=False)
    zero_points: tuple[int, ...] = field(repr=False)
    axis: int

    @property
    def integers(self) -> tuple[int, ...] | None:
        """The values of a constant of INT32, flat; None for any other tensor."""
        if self.data is None or self.type != "INT32":
            return None
        return struct.unpack(f"<{len(self.data) // 4}i", self.data)


@dataclass(frozen=True, slots=True)
class Op:
    """An operator; ``options`` is the table of its builtin options."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None = field(repr=False)
    options_type: int
    custom: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A network of one graph, as it is run: ``ops`` in order."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(model: bytes) -> Graph:
    """Read a flatbuffer (BundleError if it is damaged or holds what is not understood).

    Time and memory are bounded by the size of ``model``, whatever its offsets say.
    """
    root = Buffer(model).root()
    check_schema(root)
    graphs = root.tables(2, 1)
    if root.number(0, "I") != 3 or not graphs:
        raise BundleError("the network is not of TFLite's version 3, or has no graph")
    buffers = root.tables(4, _MOST_TENSORS)
    _check_references(root, len(buffers))
    graph = graphs[0]
    codes = [_code(table) for table in root.tables(1, _MOST_CODES)]
    return Graph(
        tuple(_tensor(table, buffers) for table in graph.tables(0, _MOST_TENSORS)),
        tuple(_op(n, table, codes) for n, table in enumerate(graph.tables(3, _MOST_TENSORS))),
        graph.numbers(1, "i") or (),
        graph.numbers(2, "i") or (),
    )


def _check_references(root: Table, buffers: int) -> None:
    """Metadata and signatures: their buffers and tensors must exist."""
    tensors = root.tables(2, 1)[0].length(0)
    places = [entry.number(1, "I") for entry in root.tables(6, 100)]
    if any(place >= buffers for place in (*places, *(root.numbers(5, "i") or ()))):
        raise BundleError("the network is damaged: its metadata lies in no buffer")
    for signature in root.tables(7, 100):
        ends = [*signature.tables(0, 1000), *signature.tables(1, 1000)]
        if signature.number(4, "I") or any(end.number(1, "I") >= tensors for end in ends):
            raise BundleError("the network is damaged: its signature names no tensor")


def _code(table: Table) -> tuple[str, str]:
    """An operator code's name, and its custom name; the larger of two numbers holds."""
    number = max(table.number(0, "b"), table.number(3, "i"))
    if number not in OPS:
        raise BundleError(f"the network has an operator that is not used here (number {number})")
    return OPS[number], table.text(1)


def _tensor(table: Table, buffers: list[Table]) -> Tensor:
    name, place, number = table.text(3), table.number(2, "I"), table.number(1, "b")
    if number not in TYPES:
        raise BundleError(f"tensor {name!r:.80} is of a type that is not used here ({number})")
    if place >= len(buffers) or place < 0:
        raise BundleError(f"tensor {name!r:.80} lies in no buffer")
    shape = table.numbers(0, "i") or ()
    signature = table.numbers(7, "i")
    if len(shape) > _MOST_RANK or any(n < 1 for n in shape) or signature not in (None, shape):
        raise BundleError(f"tensor {name!r:.80} has no fixed shape of up to {_MOST_RANK} sizes")
    if table.number(5, "B") or table.number(10, "I"):
        raise BundleError(f"tensor {name!r:.80} is variable or stored elsewhere")
    kind, size = TYPES[number]
    return Tensor(
        name, shape, kind, size * prod(shape), _data(buffers[place], name), *_quantization(table)
    )


def _data(buffer: Table, name: str) -> memoryview | None:
    if buffer.number(1, "Q") or buffer.number(2, "Q"):
        raise BundleError(f"tensor {name!r:.80} is stored behind the network")
    return buffer.data(0) or None


def _quantization(table: Table) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    found = table.table(4)
    if found is None:
        return (), (), 0
    if found.number(4, "B"):
        raise BundleError("the network has a quantization that is not used here")
    return found.reals(2), found.numbers(3, "q") or (), found.number(6, "i")


def _op(index: int, table: Table, codes: list[tuple[str, str]]) -> Op:
    place = table.number(0, "I")
    if place >= len(codes):
        raise BundleError(f"operator {index} has no operator code")
    name, custom = codes[place]
    if table.length(7) or table.length(8) or table.number(9, "Q") or table.number(11, "B"):
        raise BundleError(f"operator {index} ({name}) has fields that are not used here")
    inputs, outputs = table.numbers(1, "i") or (), table.numbers(2, "i") or ()
    return Op(index, name, inputs, outputs, table.table(4), table.number(3, "B"), custom)
