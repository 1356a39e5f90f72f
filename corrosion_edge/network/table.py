"""Tables of a flatbuffer, read with every offset and length checked.

The format: https://flatbuffers.dev/internals/. A table starts with the distance back to its
vtable; the vtable holds its own length, the table's, and for each field its place in the table,
0 for one that is absent. The ``flatbuffers`` package has no verifier for Python and follows
whatever it reads.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from corrosion_edge.errors import BundleError

__all__ = ["SIZES", "Buffer", "Table"]

_BUDGET: Final = 20_000_000
"""Most bytes' worth of vectors that are read: shared tables could be read without end."""

_LONGEST_TEXT: Final = 1000

SIZES: Final = {code: struct.calcsize(f"<{code}") for code in "bBhHiIqQf"}
"""Bytes of the numbers in a table, by their type in the struct module."""


@dataclass(slots=True)
class Buffer:
    """The bytes of a flatbuffer, and how much of it may still be read (BundleError beyond)."""

    content: bytes = field(repr=False)
    left: int = _BUDGET

    def root(self) -> "Table":
        """The root table."""
        return Table(self, self.follow(0))

    def unpack(self, code: str, place: int, count: int = 1) -> tuple[int | float, ...]:
        """``count`` little-endian values of the struct module's type ``code`` at ``place``."""
        size = count * SIZES[code]
        self.spend(size)
        if place < 0 or place + size > len(self.content):
            raise BundleError("the network is damaged: an offset in it leads outside")
        return struct.unpack_from(f"<{count}{code}", self.content, place)

    def spend(self, size: int) -> None:
        """Take ``size`` bytes off what may still be read."""
        self.left -= size
        if self.left < 0:
            raise BundleError("the network is damaged: its tables are too large or too many")

    def follow(self, place: int) -> int:
        """Where the offset at ``place`` leads: always forward."""
        return place + int(self.unpack("I", place)[0])


@dataclass(frozen=True, slots=True)
class Table:
    """A table at ``place``; fields go by their number in the schema."""

    buffer: Buffer
    place: int

    def number(self, index: int, code: str, default: int = 0) -> int:
        """An integer field (or a boolean as 0 or 1)."""
        found = self.where(index, SIZES[code])
        return int(self.buffer.unpack(code, found)[0]) if found else default

    def real(self, index: int, default: float = 0.0) -> float:
        """A float32 field."""
        found = self.where(index, 4)
        return float(self.buffer.unpack("f", found)[0]) if found else default

    def numbers(self, index: int, code: str) -> tuple[int, ...] | None:
        """A vector of integers, None where it is absent."""
        values = self._vector(index, code)
        return None if values is None else tuple(map(int, values))

    def reals(self, index: int) -> tuple[float, ...]:
        """A vector of float32, empty where it is absent."""
        return tuple(map(float, self._vector(index, "f") or ()))

    def text(self, index: int) -> str:
        """A string's first 1000 bytes, empty where it is absent; what is no UTF-8 is replaced."""
        return bytes(self.data(index)[:_LONGEST_TEXT]).decode("utf-8", "replace")

    def data(self, index: int) -> memoryview:
        """A vector of bytes, not copied, empty where it is absent."""
        start, count = self.span(index)
        if count and start + count > len(self.buffer.content):
            raise BundleError("the network is damaged: a length in it is too large")
        return memoryview(self.buffer.content)[start : start + count]

    def length(self, index: int) -> int:
        """How many entries a vector says it has."""
        return self.span(index)[1]

    def has(self, index: int) -> bool:
        """Whether the field is there."""
        return self.where(index, 1) != 0

    def table(self, index: int) -> "Table | None":
        """A table, None where it is absent."""
        found = self.where(index, 4)
        return Table(self.buffer, self.buffer.follow(found)) if found else None

    def tables(self, index: int, most: int) -> list["Table"]:
        """A vector of tables (BundleError if there are more than ``most``)."""
        start, count = self.span(index)
        if count > most:
            raise BundleError(f"the network is too large: {count} entries, {most} are read")
        places = range(start, start + 4 * count, 4)
        return [Table(self.buffer, self.buffer.follow(place)) for place in places]

    def _vector(self, index: int, code: str) -> tuple[int | float, ...] | None:
        start, count = self.span(index)
        return self.buffer.unpack(code, start, count) if start else None

    def span(self, index: int) -> tuple[int, int]:
        """Where a vector's entries start, and how many there are; (0, 0) where it is absent."""
        if not (found := self.where(index, 4)):
            return 0, 0
        start = self.buffer.follow(found)
        return start + 4, int(self.buffer.unpack("I", start)[0])

    def fields(self) -> int:
        """How many fields the table could have by its vtable."""
        return (int(self._vtable()[1]) - 4) // 2

    def where(self, index: int, size: int) -> int:
        """Where a field of ``size`` bytes lies, 0 where it is absent."""
        vtable, length, span = self._vtable()
        if 4 + 2 * index + 2 > length:
            return 0
        offset = int(self.buffer.unpack("H", vtable + 4 + 2 * index)[0])
        if offset and offset + size > span:
            raise BundleError("the network is damaged: a field lies outside of its table")
        return self.place + offset if offset else 0

    def _vtable(self) -> tuple[int, int, int]:
        """Where the vtable is, its length, and the table's."""
        vtable = self.place - int(self.buffer.unpack("i", self.place)[0])
        length, span = self.buffer.unpack("H", vtable, 2)
        if vtable % 2 or length % 2 or length < 4 or self.place + span > len(self.buffer.content):
            raise BundleError("the network is damaged: a table in it is misplaced")
        return vtable, int(length), int(span)
