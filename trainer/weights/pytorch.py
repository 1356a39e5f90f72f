"""Reads arrays from PyTorch's files before 1.6 (a pickle, then raw numbers); executes nothing.

This is no unpickler: it knows the two dozen instructions that such a file of weights needs, on
text, whole numbers, tuples and dictionaries. Four names of classes are recognised as words, and
nothing is imported or called. Other instructions and names are refused.
"""

import io
import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge.errors import WeightsError

__all__ = ["read_pytorch"]

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_INSTRUCTIONS = 200_000
"""More than ten times what EfficientNet-Lite0 takes."""

_ORDERED = "collections OrderedDict"
_REBUILD = "torch._utils _rebuild_tensor_v2"
_KINDS: Final = {"torch FloatStorage": "<f4", "torch LongStorage": "<i8"}


@dataclass(frozen=True, slots=True)
class _Word:
    """A name that the file may use; a word, not the thing it names."""

    name: str


@dataclass(frozen=True, slots=True)
class _Storage:
    """Numbers in a row that follow the pickles: their key, type and count."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage; ``shape`` and ``strides`` count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError("a shape that is none")
        if len(self.shape) != len(self.strides) or len(self.shape) > 8:
            raise ValueError("a shape without fitting strides")
        last = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        size = math.prod(self.shape)
        if not 0 < size <= self.storage.count or self.offset + last >= self.storage.count:
            raise ValueError("a shape larger than its numbers")

    def array(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The view, read-only."""
        steps = [step * numbers.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, steps, writeable=False
        )


def read_pytorch(content: bytes, label: str) -> dict[str, npt.NDArray[Any]]:
    """Arrays by PyTorch name from the bytes of a ``.pth`` file; ``label`` names it in errors.

    Values are float32 or int64 and views of ``content``: no size that the file claims takes
    memory. WeightsError if the file is another format, damaged, or holds anything but arrays.
    """
    try:
        return _read(io.BytesIO(content), content)
    except (ValueError, IndexError, KeyError) as error:
        raise WeightsError(
            f"{label}: not a PyTorch file of weights that can be read safely ({str(error)[:120]})"
        ) from None


def _read(stream: io.BytesIO, content: bytes) -> dict[str, npt.NDArray[Any]]:
    if _load(stream) != _MAGIC or _load(stream) != _PROTOCOL:
        raise ValueError("not the format of PyTorch before 1.6")
    system = _load(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("not little-endian")
    tensors = _load(stream)
    if not isinstance(tensors, dict) or not all(type(t) is _Tensor for t in tensors.values()):
        raise ValueError("not a dictionary of arrays")
    numbers = _storages(stream, content, {t.storage.key: t.storage for t in tensors.values()})
    return {name: tensor.array(numbers[tensor.storage]) for name, tensor in tensors.items()}


def _storages(
    stream: io.BytesIO, content: bytes, wanted: dict[str, _Storage]
) -> dict[_Storage, npt.NDArray[Any]]:
    """The numbers of each storage: a count of 8 bytes, then that many, in the keys' order."""
    keys = _load(stream)
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise ValueError("no list of what follows")
    found = {}
    for key in keys:
        storage = wanted.pop(key)
        count = int.from_bytes(stream.read(8), "little")
        if count != storage.count:
            raise ValueError("another count of numbers than was named")
        found[storage] = np.frombuffer(content, storage.dtype, count, stream.tell())
        stream.seek(found[storage].nbytes, io.SEEK_CUR)
    if stream.tell() != len(content):
        raise ValueError("bytes that belong to nothing")
    return found


def _load(stream: io.BytesIO) -> object:
    """One pickle's value."""
    machine = _Machine()
    for count, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
        if instruction.name not in _DO or count > _INSTRUCTIONS:
            raise ValueError(f"instruction {instruction.name} is not expected")
        _DO[instruction.name](machine, argument)
    return machine.pop()


class _Machine:
    """The stack, its marks and the memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"no {kind.__name__} where one is expected")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def last(self, count: int) -> None:
        """Make a tuple of the last values."""
        self.push(tuple(self.pop() for _ in range(count))[::-1])

    def append(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def set_items(self, values: list[Any]) -> None:
        """Names and values by turns, into the dictionary below them."""
        target, pairs = self.top(dict), iter(values)
        for key, value in zip(pairs, pairs, strict=True):
            if type(key) is not str:  # hashing a nested tuple could take for ever
                raise ValueError("a key that is no text")
            target[key] = value

    def name(self, argument: str) -> None:
        if argument not in (_ORDERED, _REBUILD, *_KINDS):
            raise ValueError(f"it asks for {argument[:60]!r}")
        self.push(_Word(argument))

    def storage(self, _: object) -> None:
        match self.pop():
            case ("storage", _Word(name), str(key), str(), int(count), None) if name in _KINDS:
                self.push(_Storage(key, _KINDS[name], count))
            case _:
                raise ValueError("a reference to something else than numbers")

    def rebuild(self, _: object) -> None:
        """The two calls that a file of weights asks for; both are answered with plain values."""
        arguments, word = self.pop(), self.pop()
        match word, arguments:
            case _Word(name), () if name == _ORDERED:
                self.push({})
            case _Word(name), (
                _Storage() as storage, int(offset), tuple(shape), tuple(strides), bool(), _
            ) if name == _REBUILD:  # fmt: skip
                self.push(_Tensor(storage, offset, shape, strides))
            case _:
                raise ValueError("a call that is not expected")

    def leave_state(self, _: object) -> None:
        """Attributes of the dictionary: PyTorch notes its version there."""
        self.pop()
        self.top(dict)


_DO: Final[dict[str, Callable[[_Machine, Any], object]]] = {
    "PROTO": lambda m, _: None,
    "STOP": lambda m, _: None,
    "BININT": _Machine.push,
    "BININT1": _Machine.push,
    "BININT2": _Machine.push,
    "LONG1": _Machine.push,
    "BINUNICODE": _Machine.push,
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.last(1),
    "TUPLE2": lambda m, _: m.last(2),
    "TUPLE3": lambda m, _: m.last(3),
    "APPEND": lambda m, _: m.append([m.pop()]),
    "APPENDS": lambda m, _: m.append(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "BINGET": lambda m, place: m.push(m.memo[place]),
    "LONG_BINGET": lambda m, place: m.push(m.memo[place]),
    "GLOBAL": _Machine.name,
    "BINPERSID": _Machine.storage,
    "REDUCE": _Machine.rebuild,
    "BUILD": _Machine.leave_state,
}
"""What each instruction that is known does."""
