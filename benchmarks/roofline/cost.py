"""What a network costs at least: multiply-accumulates, and the bytes it moves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network.graph import Graph, Tensor

__all__ = ["Cost", "Part", "cost_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """All operators of one ``name``: how many, their multiply-accumulates, and the bytes they move.

    Those are all that each reads, parameters too, and writes.
    """

    name: str
    operators: int
    macs: int
    moved_bytes: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one picture.

    ``macs`` are multiply-accumulates of convolutions and fully connected layers; element-wise
    operators (additions, activations, pooling) have none, though they take time.
    ``parameter_bytes`` are the constants, each once. ``activation_bytes`` are what the operators
    read and write between them, one operator after the other: less where a runtime fuses two or a
    cache holds what comes next. ``kind`` is the type of what most of the products are made of, such
    as INT8. ``parts`` are the same by kind of operator.
    """

    macs: int
    parameter_bytes: int
    activation_bytes: int
    kind: str
    parts: tuple[Part, ...] = ()

    @property
    def intensity(self) -> float:
        """Multiply-accumulates a byte that is moved."""
        return self.macs / (self.parameter_bytes + self.activation_bytes)


def cost_of(graph: Graph) -> Cost:
    """The cost of a network (BundleError where sizes are open, or it has no weights)."""
    constants = {t.buffer: t.size for t in graph.tensors if t.constant}
    products: dict[str, int] = {}
    parts: dict[str, Part] = {}
    moved = 0
    for op in graph.ops:
        given, made = _tensors(graph, op.inputs), _tensors(graph, op.outputs)
        moved += sum(t.size for t in (*given, *made) if not t.constant)
        macs = _MACS[op.name](given[1], made[0]) if op.name in _MACS else 0
        if macs:
            products[given[0].type] = products.get(given[0].type, 0) + macs
        part = parts.get(op.name, Part(op.name, 0, 0, 0))
        size = sum(t.size for t in (*given, *made))
        parts[op.name] = Part(
            op.name, part.operators + 1, part.macs + macs, part.moved_bytes + size
        )
    if not products:
        raise BundleError("the network has no convolution or fully connected layer to count")
    most = max(products, key=products.__getitem__)
    return Cost(sum(products.values()), sum(constants.values()), moved, most, tuple(parts.values()))


def _tensors(graph: Graph, places: tuple[int, ...]) -> list[Tensor]:
    found = [graph.tensors[place] for place in places if place >= 0]
    for tensor in found:
        if not tensor.fixed:
            raise BundleError(f"tensor {tensor.name!r:.80}: its size is open, expected a fixed one")
    return found


def _convolution(weights: Tensor, made: Tensor) -> int:
    """Weights [out, height, width, in]; each value made takes one product per weight of its own."""
    return made.elements * weights.elements // weights.shape[0]


def _depthwise(weights: Tensor, made: Tensor) -> int:
    """Weights [1, height, width, out]."""
    return made.elements * weights.shape[1] * weights.shape[2]


def _connected(weights: Tensor, made: Tensor) -> int:
    """Weights [out, in]."""
    return made.elements * weights.shape[1]


_MACS: Final[dict[str, Callable[[Tensor, Tensor], int]]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _connected,
}
