"""Flatbuffer tables written from their description, where no generated code is at hand.

Format: https://flatbuffers.dev/internals/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import flatbuffers
import numpy as np
import numpy.typing as npt
from flatbuffers import number_types

__all__ = ["Table", "encode"]

_FLAGS: Final = {
    np.int8: number_types.Int8Flags,
    np.uint8: number_types.Uint8Flags,
    np.int32: number_types.Int32Flags,
    np.uint32: number_types.Uint32Flags,
}
_OFFSET_BYTES: Final = 4
_ALIGNMENT: Final = 16
"""Of content in bytes, as TensorFlow Lite's own writer has it, so that kernels may load whole
vectors of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """Values of a table by the places of their fields in the schema, from 0.

    A union takes two places: its type, uint8, and then its table. Numbers are NumPy scalars of
    the type that the schema names, vectors of numbers are arrays of it, content is bytes.
    """

    fields: Mapping[int, "_Value"] = field(default_factory=dict)


_Number = np.int8 | np.uint8 | np.int32 | np.uint32
_Pointed = str | bytes | Table | Sequence[str] | Sequence[Table] | npt.NDArray[Any]
_Value = _Number | _Pointed


def encode(root: Table, identifier: bytes) -> bytes:
    """A flatbuffer with ``root`` and a file identifier of four bytes."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, root), identifier)
    return bytes(builder.Output())


def _table(builder: flatbuffers.Builder, table: Table) -> int:
    # What a table points at must be written before it.
    places = {
        slot: _referred(builder, value)
        for slot, value in table.fields.items()
        if not isinstance(value, _Number)
    }
    builder.StartObject(max(table.fields, default=-1) + 1)
    for slot, value in table.fields.items():
        if isinstance(value, _Number):
            builder.PrependSlot(_FLAGS[type(value)], slot, int(value), 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, places[slot], 0)
    return int(builder.EndObject())


def _content(builder: flatbuffers.Builder, content: bytes) -> int:
    builder.StartVector(1, len(content), _ALIGNMENT)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return int(builder.EndVector())


def _referred(builder: flatbuffers.Builder, value: _Pointed) -> int:
    if isinstance(value, Table):
        return _table(builder, value)
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, np.ndarray):
        return int(builder.CreateNumpyVector(value))
    if isinstance(value, bytes):
        return _content(builder, value)
    places = [_referred(builder, entry) for entry in value]
    builder.StartVector(_OFFSET_BYTES, len(places), _OFFSET_BYTES)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())
