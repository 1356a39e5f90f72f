"""A TFLite file read as a list of ops, without an interpreter and without trust in the file."""

import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from corrosion_edge.errors import BundleError
from corrosion_edge.quantize.edgetpu.graph import Graph, Op, Tensor

__all__ = ["read"]

_IDENTIFIER: Final = b"TFL3"
_MOST: Final[Mapping[str, int]] = {
    "operators": 100_000,
    "tensors": 1_000_000,
    "operator codes": 10_000,
    "buffers": 1_000_000,
    "tensor references": 5_000_000,
    "dimensions": 32,
    "bytes of names": 64_000_000,
}
"""What a file may hold; a hostile one could claim billions and keep a reader busy."""

_DAMAGE: Final = (
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    AttributeError,
)
"""What the generated reader raises on offsets and types that cannot be."""


def read(model: bytes, name: str = "the model") -> Graph:
    """The first subgraph of a TFLite flatbuffer; bytes behind the flatbuffer are ignored.

    Raises :class:`BundleError` on a file that is no TFLite model, or a damaged one.
    """
    if model[4:8] != _IDENTIFIER:
        raise BundleError(f"{name} is no TFLite model: expected TFL3 at byte 4")
    try:
        return _Reader(model).graph()
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from error
    except _DAMAGE as error:
        raise BundleError(f"{name} cannot be read as a TFLite model; it is damaged") from error


class _Reader:
    """One reading of one file: what is shared while the ops are made."""

    def __init__(self, model: bytes) -> None:
        self._bytes = model
        self._net = schema.Model.GetRootAs(model, 0)
        if not self._net.SubgraphsLength():
            raise BundleError("it has no subgraph; the file is damaged")
        _few(self._net.BuffersLength(), "buffers")
        _few(self._net.OperatorCodesLength(), "operator codes")
        self._graph = self._net.Subgraphs(0)
        _few(self._graph.TensorsLength(), "tensors")
        self._references = self._letters = 0
        self._codes = [self._code(i) for i in range(self._net.OperatorCodesLength())]
        self._tensors = [self._tensor(i) for i in range(self._graph.TensorsLength())]

    def graph(self) -> Graph:
        inputs = self._pick(self._graph.InputsAsNumpy())
        ops = tuple(self._ops())
        _in_order(ops)
        outputs = self._pick(self._graph.OutputsAsNumpy())
        if None in inputs or None in outputs:
            raise BundleError("an input or output has no tensor; the file is damaged")
        return Graph(
            inputs=tuple(t for t in inputs if t),
            outputs=tuple(t for t in outputs if t),
            ops=ops,
            subgraphs=self._net.SubgraphsLength(),
        )

    def _ops(self) -> Iterator[Op]:
        _few(self._graph.OperatorsLength(), "operators")
        for index in range(self._graph.OperatorsLength()):
            packed = self._graph.Operators(index)
            name, version, custom = self._codes[packed.OpcodeIndex()]
            outputs = self._pick(packed.OutputsAsNumpy())
            yield Op(
                index=index,
                name=name,
                version=version,
                inputs=self._pick(packed.InputsAsNumpy()),
                outputs=tuple(t for t in outputs if t),
                custom=custom,
                options=_options(packed),
            )

    def _pick(self, places: Any) -> tuple[Tensor | None, ...]:
        chosen = _list(places)
        self._references += len(chosen)
        _few(self._references, "tensor references")
        if any(not -1 <= place < len(self._tensors) for place in chosen):
            raise BundleError("an op names a tensor that is not there; the file is damaged")
        return tuple(None if place == -1 else self._tensors[place] for place in chosen)

    def _tensor(self, index: int) -> Tensor:
        packed = self._graph.Tensors(index)
        _few(max(packed.ShapeLength(), packed.ShapeSignatureLength()), "dimensions")
        scaling = packed.Quantization()
        return Tensor(
            index=index,
            name=self._text(packed.Name()),
            type=_names(schema.TensorType).get(packed.Type(), f"TYPE_{packed.Type()}"),
            shape=tuple(_list(packed.ShapeAsNumpy())),
            free=min(_list(packed.ShapeSignatureAsNumpy()), default=0) < 0,
            variable=bool(packed.IsVariable()),
            zero_point=scaling.ZeroPoint(0) if scaling and scaling.ZeroPointLength() else 0,
            buffer=packed.Buffer(),
            data=self._data(packed.Buffer()),
        )

    def _data(self, index: int) -> NDArray[np.uint8] | None:
        if index >= self._net.BuffersLength():
            raise BundleError("a tensor names a buffer that is not there; the file is damaged")
        packed = self._net.Buffers(index)
        start, size = packed.Offset(), packed.Size()
        if start > 1:  # a buffer beside the flatbuffer, for models above 2 GB
            if start + size > len(self._bytes):
                raise BundleError("a buffer ends behind the file's end; the file is truncated")
            return np.frombuffer(self._bytes, np.uint8, size, start)
        data = packed.DataAsNumpy()
        return data if isinstance(data, np.ndarray) and data.size else None

    def _code(self, index: int) -> tuple[str, int, str]:
        packed = self._net.OperatorCodes(index)
        code = max(packed.BuiltinCode(), packed.DeprecatedBuiltinCode())
        name = _names(schema.BuiltinOperator).get(code, f"BUILTIN_{code}")
        return name, packed.Version(), self._text(packed.CustomCode())

    def _text(self, letters: bytes | None) -> str:
        self._letters += len(letters or b"")
        _few(self._letters, "bytes of names")
        return (letters or b"").decode("utf-8", "replace")


def _options(packed: Any) -> Mapping[str, Any]:
    made = schema.BuiltinOptionsCreator(packed.BuiltinOptionsType(), packed.BuiltinOptions())
    return dict(vars(made)) if made is not None else {}


def _in_order(ops: tuple[Op, ...]) -> None:
    # TFLite runs ops in the file's order, so an op can only read what an earlier one made.
    made_by = {out.index: op.index for op in reversed(ops) for out in op.outputs}
    for op in ops:
        if any(made_by.get(t.index, -1) >= op.index for t in op.inputs if t):
            raise BundleError(
                f"op {op.index} ({op.title}) reads a tensor that is made later; the file is damaged"
            )


def _list(numbers: Any) -> list[int]:
    # The generated reader gives 0 where a vector is absent.
    return [int(n) for n in numbers] if isinstance(numbers, np.ndarray) else []


def _few(count: int, what: str) -> None:
    if count > _MOST[what]:
        raise BundleError(f"it claims {count} {what}, expected at most {_MOST[what]}")


_NAMES: dict[type, dict[int, str]] = {}


def _names(enumeration: type) -> dict[int, str]:
    if enumeration not in _NAMES:
        _NAMES[enumeration] = {v: k for k, v in vars(enumeration).items() if k.isupper()}
    return _NAMES[enumeration]
