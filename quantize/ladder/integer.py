"""Writing ranges, weights and biases into the int8 network that TensorFlow's converter made.

The converter's own file keeps its operators, versions and order; this changes numbers alone, and
takes out the operators that were folded away. So what any runtime and accelerator can do with
the result is what it could do with the plain conversion.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BackendError
from corrosion_edge.quantize.flatbuffer import drop_unused, enumerated, pack, unpack
from corrosion_edge.quantize.ladder.network import WEIGHTED, Network, Op
from corrosion_edge.quantize.ladder.ranges import Range
from corrosion_edge.quantize.ladder.rounding import scales

__all__ = ["write"]

_UINT8: Final = 128  # a uint8 zero point is so much above the int8 one
Array = npt.NDArray[Any]


def write(
    plain: bytes,
    network: Network,
    ranges: Mapping[int, Range],
    original: Network,
    mended: Mapping[int, Array],
) -> bytes:
    """The int8 flatbuffer of ``network`` in the frame of ``plain``.

    ``plain`` is the converter's int8 file of the network as it was read. ``ranges`` are those of
    all operators' outputs. Steps of weights are those of the unchanged weights of ``network``;
    ``mended`` are weights on these steps, and biases. Raises BackendError where ``plain`` is not
    of the same operators.
    """
    net = unpack(plain)
    graph = net.subgraphs[0]
    by_place = _matched(net, graph, original)
    held = _inputs_held(network, ranges)
    for op in network.ops:
        theirs = by_place[op.place]
        _set_range(graph.tensors[theirs.outputs[0]], ranges[op.output])
        if op.kind in WEIGHTED:
            _set_weights(net, graph, theirs, network, op, (held, ranges), mended)
    _fold(graph, by_place, network)
    _set_ends(net, graph)
    drop_unused(net)
    return pack(net)


def _kinds(net: Any) -> list[str]:
    return [enumerated(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]


def _matched(net: Any, graph: Any, original: Network) -> list[Any]:
    """The int8 file's operators in the places of the float file's."""
    kinds = _kinds(net)
    theirs = [op for op in graph.operators if kinds[op.opcodeIndex] != "QUANTIZE"]
    ours = [op.kind for op in original.ops]
    if [kinds[op.opcodeIndex] for op in theirs] != ours:
        raise BackendError("the float and the int8 conversion have different operators")
    return theirs


def _inputs_held(network: Network, ranges: Mapping[int, Range]) -> dict[int, Range]:
    """The range of the network's input: pixels less the offset, in steps of 1."""
    return {network.input: Range(1.0, network.offset - _UINT8)} if network.offset else {}


def _set_range(tensor: Any, held: Range) -> None:
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint = [np.float32(held.scale)], [held.zero]
    made.quantizedDimension = 0
    tensor.quantization = made


def _set_weights(
    net: Any,
    graph: Any,
    theirs: Any,
    network: Network,
    op: Op,
    held: tuple[Mapping[int, Range], Mapping[int, Range]],
    mended: Mapping[int, Array],
) -> None:
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    weights, bias = (mended.get(i, network.constants[i]) for i in op.inputs[1:3])
    tensor = graph.tensors[theirs.inputs[1]]
    one = len(tensor.quantization.scale) == 1
    steps = scales(network.constants[op.inputs[1]], axis, one=one)
    wide = steps.reshape([-1 if i == axis else 1 for i in range(weights.ndim)])
    _fill(net, tensor, np.clip(np.round(weights / wide), -127, 127).astype(np.int8))
    _set_steps(tensor, steps[:1] if one else steps, axis)
    source = held[0].get(op.inputs[0]) or held[1].get(op.inputs[0])
    scale = source.scale if source else float(graph.tensors[theirs.inputs[0]].quantization.scale[0])
    units = np.float32(scale) * np.asarray(steps, np.float32)
    tensor = graph.tensors[theirs.inputs[2]]
    _fill(net, tensor, _int32(np.round(bias / units.astype(np.float64))))
    _set_steps(tensor, units[:1] if one else units, 0)


def _int32(values: Array) -> npt.NDArray[np.int32]:
    limits = np.iinfo(np.int32)
    return np.clip(values, limits.min, limits.max).astype(np.int32)


def _set_steps(tensor: Any, steps: Array, axis: int) -> None:
    made = schema.QuantizationParametersT()
    made.scale = [np.float32(step) for step in steps]
    made.zeroPoint = [0] * len(steps)
    made.quantizedDimension = axis
    tensor.quantization = made


def _fill(net: Any, tensor: Any, values: Array) -> None:
    """Give a tensor a buffer of its own: the converter lets equal constants share one."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    tensor.buffer = len(net.buffers)
    net.buffers.append(buffer)


def _fold(graph: Any, by_place: list[Any], network: Network) -> None:
    """Take out what was folded, and let the first operator read the quantized pixels."""
    kept = {op.place for op in network.ops}
    dropped = [op for place, op in enumerate(by_place) if place not in kept]
    if not dropped:
        return
    pixels = dropped[0].inputs[0]
    first = by_place[network.ops[0].place]
    first.inputs = np.array([pixels, *list(first.inputs)[1:]], np.int32)
    graph.operators = [op for op in graph.operators if not any(op is d for d in dropped)]
    _set_range(graph.tensors[pixels], Range(1.0, network.offset - _UINT8))


def _set_ends(net: Any, graph: Any) -> None:
    """uint8 ends stand for the same values as the int8 tensors behind them."""
    kinds = _kinds(net)
    ends = {int(place) for place in (*graph.inputs, *graph.outputs)}
    for op in graph.operators:
        if kinds[op.opcodeIndex] != "QUANTIZE":
            continue
        source, target = int(op.inputs[0]), int(op.outputs[0])
        end, inner = (source, target) if source in ends else (target, source)
        values = graph.tensors[inner].quantization
        held = Range(float(values.scale[0]), int(values.zeroPoint[0]))
        _set_range(graph.tensors[end], held)
        graph.tensors[end].quantization.zeroPoint = [held.zero + _UINT8]
