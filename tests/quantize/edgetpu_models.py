"""TFLite flatbuffers made by hand, op by op, for the tests of the Edge TPU check."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {"INT8": np.int8, "UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64,
         "INT16": np.int16, "FLOAT32": np.float32}  # fmt: skip


class Net:
    """A graph in the making: ``tensor`` and ``op`` give indexes, ``pack`` the file."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors = []
        self.graph.operators = []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: tuple[int, ...],
        kind: str = "INT8",
        data: Any = None,
        zero_point: int = 0,
        signature: tuple[int, ...] | None = None,
    ) -> int:
        made = schema.TensorT()
        made.name = f"t{len(self.graph.tensors)}".encode()
        made.shape = np.array(shape, np.int32)
        made.type = getattr(schema.TensorType, kind)
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = np.array([0.1], np.float32)
        made.quantization.zeroPoint = np.array([zero_point], np.int64)
        if signature is not None:
            made.shapeSignature = np.array(signature, np.int32)
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.array(data, TYPES[kind]).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            made.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def numbers(self, *values: int) -> int:
        return self.tensor((len(values),), "INT32", values)

    def weights(self, *shape: int, kind: str = "INT8") -> int:
        return self.tensor(shape, kind, np.ones(shape))

    def op(
        self,
        name: str,
        inputs: list[int],
        outputs: list[int],
        *,
        version: int = 1,
        options: str = "",
        custom: str = "",
        **values: Any,
    ) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        code.customCode = custom.encode() or None
        self.model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.inputs = np.array(inputs, np.int32)
        made.outputs = np.array(outputs, np.int32)
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
            for key, value in values.items():
                assert hasattr(made.builtinOptions, key), key
                setattr(made.builtinOptions, key, value)
        self.graph.operators.append(made)
        return len(self.graph.operators) - 1

    def pack(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs = np.array(inputs, np.int32)
        self.graph.outputs = np.array(outputs, np.int32)
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def one_op(
    name: str,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    *,
    kind: str = "INT8",
    before: int = 0,
    parameters: Any = None,
    **more: Any,
) -> bytes:
    """A model of one op: from the first shape to the second, with ``parameters(net)`` as inputs.

    ``before`` of the parameters stand before the data.
    """
    net = Net()
    data = net.tensor(shapes[0], kind)
    extra = parameters(net) if parameters else []
    out = net.tensor(shapes[1], kind)
    net.op(name, [*extra[:before], data, *extra[before:]], [out], **more)
    return net.pack([data], [out])


def chain(*names: str) -> bytes:
    """A chain of ops without parameters, each reading what the one before made."""
    net = Net()
    tensors = [net.tensor((1, 4, 4, 8)) for _ in range(len(names) + 1)]
    for place, name in enumerate(names):
        net.op(name, [tensors[place]], [tensors[place + 1]])
    return net.pack([tensors[0]], [tensors[-1]])
