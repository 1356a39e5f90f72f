"""What a TFLite file says: tensors and ops of its first subgraph."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from corrosion_edge.errors import BundleError

__all__ = ["Graph", "Op", "Tensor"]

_NUMBERS: Final[Mapping[str, str]] = {
    "INT8": "i1",
    "UINT8": "u1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
}

_FEW = 1024


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its type by the name in the schema, its shape, and its data if it is constant.

    ``free`` says that the shape's signature leaves a dimension open (-1).
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    free: bool = False
    variable: bool = False
    zero_point: int = 0
    buffer: int = 0
    data: NDArray[np.uint8] | None = field(default=None, compare=False, repr=False)

    @property
    def constant(self) -> bool:
        """Whether its values stand in the file."""
        return self.data is not None

    @property
    def fixed(self) -> bool:
        """Whether every dimension is a number from 1 on."""
        return all(size > 0 for size in self.shape)

    @property
    def elements(self) -> int:
        """How many values it has."""
        return math.prod(max(size, 0) for size in self.shape)

    def numbers(self) -> list[int] | None:
        """The values of a constant of a few integers, such as axes, flat; None for any other."""
        if self.elements > _FEW:
            return None
        values = self.integers()
        return None if values is None else [int(value) for value in values]

    def integers(self) -> NDArray[Any] | None:
        """The values of a constant integer tensor, flat, in its own type; None for any other."""
        if self.data is None or self.type not in _NUMBERS:
            return None
        kind = np.dtype(_NUMBERS[self.type])
        if self.data.nbytes != self.elements * kind.itemsize:
            raise BundleError(
                f"tensor {self.name!r} holds {self.data.nbytes} bytes, expected "
                f"{self.elements * kind.itemsize} for its shape; the file is damaged"
            )
        return self.data.view(kind)


@dataclass(frozen=True, slots=True)
class Op:
    """One op in order of execution; ``options`` by the names of the generated schema."""

    index: int
    name: str
    version: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    custom: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

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
