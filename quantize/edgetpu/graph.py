"""A network as the rules see it: each op with its tensors and the options that rules ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from corrosion_edge.errors import BundleError
from corrosion_edge.network import graph as network
from corrosion_edge.network.graph import Tensor

__all__ = ["OPTIONS", "Graph", "Op", "integers", "numbers", "read"]

_NUMBERS: Final[Mapping[str, str]] = {
    "INT8": "i1",
    "UINT8": "u1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
}

_FEW = 1024

OPTIONS: Final[Mapping[int, Mapping[str, tuple[int, str, int]]]] = {
    1: {"dilationWFactor": (4, "i", 1), "dilationHFactor": (5, "i", 1)},  # Conv2D
    2: {"dilationWFactor": (5, "i", 1), "dilationHFactor": (6, "i", 1)},  # DepthwiseConv2D
    5: {"fusedActivationFunction": (5, "b", 0)},  # Pool2D
    8: {"weightsFormat": (1, "b", 0)},  # FullyConnected
    10: {"fusedActivationFunction": (1, "b", 0)},  # Concatenation
    15: {"alignCorners": (2, "B", 0)},  # ResizeBilinear
    32: {"ellipsisMask": (2, "i", 0), "newAxisMask": (3, "i", 0)},  # StridedSlice
    49: {"strideW": (1, "i", 0), "strideH": (2, "i", 0)},  # TransposeConv
    59: {"axis": (1, "i", 0)},  # Pack
}
"""Options that a rule asks for, by their type in the schema: place, type and default."""


@dataclass(frozen=True, slots=True)
class Op:
    """One op in order of execution; ``options`` by the schema's names, those of ``OPTIONS``."""

    index: int
    name: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    custom: str = ""
    options: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The op's name, of a custom op with its own: ``CUSTOM (TFLite_Detection_PostProcess)``."""
        return f"{self.name} ({self.custom})" if self.custom else self.name


@dataclass(frozen=True, slots=True)
class Graph:
    """The first subgraph of a model; ``subgraphs`` counts all of them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    subgraphs: int = 1


def read(model: bytes, name: str = "the model") -> Graph:
    """The first subgraph of a TFLite flatbuffer; bytes behind the flatbuffer are ignored.

    Raises :class:`BundleError` on a file that is no TFLite model, or a damaged one.
    """
    try:
        found = network.read(model)
        ops = tuple(_op(op, found.tensors) for op in found.ops)
        _require_order(ops)
        ends = _pick(found.inputs, found.tensors), _pick(found.outputs, found.tensors)
        if None in ends[0] or None in ends[1]:
            raise BundleError("an input or output has no tensor; the file is damaged")
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from error
    inputs, outputs = (tuple(t for t in end if t) for end in ends)
    return Graph(inputs, outputs, ops, found.subgraphs)


def numbers(tensor: Tensor | None) -> list[int] | None:
    """The values of a constant of a few integers, such as axes, flat; None for any other."""
    if tensor is None or tensor.elements > _FEW:
        return None
    values = integers(tensor)
    return None if values is None else [int(value) for value in values]


def integers(tensor: Tensor) -> NDArray[Any] | None:
    """The values of a constant integer tensor, flat, in its own type; None for any other.

    Raises :class:`BundleError` where there are not as many as the shape says.
    """
    if tensor.data is None or tensor.type not in _NUMBERS:
        return None
    if len(tensor.data) != tensor.size:
        raise BundleError(
            f"tensor {tensor.name!r:.80} holds {len(tensor.data)} bytes, expected {tensor.size} "
            "for its shape; the file is damaged"
        )
    return np.frombuffer(tensor.data, _NUMBERS[tensor.type])


def _op(op: network.Op, tensors: Sequence[Tensor]) -> Op:
    options = OPTIONS.get(op.options_type, {}) if op.options else {}
    return Op(
        index=op.index,
        name=op.name,
        version=op.version,
        inputs=_pick(op.inputs, tensors),
        outputs=tuple(t for t in _pick(op.outputs, tensors) if t),
        custom=op.custom,
        options={key: op.options.number(*at) for key, at in options.items() if op.options},
    )


def _pick(places: Sequence[int], tensors: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    if any(not -1 <= place < len(tensors) for place in places):
        raise BundleError("an op names a tensor that is not there; the file is damaged")
    return tuple(None if place == -1 else tensors[place] for place in places)


def _require_order(ops: tuple[Op, ...]) -> None:
    # TFLite runs ops in the file's order, so an op can only read what an earlier one made.
    made_by = {out.index: op.index for op in reversed(ops) for out in op.outputs}
    for op in ops:
        if any(made_by.get(t.index, -1) >= op.index for t in op.inputs if t):
            raise BundleError(
                f"op {op.index} ({op.title}) reads a tensor that is made later; the file is damaged"
            )
