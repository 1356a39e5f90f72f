"""Writes files as PyTorch before 1.6 did, with Python's own pickler and without PyTorch."""

import io
import pickle
import sys
import types
from collections import OrderedDict
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True,
          "type_sizes": {"short": 2, "int": 4, "long": 4}}  # fmt: skip


def _fake_modules() -> dict[str, types.ModuleType]:
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch", "__qualname__": name}))

    def rebuild() -> None:
        raise AssertionError("executed")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    return {"torch": torch, "torch._utils": utils}


MODULES = _fake_modules()


class Storage:
    def __init__(self, key: str, kind: str, count: int) -> None:
        self.reference = ("storage", getattr(MODULES["torch"], kind), key, "cpu", count, None)


class Tensor:
    """Pickles as a call that rebuilds a tensor; what it claims need not be true."""

    def __init__(self, storage: Storage, offset: Any, shape: Any, strides: Any) -> None:
        self.arguments: tuple[Any, ...] = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return MODULES["torch._utils"]._rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> Any:
        return value.reference if isinstance(value, Storage) else None


def pickled(value: object, protocol: int = 2) -> bytes:
    kept = {name: sys.modules.get(name) for name in MODULES}
    sys.modules.update(MODULES)
    try:
        stream = io.BytesIO()
        _Pickler(stream, protocol).dump(value)
        return stream.getvalue()
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def assemble(*parts: object, numbers: bytes = b"") -> bytes:
    """A file of pickles, each given as a value or as its bytes, and what follows them."""
    return b"".join(p if isinstance(p, bytes) else pickled(p) for p in parts) + numbers


def tensors_of(arrays: dict[str, np.ndarray]) -> tuple[OrderedDict[str, Tensor], bytes]:
    tensors: OrderedDict[str, Tensor] = OrderedDict()
    numbers = b""
    for place, (name, array) in enumerate(arrays.items()):
        if not (array.flags.c_contiguous or array.flags.f_contiguous):
            array = array.copy("C")  # noqa: PLW2901
        kind = {"f4": "FloatStorage", "i8": "LongStorage"}[array.dtype.str[1:]]
        strides = tuple(step // array.itemsize for step in array.strides)
        storage = Storage(str(place), kind, array.size)
        tensors[name] = Tensor(storage, 0, array.shape, strides)
        numbers += array.size.to_bytes(8, "little") + array.tobytes("A")
    return tensors, numbers


def torch_file(arrays: dict[str, np.ndarray]) -> bytes:
    """What ``torch.save`` of a state dictionary wrote."""
    tensors, numbers = tensors_of(arrays)
    tensors._metadata = OrderedDict([("", {"version": 1})])  # type: ignore[attr-defined]
    keys = [str(place) for place in range(len(arrays))]
    return assemble(MAGIC, 1001, SYSTEM, tensors, keys, numbers=numbers)
