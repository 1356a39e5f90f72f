"""That a TFLite flatbuffer holds nothing but the kinds of things that networks here have.

Runtimes do with every field what they like. A field, operator or type that no rule of ``sound``
looks at is refused, not ignored.
"""

from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network import names
from corrosion_edge.network.graph import MOST, operator_number
from corrosion_edge.network.table import Table

__all__ = ["OPS", "TYPES", "require_used"]

TYPES: Final = frozenset({0, 1, 2, 3, 4, 6, 7, 9})
"""Numbers of the tensor types that are understood."""

OPS: Final = {
    names.OPERATORS.index(name): name
    for name in (
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "CUSTOM", "DEPTHWISE_CONV_2D",
        "DEQUANTIZE", "DIV", "EXPAND_DIMS", "FULLY_CONNECTED", "HARD_SWISH", "LEAKY_RELU",
        "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "QUANTIZE",
        "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR", "SLICE", "SOFTMAX", "SPLIT", "SQUEEZE", "STRIDED_SLICE", "SUB",
        "SUM", "TANH", "TRANSPOSE",
    )
}  # fmt: skip
"""Operators that are understood, by their number in the schema."""

_MOST_CODES, _MOST_RANK = 1000, 4


def require_used(root: Table) -> None:
    """BundleError if the flatbuffer with this root has a thing that is not understood."""
    graphs = root.tables(2, 1)
    if root.number(0, "I") != 3 or not graphs:
        raise BundleError("the network is not of TFLite's version 3, or has no graph")
    _check_references(root)
    for code in root.tables(1, _MOST_CODES):
        _check_code(code)
    for tensor in graphs[0].tables(0, MOST):
        _check_tensor(tensor)
    for buffer in root.tables(4, MOST):
        if buffer.number(1, "Q") or buffer.number(2, "Q"):
            raise BundleError("a tensor is stored behind the network")
    for index, op in enumerate(graphs[0].tables(3, MOST)):
        if op.length(7) or op.length(8) or op.number(9, "Q") or op.number(11, "B"):
            raise BundleError(f"operator {index} has fields that are not used here")


def _check_references(root: Table) -> None:
    """Metadata and signatures: their buffers and tensors must exist."""
    buffers, tensors = root.length(4), root.tables(2, 1)[0].length(0)
    places = [entry.number(1, "I") for entry in root.tables(6, 100)]
    if any(place >= buffers for place in (*places, *(root.numbers(5, "i") or ()))):
        raise BundleError("the network is damaged: its metadata lies in no buffer")
    for signature in root.tables(7, 100):
        ends = [*signature.tables(0, 1000), *signature.tables(1, 1000)]
        if signature.number(4, "I") or any(end.number(1, "I") >= tensors for end in ends):
            raise BundleError("the network is damaged: its signature names no tensor")


def _check_code(code: Table) -> None:
    number = operator_number(code)
    if number not in OPS:
        raise BundleError(f"the network has an operator that is not used here (number {number})")


def _check_tensor(table: Table) -> None:
    if (number := table.number(1, "b")) not in TYPES:
        said = f"tensor {table.text(3)!r:.80} is of a type"
        raise BundleError(f"{said} that is not used here ({number})")
    shape, signature = table.numbers(0, "i") or (), table.numbers(7, "i")
    if len(shape) > _MOST_RANK or any(n < 1 for n in shape) or signature not in (None, shape):
        said = f"tensor {table.text(3)!r:.80} has no fixed shape"
        raise BundleError(f"{said} of up to {_MOST_RANK} sizes")
    if table.number(5, "B") or table.number(10, "I"):
        raise BundleError(f"tensor {table.text(3)!r:.80} is variable or stored elsewhere")
    quantization = table.table(4)
    if quantization is not None and quantization.number(4, "B"):
        raise BundleError("the network has a quantization that is not used here")
