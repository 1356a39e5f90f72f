"""Types and quantization that an operator's tensors must have to each other."""

from typing import Final

from corrosion_edge.network.call import Call
from corrosion_edge.network.graph import Tensor
from corrosion_edge.network.shapes import Rule

__all__ = ["check_types"]

_ACTIVATIONS: Final = ("FLOAT32", "UINT8", "INT8", "INT16")
_CONVERTERS: Final = ("QUANTIZE", "DEQUANTIZE", "CUSTOM")
_WEIGHTED: Final = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Operators with weights, and the axis of their weights' channels."""

_FILTERS: Final = {"FLOAT32": ("FLOAT32", "INT8"), "UINT8": ("UINT8",), "INT8": ("INT8",),
                   "INT16": ("INT8",)}  # fmt: skip
_BIASES: Final = {"FLOAT32": ("FLOAT32",), "UINT8": ("INT32",), "INT8": ("INT32",),
                  "INT16": ("INT32", "INT64")}  # fmt: skip
_SUMS: Final = ("ADD", "SUB", "MAXIMUM", "MINIMUM", "CONCATENATION")
_TABLES: Final = ("LOGISTIC", "TANH", "SOFTMAX")
"""Operators that runtimes look up in a table: their output's scale is fixed, and any input goes."""

_LARGEST_RATIO: Final = 256.0  # XNNPACK's, which frees its memory twice where it is exceeded


def check_types(call: Call, rule: Rule) -> None:
    """BundleError unless activations, weights and constants have types that go together."""
    name = call.op.name
    data = [tensor for tensor in call.inputs[: rule.data] if tensor is not None]
    if name == "SPLIT":
        data = [call.tensor(1)]
    for tensor in (*data, *call.outputs):
        _check_activation(call, tensor)
    if name in _CONVERTERS:
        _check_conversion(call)
        return
    kinds = {tensor.type for tensor in (*data, *call.outputs)}
    call.require(len(kinds) == 1, f"mixes the types {sorted(kinds)}")
    if name in _WEIGHTED:
        _check_weights(call, _WEIGHTED[name])
    _check_scales(call, data)


def _check_activation(call: Call, tensor: Tensor) -> None:
    if call.op.name == "DEQUANTIZE" and tensor.type == "FLOAT16":
        return
    call.require(tensor.type in _ACTIVATIONS, f"the type {tensor.type} is not used for it")
    if tensor.type != "FLOAT32" and call.op.name != "CUSTOM":
        call.require(len(tensor.scales) == 1, f"tensor {tensor.name!r:.80} has no single scale")


def _check_conversion(call: Call) -> None:
    given, made = call.tensor(0).type, call.outputs[0].type
    if call.op.name == "QUANTIZE":
        call.require(made != "FLOAT32", "makes no integers")
        _check_scales(call, [call.tensor(0)] if given != "FLOAT32" else [])
    if call.op.name == "DEQUANTIZE":
        call.require(made == "FLOAT32" and given != "FLOAT32", "makes no real numbers")


def _check_weights(call: Call, axis: int) -> None:
    kind, weights = call.tensor(0).type, call.tensor(1)
    call.require(weights.type in _FILTERS[kind], f"weights of {weights.type} do not go with {kind}")
    if weights.type != "FLOAT32":
        count = len(weights.scales)
        whole = count == 1 or (count == weights.shape[axis] and weights.axis == axis)
        call.require(whole and weights.data is not None, "its weights have no scale of their own")
    if len(call.inputs) > 2 and call.inputs[2] is not None:
        bias = call.inputs[2]
        call.require(bias.type in _BIASES[kind], f"a bias of {bias.type} does not go with {kind}")
        call.require(bias.data is not None or kind == "FLOAT32", "its bias is no constant")


def _check_scales(call: Call, data: list[Tensor]) -> None:
    """The factor between integers in and out must be one that a runtime's fixed point can hold."""
    if not data or data[0].type == "FLOAT32" or call.op.name in _TABLES:
        return
    weights = call.tensor(1).scales if call.op.name in _WEIGHTED else (1.0,)
    factors = [tensor.scales[0] * max(weights, default=1.0) for tensor in data]
    if call.op.name == "MUL":
        factors = [factors[0] * factors[1]]
    for tensor in call.outputs:
        call.require(
            max(factors) < _LARGEST_RATIO * tensor.scales[0], "its scales are too far apart"
        )
