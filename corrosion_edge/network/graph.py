"""What a TFLite flatbuffer says: tensors and operators of its first graph.

Any TFLite file is read here, whatever operators it has. Whether a network is one that may be given
to a runtime is told by ``sound``. Field numbers are those of TensorFlow Lite's schema, version 3:
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/lite/schema/schema.fbs
"""

import struct
from dataclasses import dataclass, field
from math import prod
from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network import names
from corrosion_edge.network.table import Buffer, Table

__all__ = ["COMPILED", "MOST", "Graph", "Op", "Tensor", "operator_number", "read", "read_root"]

MOST: Final = 20_000
"""Most tensors, operators and buffers that are read."""

COMPILED: Final = "edgetpu-custom-op"
"""Custom name of the operator that stands for what the Edge TPU compiler mapped."""

_MOST_CODES, _MOST_RANK, _MOST_GRAPHS = 1000, 32, 1000


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: its shape, type, constant content, and quantization.

    ``size`` is in bytes, 0 for types without a fixed size per element. ``data`` is None for a
    tensor that the network computes or is given. ``free`` says that the shape's signature leaves
    a size open (-1). Tensors of one ``buffer`` share their content.
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    size: int = 0
    data: memoryview | None = field(default=None, repr=False)
    scales: tuple[float, ...] = field(default=(), repr=False)
    zero_points: tuple[int, ...] = field(default=(), repr=False)
    axis: int = 0
    free: bool = False
    variable: bool = False
    buffer: int = 0

    @property
    def constant(self) -> bool:
        """Whether its values stand in the file."""
        return self.data is not None

    @property
    def fixed(self) -> bool:
        """Whether every size is a number from 1 on."""
        return all(size > 0 for size in self.shape)

    @property
    def elements(self) -> int:
        """How many values it has."""
        return prod(max(size, 0) for size in self.shape)

    @property
    def integers(self) -> tuple[int, ...] | None:
        """The values of a constant of INT32, flat; None for any other tensor."""
        if self.data is None or self.type != "INT32":
            return None
        return struct.unpack(f"<{len(self.data) // 4}i", self.data)


@dataclass(frozen=True, slots=True)
class Op:
    """An operator; ``options`` is the table of its builtin options, of ``options_type``."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None = field(repr=False)
    options_type: int
    custom: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The first graph of a network, as it is run: ``ops`` in order; ``subgraphs`` counts all."""

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: int = 1

    @property
    def compiled(self) -> bool:
        """Whether a part of it was compiled for the Edge TPU."""
        return any(op.custom == COMPILED for op in self.ops)


def read(model: bytes) -> Graph:
    """Read the first graph of a flatbuffer; bytes behind the flatbuffer do not matter.

    Time and memory are bounded by the size of ``model``, whatever its offsets say. Raises
    BundleError if it is no TFLite file, or damaged. Indexes of tensors are not checked.
    """
    if model[4:8] != b"TFL3":
        raise BundleError("no TFLite model: expected TFL3 at byte 4")
    return read_root(Buffer(model).root())


def read_root(root: Table) -> Graph:
    """Read the first graph of a flatbuffer whose root is given (BundleError if damaged)."""
    graphs = root.tables(2, _MOST_GRAPHS)
    if not graphs:
        raise BundleError("the network is damaged: it has no graph")
    graph, buffers = graphs[0], root.tables(4, MOST)
    codes = [_code(table) for table in root.tables(1, _MOST_CODES)]
    return Graph(
        tuple(_tensor(n, table, buffers) for n, table in enumerate(graph.tables(0, MOST))),
        tuple(_op(n, table, codes) for n, table in enumerate(graph.tables(3, MOST))),
        graph.numbers(1, "i") or (),
        graph.numbers(2, "i") or (),
        len(graphs),
    )


def operator_number(code: Table) -> int:
    """The number of an operator code; the larger of two fields holds."""
    return max(code.number(0, "b"), code.number(3, "i"))


def _code(table: Table) -> tuple[str, int, str]:
    """An operator code's name, version, and custom name."""
    return names.operator(operator_number(table)), table.number(2, "i", 1), table.text(1)


def _tensor(index: int, table: Table, buffers: list[Table]) -> Tensor:
    name, place = table.text(3), table.number(2, "I")
    if place >= len(buffers):
        raise BundleError(f"tensor {name!r:.80} lies in no buffer")
    shape, signature = table.numbers(0, "i") or (), table.numbers(7, "i") or ()
    if max(len(shape), len(signature)) > _MOST_RANK:
        raise BundleError(
            f"tensor {name!r:.80} has {len(shape)} dimensions, expected at most {_MOST_RANK}"
        )
    kind, width = names.type_of(table.number(1, "b"))
    scales, zero_points, axis = _quantization(table)
    return Tensor(
        index=index,
        name=name,
        type=kind,
        shape=shape,
        size=width * prod(max(n, 0) for n in shape),
        data=_data(buffers[place]),
        scales=scales,
        zero_points=zero_points,
        axis=axis,
        free=min(signature, default=0) < 0,
        variable=bool(table.number(5, "B")),
        buffer=place,
    )


def _data(buffer: Table) -> memoryview | None:
    start, size, content = buffer.number(1, "Q"), buffer.number(2, "Q"), buffer.buffer.content
    if start <= 1:
        return buffer.data(0) or None
    if start + size > len(content):  # content behind the flatbuffer, for models above 2 GB
        raise BundleError("the network is damaged: a buffer ends behind the file's end")
    return memoryview(content)[start : start + size] or None


def _quantization(table: Table) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    found = table.table(4)
    if found is None:
        return (), (), 0
    return found.reals(2), found.numbers(3, "q") or (), found.number(6, "i")


def _op(index: int, table: Table, codes: list[tuple[str, int, str]]) -> Op:
    place = table.number(0, "I")
    if place >= len(codes):
        raise BundleError(f"operator {index} has no operator code")
    name, version, custom = codes[place]
    inputs, outputs = table.numbers(1, "i") or (), table.numbers(2, "i") or ()
    return Op(index, name, version, inputs, outputs, table.table(4), table.number(3, "B"), custom)
