"""ONNX files of TFLite ones, by tf2onnx. Needs the rig ``peers``."""

from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["OPSET", "converted", "to_onnx", "unsigned"]

OPSET: Final = 17
_MOVE: Final = 128


def to_onnx(tflite: Path, out: Path) -> None:
    """Write the network of a TFLite file, int8 or float, as ONNX."""
    import onnx

    onnx.save(unsigned(converted(tflite)), out)


def converted(tflite: Path) -> Any:
    """The network of a TFLite file in ONNX as tf2onnx leaves it."""
    import tf2onnx

    return tf2onnx.convert.from_tflite(str(tflite), opset=OPSET)[0]


def unsigned(model: Any) -> Any:
    """The same network with activations of uint8 instead of int8, all values moved by 128.

    The real numbers, and so the network's answers, stay the same to the bit. ONNX Runtime joins
    quantized convolutions on x86 only with unsigned activations; its fast kernels are for these.
    """
    import onnx
    from onnx import numpy_helper

    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        ends = node.op_type in ("QuantizeLinear", "DequantizeLinear") and len(node.input) > 2
        if ends and node.input[0] not in constants:
            zero = numpy_helper.to_array(constants[node.input[2]])
            if zero.dtype == np.int8:
                node.input[2] = _moved(graph, constants, node.input[2], zero)
    del graph.value_info[:]  # their types are no longer so; the runtime works them out
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return model


def _moved(graph: Any, constants: dict[str, Any], name: str, zero: Any) -> str:
    from onnx import numpy_helper

    moved = f"{name}_unsigned"
    if moved not in constants:
        value = (zero.astype(np.int16) + _MOVE).astype(np.uint8)
        constants[moved] = numpy_helper.from_array(value, moved)
        graph.initializer.append(constants[moved])
    return moved
