"""The ends of a network of real numbers: pixels go in as they are, as into an int8 one."""

from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BundleError
from corrosion_edge.quantize.flatbuffer import pack, unpack

__all__ = ["pixels_in"]

_VERSION: Final = 2  # of DEQUANTIZE: 1 knows uint8 alone, 3 and more other types


def pixels_in(model: bytes) -> bytes:
    """The network with an input uint8 in place of its one float32 input, values 0 to 255.

    A DEQUANTIZE with scale 1 and zero point 0 is put in front: it turns each pixel into the same
    real number, exactly. The input's name stays. BundleError for other ends.
    """
    net = unpack(model)
    graph = net.subgraphs[0]
    place = _float_input(graph)
    given = graph.tensors[place]
    pixels = _tensor(given)
    given.name = given.name + b"/real"
    graph.tensors.append(pixels)
    new = len(graph.tensors) - 1
    graph.operators.insert(0, _dequantize(net, new, place))
    graph.inputs = np.array([new], np.int32)
    for signature in net.signatureDefs or ():
        for entry in signature.inputs:
            entry.tensorIndex = new
    return pack(net)


def _float_input(graph: Any) -> int:
    places = [int(place) for place in graph.inputs]
    if len(places) != 1 or graph.tensors[places[0]].type != schema.TensorType.FLOAT32:
        raise BundleError(f"expected a network with one input of float32, got {len(places)} inputs")
    return places[0]


def _tensor(given: Any) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape = given.name, given.shape
    tensor.shapeSignature = given.shapeSignature
    tensor.type, tensor.hasRank = schema.TensorType.UINT8, given.hasRank
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.ones(1, np.float32)
    tensor.quantization.zeroPoint = np.zeros(1, np.int64)
    return tensor


def _dequantize(net: Any, source: int, target: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = _VERSION
    net.operatorCodes.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = len(net.operatorCodes) - 1
    operator.inputs = np.array([source], np.int32)
    operator.outputs = np.array([target], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.DequantizeOptions
    operator.builtinOptions = schema.DequantizeOptionsT()
    return operator
