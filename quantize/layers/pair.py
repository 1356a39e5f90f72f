"""A float network and its int8 conversion side by side: which tensor is which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BackendError
from corrosion_edge.network.sound import require_sound
from corrosion_edge.quantize.flatbuffer import enumerated, unpack
from corrosion_edge.quantize.ladder.arithmetic import require_known
from corrosion_edge.quantize.ladder.fold import fold
from corrosion_edge.quantize.ladder.network import Network, read
from corrosion_edge.quantize.ladder.ranges import Range
from corrosion_edge.quantize.names import meaningful_names

__all__ = ["Pair"]

_ENDS: Final = ("QUANTIZE", "DEQUANTIZE")
_INTEGERS: Final = {"INT8": np.int8, "INT32": np.int32}
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The two, operator by operator in the same order.

    ``original`` is the float network as it was read; ``network`` the same in the frame of the
    int8 file, that is with the input's scaling folded where the file has it so. Tensors go by
    their number there: ``places`` are the tensors in the int8 file, ``ranges`` what these hold,
    ``names`` what they are called, of the input and of every operator's output.
    ``constants`` are, of each operator of ``network``, those the int8 file has, in float.
    """

    original: Network
    network: Network
    integer: bytes
    places: Mapping[int, int]
    ranges: Mapping[int, Range]
    names: Mapping[int, str]
    constants: Sequence[Mapping[int, Array]]

    @classmethod
    def of(cls, float_model: bytes, integer: bytes) -> "Pair":
        """Match two flatbuffers by the order of their operators.

        Raises BackendError where they are not of the same operators, or the second has other
        tensors than int8; BundleError for a flatbuffer that no runtime should get.
        """
        for model in (float_model, integer):
            require_sound(model)
        original = read(float_model)
        require_known(original)
        net = unpack(meaningful_names(integer))
        graph = net.subgraphs[0]
        network, ops = _matched(original, net, graph)
        places = {op.output: int(their.outputs[0]) for op, their in ops}
        places[network.input] = _input_place(network, ops)
        tensors = {number: graph.tensors[place] for number, place in places.items()}
        _require_same_shapes(network, tensors)
        return cls(
            original=original,
            network=network,
            integer=integer,
            places=places,
            ranges={number: _range(tensor) for number, tensor in tensors.items()},
            names={number: tensor.name.decode() for number, tensor in tensors.items()},
            constants=[_constants(net, graph, network, op, their) for op, their in ops],
        )


def _matched(original: Network, net: Any, graph: Any) -> tuple[Network, list[tuple[Any, Any]]]:
    """The float network in the int8 file's frame, and its operators with theirs."""
    kinds = [enumerated(schema.BuiltinOperator, code.builtinCode) for code in net.operatorCodes]
    theirs = [op for op in graph.operators if kinds[op.opcodeIndex] not in _ENDS]
    found = [kinds[op.opcodeIndex] for op in theirs]
    folded = fold(original)
    for network in (original, *([folded[0]] if folded else [])):
        if [op.kind for op in network.ops] == found:
            return network, list(zip(network.ops, theirs, strict=True))
    raise BackendError(
        "FLOAT and INT8 have different operators, so that their tensors cannot be matched; name "
        "the float model that INT8 was made from"
    )


def _input_place(network: Network, ops: list[tuple[Any, Any]]) -> int:
    op, their = next((op, their) for op, their in ops if network.input in op.inputs)
    return int(their.inputs[op.inputs.index(network.input)])


def _require_same_shapes(network: Network, tensors: Mapping[int, Any]) -> None:
    for number, tensor in tensors.items():
        ours, theirs = tuple(network.shapes[number]), tuple(int(n) for n in tensor.shape)
        if ours != theirs:
            raise BackendError(
                f"FLOAT and INT8 are not of the same network: {tensor.name.decode()!r} is "
                f"{list(ours)} in FLOAT, {list(theirs)} in INT8"
            )


def _range(tensor: Any) -> Range:
    kind = enumerated(schema.TensorType, tensor.type)
    if kind != "INT8" or tensor.quantization is None or tensor.quantization.scale is None:
        name = tensor.name.decode()
        raise BackendError(f"INT8: expected int8 tensors with a scale, got {kind} in {name!r}")
    return Range(float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0]))


def _constants(net: Any, graph: Any, network: Network, op: Any, their: Any) -> dict[int, Array]:
    """What the int8 file has in place of the float constants of one operator."""
    found = {}
    for number, place in zip(op.inputs, their.inputs, strict=False):  # int8 may add a bias of 0
        if number in network.constants and network.constants[number].dtype == np.float32:
            found[number] = _floats(net, graph.tensors[int(place)])
    return found


def _floats(net: Any, tensor: Any) -> Array:
    kind, quantization = enumerated(schema.TensorType, tensor.type), tensor.quantization
    content = net.buffers[tensor.buffer].data
    if kind not in _INTEGERS or content is None or getattr(quantization, "scale", None) is None:
        name = tensor.name.decode()
        raise BackendError(f"INT8: expected constants in int8 or int32, got {kind} in {name!r}")
    values = np.frombuffer(bytes(content), _INTEGERS[kind]).reshape(tuple(tensor.shape))
    scale = np.asarray(quantization.scale, np.float64)
    zero = np.asarray(quantization.zeroPoint, np.float64)
    wide = [1] * values.ndim
    if len(scale) > 1:
        wide[int(quantization.quantizedDimension)] = len(scale)
    exact = (values - zero.reshape(wide)) * scale.reshape(wide)
    return exact.astype(np.float32)
