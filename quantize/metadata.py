"""The standard TFLite metadata: what other people's tools read of a model file.

A buffer named TFLITE_METADATA inside the flatbuffer, itself a flatbuffer after
metadata_schema.fbs, version 1.5.0 (google-ai-edge/mediapipe, mediapipe/tasks/metadata; the same
schema as tensorflow/tflite-support's). No light package carries its Python classes, so the few
tables are written here by the places of their fields in that schema.
https://ai.google.dev/edge/litert/models/metadata
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from corrosion_edge.errors import BundleError
from corrosion_edge.network.writing import Table, encode
from corrosion_edge.quantize.about import About
from corrosion_edge.quantize.flatbuffer import pack, unpack

__all__ = ["METADATA_NAME", "metadata_of", "with_metadata"]

METADATA_NAME: Final = "TFLITE_METADATA"
"""Name of the buffer in the flatbuffer's own list."""

_IDENTIFIER = b"M001"
_LABELS_NAME = "labels.txt"  # the member that every bundle has
# No field newer than the first version of the schema is used.
_MIN_PARSER_VERSION = "1.0.0"
# Members of the schema's enumerations and unions.
_TENSOR_AXIS_LABELS, _RGB = np.int8(2), np.int8(1)
_FEATURE, _IMAGE, _NORMALIZATION = np.uint8(1), np.uint8(2), np.uint8(1)


def with_metadata(model: bytes, about: About) -> bytes:
    """The flatbuffer with metadata in it; one that has some already gets the new in its place.

    ``model`` has one input, uint8 [1, h, w, 3] RGB, and outputs, uint8 or float32, named ``scores``
    and, where it has one, ``map``; anything else raises BundleError. The labels are those of
    ``labels.txt`` in the bundle's archive.
    """
    net = unpack(model)
    content = encode(_model(net, about), _IDENTIFIER)
    net.description = about.name
    net.metadata = [e for e in net.metadata or [] if e.name != METADATA_NAME.encode()]
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA_NAME.encode(), len(net.buffers)
    net.metadata.append(entry)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    net.buffers.append(buffer)
    return pack(net)


def metadata_of(model: bytes) -> bytes | None:
    """The metadata's own flatbuffer inside a model, or None where it has none."""
    net = unpack(model)
    for entry in net.metadata or []:
        if entry.name == METADATA_NAME.encode():
            return bytes(net.buffers[entry.buffer].data)
    return None


def _model(net: Any, about: About) -> Table:
    graph = net.subgraphs[0]
    (image,) = (graph.tensors[place] for place in graph.inputs)
    outputs = [_output(graph.tensors[place]) for place in graph.outputs]
    fields = {0: about.name, 1: about.description, 2: about.version, 4: about.author,
              5: about.license, 7: _MIN_PARSER_VERSION}  # fmt: skip
    told = {slot: text for slot, text in fields.items() if text}
    return Table({**told, 3: [Table({0: "main", 2: [_input(image)], 3: outputs})]})


def _input(tensor: Any) -> Table:
    if tensor.type != schema.TensorType.UINT8 or len(tensor.shape) != 4 or tensor.shape[3] != 3:
        raise BundleError(f"expected an input uint8 [1, h, w, 3], got {tensor.shape}")
    height, width = (np.uint32(size) for size in tensor.shape[1:3])
    properties = Table({0: _RGB, 1: Table({0: width, 1: height})})
    # Pixels go in as they are, whichever way a tool reads the parameters of a uint8 input.
    normalization = Table({0: np.zeros(1, np.float32), 1: np.ones(1, np.float32)})
    return Table(
        {
            0: "image",
            1: "RGB, 0 to 255. The whole picture is stretched to this size, antialiased.",
            2: ["batch", "height", "width", "channel"],
            3: Table({0: _IMAGE, 1: properties}),
            4: [Table({0: _NORMALIZATION, 1: normalization})],
            5: _bytes_range(),
        }
    )


def _output(tensor: Any) -> Table:
    name = tensor.name.decode()
    if name not in _OUTPUTS:
        raise BundleError(f"expected outputs {sorted(_OUTPUTS)}, got {name!r}")
    return _OUTPUTS[name](tensor)


def _scores(tensor: Any) -> Table:
    labels = Table({0: _LABELS_NAME, 1: "One label a line, in order.", 2: _TENSOR_AXIS_LABELS})
    return Table(
        {
            0: "scores",
            1: "Probability of each label, in steps of 1/256."
            if _whole(tensor)
            else "Probability of each label.",
            2: ["batch", "label"],
            3: Table({0: _FEATURE, 1: Table()}),
            5: _bytes_range() if _whole(tensor) else _range(0, 1),
            6: [labels],
        }
    )


def _map(tensor: Any) -> Table:
    how = ""
    if _whole(tensor):
        scale, zero = tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]
        how = f", {scale:.6g} * (q - {zero})"
    table = Table(
        {
            0: "map",
            1: f"Local log-odds of corrosion{how}; their mean is the log-odds of the score. A "
            "hint where to look, not a measured area.",
            2: ["batch", "row", "column", "channel"],
            3: Table({0: _FEATURE, 1: Table()}),
        }
    )
    return Table({**table.fields, 5: _bytes_range()}) if _whole(tensor) else table


_OUTPUTS: Final[dict[str, Callable[[Any], Table]]] = {"map": _map, "scores": _scores}


def _whole(tensor: Any) -> bool:
    """Whether an output is of integers; the others are of real numbers."""
    return bool(tensor.type != schema.TensorType.FLOAT32)


def _bytes_range() -> Table:
    """Largest and smallest value of a uint8 tensor, as it is stored."""
    return _range(0, 255)


def _range(low: float, high: float) -> Table:
    return Table({0: np.array([high], np.float32), 1: np.array([low], np.float32)})
