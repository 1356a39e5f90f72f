"""Mutations of a TFLite flatbuffer: bits of its structure, and fields of its tables."""

import copy
import struct
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from networks import pack, unpack

__all__ = ["mutate"]

WEIRD = (-(2**31), -65536, -1000, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 100, 255, 1000, 4096, 65535,
         65536, 2**20, 2**24, 2**30, 2**31 - 1)  # fmt: skip
REALS = (0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e38, 1e-38, 1e-45, 0.5, 3.0, -0.0)


def mutate(model: bytes, rng: Random) -> tuple[str, bytes]:
    """One to three mutations, and what they were."""
    if rng.random() < 0.3:
        return "bits", _bits(model, rng)
    for _ in range(20):
        whole = unpack(model)
        try:
            said = [_change(whole, rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
            return "; ".join(said), pack(whole)
        except (struct.error, TypeError, OverflowError, ValueError, AttributeError, IndexError,
                AssertionError):  # fmt: skip
            continue  # the builder refuses it; an attacker would use "bits"
    return "bits", _bits(model, rng)


def _bits(model: bytes, rng: Random) -> bytes:
    """Flip bits or set words, outside long constants."""
    changed = bytearray(model)
    places = _structure(model)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.choice(places)
        kind = rng.randrange(3)
        if kind == 0:
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[place] = rng.randrange(256)
        else:
            place = min(place & ~3, len(changed) - 4)
            value = rng.choice((*WEIRD, rng.randrange(len(model)), -rng.randrange(len(model))))
            changed[place : place + 4] = struct.pack("<i", value)
    changed[4:8] = b"TFL3"
    return bytes(changed)


_KNOWN: dict[bytes, list[int]] = {}


def _structure(model: bytes) -> list[int]:
    if model not in _KNOWN:
        free = np.ones(len(model), bool)
        for buffer in unpack(model).buffers:
            if buffer.data is not None and len(buffer.data) > 64:
                start = model.find(bytes(bytearray(buffer.data)))
                free[start : start + len(buffer.data)] = False
        _KNOWN[model] = np.flatnonzero(free).tolist()
    return _KNOWN[model]


def _change(model: Any, rng: Random) -> str:
    change = rng.choice(CHANGES)
    return f"{change.__name__[1:]}={change(model, rng)}"


def _some_tensor(model: Any, rng: Random) -> Any:
    return rng.choice(model.subgraphs[0].tensors)


def _some_op(model: Any, rng: Random) -> Any:
    return rng.choice(model.subgraphs[0].operators)


def _vector(values: Any, rng: Random, other: tuple[Any, ...], dtype: Any) -> Any:
    """A vector with an element changed, added, taken out, or none at all."""
    items = [] if values is None else [x.item() for x in np.asarray(values)]
    kind = rng.randrange(5)
    if kind == 0 or not items:
        items.insert(rng.randint(0, len(items)), rng.choice(other))
    elif kind == 1:
        del items[rng.randrange(len(items))]
    elif kind == 2 and rng.random() < 0.3:
        return None
    else:
        items[rng.randrange(len(items))] = rng.choice(other)
    return np.array(items, dtype)


def _shape(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    tensor.shape = _vector(tensor.shape, rng, WEIRD, np.int32)
    return tensor.shape


def _signature(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    tensor.shapeSignature = _vector(tensor.shape, rng, WEIRD, np.int32)
    return tensor.shapeSignature


def _dtype(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    tensor.type = rng.randrange(-1, 22)
    return tensor.type


def _tensor_buffer(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    tensor.buffer = rng.choice((rng.randrange(len(model.buffers)), rng.choice(WEIRD) & 0xFFFFFFFF))
    return tensor.buffer


def _swapped_tensors(model: Any, rng: Random) -> Any:
    tensors = model.subgraphs[0].tensors
    a, b = rng.randrange(len(tensors)), rng.randrange(len(tensors))
    tensors[a], tensors[b] = tensors[b], tensors[a]
    return a, b


def _flags(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    name = rng.choice(("isVariable", "hasRank"))
    setattr(tensor, name, not getattr(tensor, name))
    return name


def _quantization(model: Any, rng: Random) -> Any:
    tensor = _some_tensor(model, rng)
    if tensor.quantization is None or rng.random() < 0.1:
        tensor.quantization = None
        return None
    tensor.quantization = found = copy.copy(tensor.quantization)
    kind = rng.randrange(4)
    if kind == 3 and found.scale is not None and len(found.scale):
        scales = np.array(found.scale, np.float32)
        with np.errstate(over="ignore"):
            scales[rng.randrange(len(scales))] *= np.float32(10 ** rng.uniform(-9, 9))
        found.scale = scales
        return found.scale
    if kind == 0:
        found.scale = _vector(found.scale, rng, REALS, np.float32)
        return found.scale
    if kind == 1:
        found.zeroPoint = _vector(found.zeroPoint, rng, (*WEIRD, 2**40, -(2**62)), np.int64)
        return found.zeroPoint
    found.quantizedDimension = rng.choice(WEIRD)
    return found.quantizedDimension


def _ends(model: Any, rng: Random) -> Any:
    graph = model.subgraphs[0]
    name = rng.choice(("inputs", "outputs"))
    other = (*WEIRD, *range(len(graph.tensors)))
    setattr(graph, name, _vector(getattr(graph, name), rng, other, np.int32))
    return name, getattr(graph, name)


def _wiring(model: Any, rng: Random) -> Any:
    op = _some_op(model, rng)
    name = rng.choice(("inputs", "outputs", "inputs", "outputs", "intermediates"))
    other = (*WEIRD, *range(len(model.subgraphs[0].tensors))) * 1
    setattr(op, name, _vector(getattr(op, name), rng, other, np.int32))
    return name, getattr(op, name)


def _opcode_index(model: Any, rng: Random) -> Any:
    op = _some_op(model, rng)
    other = rng.choice((rng.randrange(len(model.operatorCodes)), rng.choice(WEIRD) & 0xFFFFFFFF))
    op.opcodeIndex = other
    return other


def _opcode(model: Any, rng: Random) -> Any:
    code = rng.choice(model.operatorCodes)
    code.builtinCode = rng.choice((rng.randrange(-1, 212), rng.choice(WEIRD)))
    code.deprecatedBuiltinCode = min(max(code.builtinCode, -128), 127)
    if rng.random() < 0.2:
        code.customCode = rng.choice((b"edgetpu-custom-op", b"x", b""))
    return code.builtinCode


def _version(model: Any, rng: Random) -> Any:
    code = rng.choice(model.operatorCodes)
    code.version = rng.choice(WEIRD)
    return code.version


def _option(model: Any, rng: Random) -> Any:
    op = _some_op(model, rng)
    options = op.builtinOptions
    if options is None or rng.random() < 0.1:
        op.builtinOptions, op.builtinOptionsType = None, 0
        return "none"
    op.builtinOptions = options = copy.copy(options)
    name = rng.choice(list(vars(options)))
    old = getattr(options, name)
    if isinstance(old, bool):
        setattr(options, name, not old)
    elif isinstance(old, float):
        setattr(options, name, rng.choice(REALS))
    elif isinstance(old, int):
        setattr(options, name, rng.choice(WEIRD))
    else:
        setattr(options, name, _vector(old, rng, WEIRD, np.int32))
    return type(options).__name__, name, getattr(options, name)


def _other_options(model: Any, rng: Random) -> Any:
    """Another operator's options, or another name for the same bytes."""
    one, two = _some_op(model, rng), _some_op(model, rng)
    one.builtinOptions, one.builtinOptionsType = two.builtinOptions, two.builtinOptionsType
    if rng.random() < 0.5:
        one.builtinOptionsType = rng.randrange(1, 127)
    return one.builtinOptionsType


def _data(model: Any, rng: Random) -> Any:
    buffer = rng.choice(model.buffers)
    content = b"" if buffer.data is None else bytes(bytearray(buffer.data))
    kind = rng.randrange(5)
    if kind == 0:
        content = content[: rng.randint(0, len(content))]
    elif kind == 1:
        content += bytes(rng.choice((1, 4, 16, 1000)))
    elif kind == 2:
        content = b""
    else:
        place = rng.randrange(max(1, len(content) // 4)) * 4
        content = content[:place] + struct.pack("<i", rng.choice(WEIRD)) + content[place + 4 :]
    buffer.data = np.frombuffer(content, np.uint8) if content else None
    return kind, len(content)


def _outside(model: Any, rng: Random) -> Any:
    buffer = rng.choice(model.buffers)
    buffer.offset = rng.choice((0, 1, 2, 16, 2**20, 2**32, 2**63))
    buffer.size = rng.choice((0, 1, 16, 2**20, 2**40, 2**64 - 1))
    return buffer.offset, buffer.size


def _operators(model: Any, rng: Random) -> Any:
    graph = model.subgraphs[0]
    kind = rng.randrange(4)
    if kind == 0:
        graph.operators.append(copy.copy(_some_op(model, rng)))
    elif kind == 1:
        rng.shuffle(graph.operators)
    elif kind == 2:
        graph.operators.remove(_some_op(model, rng))
    else:
        graph.operators.insert(0, copy.copy(_some_op(model, rng)))
    return kind


def _graphs(model: Any, rng: Random) -> Any:
    if rng.random() < 0.3:
        model.subgraphs = []
    else:
        model.subgraphs.append(model.subgraphs[0])
    return len(model.subgraphs)


def _custom(model: Any, rng: Random) -> Any:
    op = _some_op(model, rng)
    op.customOptions = np.frombuffer(rng.randbytes(16), np.uint8)
    op.largeCustomOptionsOffset = rng.choice((0, 1, 100, 2**40))
    op.largeCustomOptionsSize = rng.choice((0, 1, 100, 2**40))
    op.mutatingVariableInputs = np.array([True] * rng.choice((0, 1, 9)), bool)
    return op.largeCustomOptionsOffset, op.largeCustomOptionsSize


CHANGES: tuple[Callable[[Any, Random], Any], ...] = (
    _shape, _shape, _shape, _signature, _dtype, _dtype, _tensor_buffer, _swapped_tensors, _flags,
    _quantization, _quantization, _quantization, _ends, _wiring, _wiring, _wiring, _opcode_index,
    _opcode, _opcode, _version, _option, _option, _option, _option, _other_options, _data, _data,
    _data, _outside, _operators, _graphs, _custom,
)  # fmt: skip
