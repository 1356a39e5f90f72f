"""An operator with its tensors, as the rules for its shapes see it."""

from dataclasses import dataclass, field
from typing import NoReturn

from corrosion_edge.errors import BundleError
from corrosion_edge.network.graph import Op, Tensor

__all__ = ["Call", "Shape", "Work"]

Shape = tuple[int, ...]

_LARGEST_CONSTANT = 4 * 256  # bytes of a shape, an axis, a padding


@dataclass(frozen=True, slots=True)
class Work:
    """What an operator makes and costs: its outputs' shapes, multiplications, scratch bytes."""

    shapes: list[Shape]
    multiplications: int = 0
    scratch: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """``inputs`` are in the operator's order, None where an optional one is left out."""

    op: Op
    inputs: tuple[Tensor | None, ...] = field(repr=False)
    outputs: tuple[Tensor, ...] = field(repr=False)

    @property
    def first(self) -> Shape:
        """The shape of the first input."""
        return self.shape(0)

    def tensor(self, index: int) -> Tensor:
        """An input that must be there."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            self.fail(f"input {index} is missing")
        return found

    def shape(self, index: int, rank: int | None = None) -> Shape:
        """An input's shape, of ``rank`` sizes."""
        found = self.tensor(index).shape
        if rank is not None and len(found) != rank:
            self.fail(f"input {index} has the shape {found}, expected {rank} sizes")
        return found

    def constant(self, index: int, count: int | None = None) -> tuple[int, ...]:
        """The values of an input that must be a constant of INT32, ``count`` of them."""
        self.require(self.tensor(index).size <= _LARGEST_CONSTANT, f"input {index} is too long")
        values = self.tensor(index).integers
        if values is None or (count is not None and len(values) != count):
            self.fail(f"input {index} is not a constant of {count or 'some'} INT32")
        return values

    def option(self, index: int, default: int = 0, *, code: str = "i") -> int:
        """A field of the options, its default where they are absent."""
        return self.op.options.number(index, code, default) if self.op.options else default

    def positive(self, index: int, default: int = 0, most: int = 4096) -> int:
        """A field of the options that must be from 1 to ``most``."""
        value = self.option(index, default)
        self.require(1 <= value <= most, f"option {index} is {value}, expected 1 to {most}")
        return value

    def axis(self, value: int, rank: int) -> int:
        """An axis, counted from the front."""
        self.require(-rank <= value < rank, f"has no axis {value}")
        return value % rank

    def require(self, holds: bool, what: str) -> None:
        """Fail with ``what`` unless it holds."""
        if not holds:
            self.fail(what)

    def fail(self, what: str) -> NoReturn:
        """BundleError that names the operator."""
        raise BundleError(f"operator {self.op.index} ({self.op.name}) is not sound: {what}")
