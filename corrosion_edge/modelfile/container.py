"""The bytes of a model file: a TFLite flatbuffer with a ZIP archive of plain members behind it.

There is exactly one way to write given content, field by field of PKWARE's APPNOTE 6.3.10
(sections 4.3.7, 4.3.12, 4.3.16): members stored one after the other, no gap, extra field,
comment or ZIP64, every date 1980-01-01. A file that differs from it in one bit is refused, so
that no two programs can read different things from it, and nothing can hide in it. Python's own
``zipfile`` writes the same today; its choices are not promised, and a signature must be.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from corrosion_edge.errors import BundleError

__all__ = ["MAX_FILE", "MAX_MEMBER", "MAX_MEMBERS", "Container", "require_name"]

MAX_FILE: Final = 256 * 2**20
"""Largest model file that is read, in bytes."""

MAX_MEMBER: Final = 32 * 2**20
"""Largest member of the archive that is read, in bytes."""

MAX_MEMBERS: Final = 64
"""Most members an archive may have."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_LONGEST_NAME = 100

_VERSION, _DATE, _UNIX, _MODE = 20, 0x0021, 3, 0o600 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_ENTRY_SIGNATURE, _END_SIGNATURE = b"PK\1\2", b"PK\5\6"


@dataclass(frozen=True, slots=True)
class Container:
    """A flatbuffer and the members behind it, in the file's order.

    ``members`` are pairs of a name and its content. Names are relative paths of letters, digits
    and ``._-``, no part of which starts with a dot; none occurs twice. ValueError otherwise.
    """

    model: bytes = field(repr=False)
    members: tuple[tuple[str, bytes], ...] = field(repr=False)

    def __post_init__(self) -> None:
        names = [name for name, _ in self.members]
        for name in names:
            require_name(name)
        if len(set(names)) != len(names) or len(names) > MAX_MEMBERS:
            raise ValueError(f"members: expected up to {MAX_MEMBERS} different names, got {names}")
        if any(len(content) > MAX_MEMBER for _, content in self.members):
            raise ValueError(f"members: expected at most {MAX_MEMBER} bytes each")

    def get(self, name: str) -> bytes | None:
        """A member's content, None if there is none of that name."""
        return dict(self.members).get(name)

    def to_bytes(self) -> bytes:
        """The file's content, the same bytes for the same content."""
        return b"".join(self._pieces())

    @classmethod
    def from_bytes(cls, content: bytes) -> "Container":
        """Take a model file apart (BundleError unless ``to_bytes`` would give ``content`` again).

        Needs memory for the content once more, whatever it says of itself.
        """
        if len(content) > MAX_FILE:
            raise BundleError(f"larger than {MAX_FILE} bytes")
        if content[4:8] != b"TFL3":
            raise BundleError("not a TFLite model")
        try:
            found = _parse(content)
        except BundleError:
            raise
        except ValueError as error:
            raise BundleError(f"not as this program writes it ({error})") from None
        if not found._ends(content):
            raise BundleError(
                "not as this program writes it: something in it is hidden, doubled, left over or "
                "damaged"
            )
        return found

    def _ends(self, content: bytes) -> bool:
        """Whether ``content``, which its model was cut from, goes on as this would be written."""
        place = len(self.model)
        for piece in islice(self._pieces(), 1, None):
            # A memoryview would be compared byte by byte: 20 ms where this takes 1.
            if not content.startswith(piece, place):
                return False
            place += len(piece)
        return place == len(content)

    def _pieces(self) -> Iterator[bytes]:
        yield self.model
        place, directory = len(self.model), []
        for name, content in self.members:
            title, facts = name.encode(), (zlib.crc32(content), len(content), len(content))
            head = _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, *facts, len(title), 0)
            yield head + title
            yield content
            made = (_UNIX << 8) | _VERSION
            entry = (made, _VERSION, 0, 0, 0, _DATE, *facts, len(title), 0, 0, 0, 0, _MODE, place)
            directory.append(_ENTRY.pack(_ENTRY_SIGNATURE, *entry) + title)
            place += len(head) + len(title) + len(content)
        count, length = len(directory), sum(map(len, directory))
        yield b"".join(directory)
        yield _END.pack(_END_SIGNATURE, 0, 0, count, count, length, place, 0)


def require_name(name: str) -> None:
    """ValueError unless ``name`` can name a member."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(f"a member's name: expected a plain relative path, got {name!r:.120}")


def _parse(content: bytes) -> Container:
    """What the archive's directory lists; whether all of it is true, ``_ends`` finds out."""
    if len(content) < _END.size or content[-_END.size :][:4] != _END_SIGNATURE:
        raise BundleError("truncated, damaged, or without a manifest")
    _, _, _, _, count, length, place, _ = _END.unpack(content[-_END.size :])
    if place + length + _END.size != len(content) or not 1 <= count <= MAX_MEMBERS:
        raise ValueError(f"expected a directory of 1 to {MAX_MEMBERS} members at its end")
    members: list[tuple[str, bytes]] = []
    end, first = place + length, place
    for _ in range(count):
        name, offset, size, place = _entry(content, place, end)
        start = offset + _LOCAL.size + len(name)
        if start + size > len(content) or sum(len(c) for _, c in members) + size > len(content):
            raise ValueError(f"member {name!r} is longer than the file")
        members.append((name, content[start : start + size]))
        first = min(first, offset)
    return Container(content[:first], tuple(members))


def _entry(content: bytes, place: int, end: int) -> tuple[str, int, int, int]:
    """Name, offset and size of the member listed at ``place``, and where the next one is."""
    if place + _ENTRY.size > end:
        raise ValueError("its directory is cut")
    (kind, _, _, flags, method, _, _, _, packed, size, length, _, _, _, _, _, offset) = (
        _ENTRY.unpack_from(content, place)
    )
    name = content[place + _ENTRY.size : min(end, place + _ENTRY.size + length)]
    if kind != _ENTRY_SIGNATURE or not name.isascii():
        raise ValueError("its directory is damaged")
    if flags or method or packed != size or size > MAX_MEMBER:
        raise ValueError(
            f"member {name.decode()!r:.120} is compressed, encrypted or larger than {MAX_MEMBER} B"
        )
    return name.decode(), offset, size, place + _ENTRY.size + length
