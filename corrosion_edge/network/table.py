"""Tables of a flatbuffer, read with every offset and length checked.

The format: https://flatbuffers.dev/internals/. A table starts with the distance back to its
vtable; the vtable holds its own length, the table's, and for each field its place in the table,
0 for one that is absent. The ``flatbuffers`` package has no verifier for Python and follows
whatever it reads.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, cast

from corrosion_edge.errors import BundleError

__all__ = ["SIZES", "Buffer", "Table"]

_OUTSIDE: Final = "the network is damaged: an offset in it leads outside"
_MISPLACED: Final = "the network is damaged: a table in it is misplaced"

_BUDGET: Final = 20_000_000
"""Most bytes' worth of vectors that are read: shared tables could be read without end."""

_LONGEST_TEXT: Final = 1000
_MOST_FIELDS: Final = 64  # of a table that are kept: the schema's largest has 14
_LAYOUT_COST: Final = 16  # of what may be read, for each byte of a vtable that is kept

_READERS: Final = {code: struct.Struct(f"<{code}") for code in "bBhHiIqQf"}
SIZES: Final = {code: reader.size for code, reader in _READERS.items()}
"""Bytes of the numbers in a table, by their type in the struct module."""

_OFFSET, _BACK, _LENGTHS = _READERS["I"], _READERS["i"], struct.Struct("<HH")


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a vtable says: how many fields, the table's bytes, and where its first fields lie."""

    count: int
    span: int
    offsets: tuple[int, ...]


@dataclass(slots=True)
class Buffer:
    """The bytes of a flatbuffer, and how much of it may still be read (BundleError beyond)."""

    content: bytes = field(repr=False)
    left: int = _BUDGET
    _layouts: dict[int, _Layout] = field(default_factory=dict, repr=False, compare=False)

    def root(self) -> "Table":
        """The root table."""
        return self.table(self.follow(0))

    def table(self, place: int) -> "Table":
        """The table at ``place``. Tables of the same fields share a vtable, which is read once."""
        self.spend(4)
        if not 0 <= place <= len(self.content) - 4:
            raise BundleError(_OUTSIDE)
        where = place - _BACK.unpack_from(self.content, place)[0]
        layout = self._layouts.get(where)
        if layout is None:
            layout = self._layouts[where] = self._layout(where)
        if place + layout.span > len(self.content):
            raise BundleError(_MISPLACED)
        return Table(self, place, layout)

    def _layout(self, where: int) -> _Layout:
        length, span = self.unpack("H", where, 2)
        if where % 2 or length % 2 or length < 4:
            raise BundleError(_MISPLACED)
        count = (int(length) - 4) // 2
        kept = min(count, _MOST_FIELDS)
        self.spend(_LAYOUT_COST * 2 * kept)
        offsets = self.unpack("H", where + 4, kept)
        return _Layout(count, int(span), tuple(map(int, offsets)))

    def unpack(self, code: str, place: int, count: int) -> tuple[int | float, ...]:
        """``count`` little-endian values of the struct module's type ``code`` at ``place``."""
        size = count * SIZES[code]
        self.spend(size)
        if place < 0 or place + size > len(self.content):
            raise BundleError(_OUTSIDE)
        return struct.unpack_from(f"<{count}{code}", self.content, place)

    def spend(self, size: int) -> None:
        """Take ``size`` bytes off what may still be read."""
        self.left -= size
        if self.left < 0:
            raise BundleError("the network is damaged: its tables are too large or too many")

    def follow(self, place: int) -> int:
        """Where the offset at ``place`` leads: always forward."""
        self.left -= 4
        if self.left < 0 or not 0 <= place <= len(self.content) - 4:
            raise BundleError(_OUTSIDE)
        return place + int(_OFFSET.unpack_from(self.content, place)[0])

    def vector(self, place: int) -> tuple[int, int]:
        """Where the entries of the vector start that the offset at ``place`` leads to; how many."""
        start = self.follow(place)
        self.left -= 4
        if self.left < 0 or start > len(self.content) - 4:
            raise BundleError(_OUTSIDE)
        return start + 4, int(_OFFSET.unpack_from(self.content, start)[0])


@dataclass(slots=True)
class Table:
    """A table at ``place``; fields go by their number in the schema."""

    buffer: Buffer
    place: int
    layout: _Layout = field(repr=False, compare=False)

    def number(self, index: int, code: str, default: int = 0) -> int:
        """An integer field (or a boolean as 0 or 1)."""
        reader = _READERS[code]
        found = self.where(index, reader.size)
        return int(reader.unpack_from(self.buffer.content, found)[0]) if found else default

    def real(self, index: int, default: float = 0.0) -> float:
        """A float32 field."""
        found = self.where(index, 4)
        return float(_READERS["f"].unpack_from(self.buffer.content, found)[0]) if found else default

    def numbers(self, index: int, code: str) -> tuple[int, ...] | None:
        """A vector of integers, None where it is absent."""
        return cast("tuple[int, ...] | None", self._vector(index, code))

    def reals(self, index: int) -> tuple[float, ...]:
        """A vector of float32, empty where it is absent."""
        return self._vector(index, "f") or ()

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
        return self.buffer.table(self.buffer.follow(found)) if found else None

    def tables(self, index: int, most: int) -> list["Table"]:
        """A vector of tables (BundleError if there are more than ``most``)."""
        start, count = self.span(index)
        if count > most:
            raise BundleError(f"the network is too large: {count} entries, {most} are read")
        offsets = self.buffer.unpack("I", start, count)
        places = range(start, start + 4 * count, 4)
        return [self.buffer.table(p + int(o)) for p, o in zip(places, offsets, strict=True)]

    def _vector(self, index: int, code: str) -> tuple[int | float, ...] | None:
        start, count = self.span(index)
        return self.buffer.unpack(code, start, count) if start else None

    def span(self, index: int) -> tuple[int, int]:
        """Where a vector's entries start, and how many there are; (0, 0) where it is absent."""
        if not (found := self.where(index, 4)):
            return 0, 0
        return self.buffer.vector(found)

    def fields(self) -> int:
        """How many fields the table could have by its vtable."""
        return self.layout.count

    def where(self, index: int, size: int) -> int:
        """Where a field of ``size`` bytes lies, 0 where it is absent."""
        offsets = self.layout.offsets
        offset = offsets[index] if index < len(offsets) else 0
        if offset + size > self.layout.span and offset:
            raise BundleError("the network is damaged: a field lies outside of its table")
        return self.place + offset if offset else 0
