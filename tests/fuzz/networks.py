"""Small networks, made op by op or cut out of a model: what the fuzzer's mutations start from."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.bundle import DEFAULT_MODEL, Bundle

__all__ = ["TYPES", "Tensor", "corpus", "cut", "network", "pack", "single", "unpack"]

TYPES = {"uint8": 3, "int8": 9, "int32": 2, "float32": 0, "int64": 4, "bool": 6, "int16": 7}


@dataclass(frozen=True)
class Tensor:
    """A tensor of a small network; with ``values`` it is a constant."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    values: Any = None
    scale: tuple[float, ...] = (0.05,)
    axis: int = 0
    signature: tuple[int, ...] | None = field(default=None)


def unpack(model: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(model, 0)


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def network(
    tensors: Sequence[Tensor],
    ops: Sequence[tuple[str, dict[str, Any], Sequence[int], Sequence[int]]],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> bytes:
    """A flatbuffer; an op is its name, the fields of its options, its inputs and outputs."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    model.description = b"a small network"
    graph.name = b"main"
    graph.tensors = [_tensor(model, number, t) for number, t in enumerate(tensors)]
    graph.operators = [_operator(model, *op) for op in ops]
    graph.inputs, graph.outputs = (np.array(x, np.int32) for x in (inputs, outputs))
    model.subgraphs = [graph]
    return pack(model)


def single(name: str, options: dict[str, Any], inputs: Sequence[Tensor], out: Tensor) -> bytes:
    """A network of one op; its first input is the network's."""
    places = list(range(len(inputs)))
    fed = [n for n, t in enumerate(inputs) if t.values is None]
    return network([*inputs, out], [(name, options, places, [len(inputs)])], fed, [len(inputs)])


def cut(model: bytes, start: int, stop: int) -> bytes:
    """The operators ``start:stop`` of a flatbuffer as a network of their own."""
    whole = unpack(model)
    graph = whole.subgraphs[0]
    graph.operators = graph.operators[start:stop]
    made = [int(t) for op in graph.operators for t in op.outputs]
    used = [int(t) for op in graph.operators for t in op.inputs if t >= 0]
    fed = [t for t in used if t not in made and not _constant(whole, graph.tensors[t])]
    left = [t for t in made if t not in used]
    keep = list(dict.fromkeys([*used, *made]))
    _keep(whole, graph, keep, list(dict.fromkeys(fed)), left)
    return pack(whole)


def corpus() -> list[tuple[str, bytes]]:
    """Networks of a few operators each: pieces of the default model, and others' operators."""
    default = Bundle.load(DEFAULT_MODEL).model
    count = len(unpack(default).subgraphs[0].operators)
    pieces = [(0, 3), (0, 8), (8, 16), (16, 40), (count - 8, count)]
    found = [(f"default[{a}:{b}]", cut(default, a, b)) for a, b in pieces]
    return found + _others()


def _others() -> list[tuple[str, bytes]]:
    four, vector = Tensor((1, 8, 8, 4)), Tensor((1, 16))
    i32 = "int32"
    weights = np.arange(16 * 4) % 7 - 3
    made = {
        "pad": single("PAD", {}, [four, Tensor((4, 2), i32, [0, 0, 1, 1, 2, 2, 0, 0])],
                      Tensor((1, 10, 12, 4))),
        "max_pool": single("MAX_POOL_2D", {"strideW": 2, "strideH": 2, "filterWidth": 3,
                           "filterHeight": 3}, [four], Tensor((1, 4, 4, 4))),
        "average_pool": single("AVERAGE_POOL_2D", {"strideW": 1, "strideH": 1, "filterWidth": 8,
                               "filterHeight": 8, "padding": 1}, [four], Tensor((1, 1, 1, 4))),
        "concatenation": single("CONCATENATION", {"axis": 3}, [four, four],
                                Tensor((1, 8, 8, 8))),
        "reshape": single("RESHAPE", {"newShape": [1, 256]}, [four, Tensor((2,), i32, [1, 256])],
                          Tensor((1, 256))),
        "reduce_max": single("REDUCE_MAX", {"keepDims": True}, [four, Tensor((2,), i32, [1, 2])],
                             Tensor((1, 1, 1, 4))),
        "strided_slice": single("STRIDED_SLICE", {}, [four, Tensor((4,), i32, [0, 0, 0, 0]),
                                Tensor((4,), i32, [1, 8, 8, 2]), Tensor((4,), i32, [1, 1, 1, 1])],
                                Tensor((1, 8, 8, 2))),
        "resize": single("RESIZE_BILINEAR", {}, [four, Tensor((2,), i32, [4, 6])],
                         Tensor((1, 4, 6, 4))),
        "pack": single("PACK", {"valuesCount": 2, "axis": 1}, [vector, vector],
                       Tensor((1, 2, 16))),
        "fully_connected": single("FULLY_CONNECTED", {}, [vector, Tensor((4, 16), "int8", weights),
                                  Tensor((4,), i32, [1, 2, 3, 4], (0.0025,))], Tensor((1, 4))),
        "hard_swish": single("HARD_SWISH", {}, [four], four),
        "transpose": single("TRANSPOSE", {}, [four, Tensor((4,), i32, [0, 3, 1, 2])],
                            Tensor((1, 4, 8, 8))),
        "split": _split(),
    }  # fmt: skip
    return list(made.items())


def _split() -> bytes:
    tensors = [Tensor((), "int32", [3]), Tensor((1, 8, 8, 4)), Tensor((1, 8, 8, 2)),
               Tensor((1, 8, 8, 2))]  # fmt: skip
    return network(tensors, [("SPLIT", {"numSplits": 2}, [0, 1], [2, 3])], [1], [2, 3])


def _tensor(model: Any, number: int, given: Tensor) -> Any:
    made = schema.TensorT()
    made.name, made.type = f"t{number}".encode(), TYPES[given.dtype]
    made.shape, made.buffer, made.hasRank = np.array(given.shape, np.int32), 0, True
    if given.signature is not None:
        made.shapeSignature = np.array(given.signature, np.int32)
    if given.values is not None:
        made.buffer = len(model.buffers)
        buffer = schema.BufferT()
        content = np.array(given.values, given.dtype).tobytes()
        buffer.data = np.frombuffer(content, np.uint8)
        model.buffers.append(buffer)
    if given.dtype in ("int8", "uint8", "int16") or given.scale != (0.05,):
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale = np.array(given.scale, np.float32)
        made.quantization.zeroPoint = np.zeros(len(given.scale), np.int64)
        made.quantization.quantizedDimension = given.axis
    return made


OPTIONS = {"PAD": "PadOptions", "MAX_POOL_2D": "Pool2DOptions", "AVERAGE_POOL_2D": "Pool2DOptions",
           "CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
           "MEAN": "ReducerOptions", "REDUCE_MAX": "ReducerOptions", "SUM": "ReducerOptions",
           "STRIDED_SLICE": "StridedSliceOptions", "RESIZE_BILINEAR": "ResizeBilinearOptions",
           "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions", "PACK": "PackOptions",
           "FULLY_CONNECTED": "FullyConnectedOptions", "SPLIT": "SplitOptions",
           "CONCATENATION": "ConcatenationOptions", "RESHAPE": "ReshapeOptions",
           "SOFTMAX": "SoftmaxOptions", "SQUEEZE": "SqueezeOptions", "ADD": "AddOptions",
           "SUB": "SubOptions", "MUL": "MulOptions", "LEAKY_RELU": "LeakyReluOptions",
           "MIRROR_PAD": "MirrorPadOptions", "HARD_SWISH": "HardSwishOptions",
           "UNPACK": "UnpackOptions", "ARG_MAX": "ArgMaxOptions", "GELU": "GeluOptions",
           "SPACE_TO_DEPTH": "SpaceToDepthOptions", "DEPTH_TO_SPACE": "DepthToSpaceOptions",
           "DIV": "DivOptions", "TRANSPOSE_CONV": "TransposeConvOptions",
           "MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions",
           "EXPAND_DIMS": "ExpandDimsOptions", "SLICE": "SliceOptions",
           "TRANSPOSE": "TransposeOptions", "CAST": "CastOptions"}  # fmt: skip


def _operator(
    model: Any, name: str, options: dict[str, Any], inputs: Sequence[int], outputs: Sequence[int]
) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 2
    if name in ("HARD_SWISH", "TRANSPOSE", "RELU", "SQUEEZE", "TANH", "RESHAPE", "EXPAND_DIMS"):
        code.version = 1
    model.operatorCodes.append(code)
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes) - 1
    made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
    if (kind := OPTIONS.get(name)) is not None:
        made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        made.builtinOptions = getattr(schema, f"{kind}T")()
        for key, value in options.items():
            setattr(made.builtinOptions, key, value)
    return made


def _constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _keep(model: Any, graph: Any, keep: list[int], fed: list[int], left: list[int]) -> None:
    """Drop all tensors, buffers and operator codes that are not in use, and number them anew."""
    place = {old: new for new, old in enumerate(keep)} | {-1: -1}
    buffers = [model.buffers[0]]
    graph.tensors = [copy.copy(graph.tensors[t]) for t in keep]
    for tensor in graph.tensors:
        buffers.append(model.buffers[tensor.buffer])
        tensor.buffer = len(buffers) - 1
    codes: list[Any] = []
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        if code not in codes:
            codes.append(code)
        op.opcodeIndex = codes.index(code)
        op.inputs = np.array([place[int(t)] for t in op.inputs], np.int32)
        op.outputs = np.array([place[int(t)] for t in op.outputs], np.int32)
    graph.inputs = np.array([place[t] for t in fed], np.int32)
    graph.outputs = np.array([place[t] for t in left], np.int32)
    model.buffers, model.operatorCodes = buffers, codes
    model.metadata, model.metadataBuffer, model.signatureDefs = None, None, None
