"""Which fields the tables of a TFLite flatbuffer have, and that each of them lies inside.

The tables of TensorFlow Lite's schema, version 3, field by field. tflite-runtime's interpreter
follows every offset unverified, so a field that nothing here reads must be verified as well.
What is checked is what flatbuffers' own verifier for C++ checks: bounds, alignment, the zero
behind a string. https://flatbuffers.dev/internals/
"""

from typing import Final

from corrosion_edge.errors import BundleError
from corrosion_edge.network.table import SIZES, Table

__all__ = ["check_schema"]

_MOST_FIELDS: Final = 64  # of a table: the schema's largest has 14
_MOST_ENTRIES: Final = 20_000  # of a vector of tables

Kinds = tuple[str | None, ...]

_TABLES: Final[dict[str, Kinds]] = {
    "Model": ("I", "[OperatorCode]", "[SubGraph]", "text", "[Buffer]", "[i]", "[Metadata]",
              "[SignatureDef]"),
    "OperatorCode": ("b", "text", "i", "i"),
    "SubGraph": ("[Tensor]", "[i]", "[i]", "[Operator]", "text", "i"),
    "Tensor": ("[i]", "b", "I", "text", "Quantization", "B", None, "[i]", "B", None, "I"),
    "Quantization": ("[f]", "[f]", "[f]", "[q]", "B", None, "i"),
    "Operator": ("I", "[i]", "[i]", "B", "options", "[B]", "b", "[B]", "[i]", "Q", "Q", "B", None,
                 "i"),
    "Buffer": ("[B]", "Q", "Q"),
    "Metadata": ("text", "I"),
    "SignatureDef": ("[TensorMap]", "[TensorMap]", "text", "text", "I"),
    "TensorMap": ("text", "I"),
}  # fmt: skip
"""Fields in order: a number's type (as in the struct module), a table's name, text, or [vector].

None marks what no network here has: sparsity, variants, custom quantization, options of a second
kind.
"""

_OPTIONS: Final[dict[int, Kinds]] = {
    1: ("b", "i", "i", "b", "i", "i", "b"),  # Conv2D
    2: ("b", "i", "i", "i", "b", "i", "i"),  # DepthwiseConv2D
    5: ("b", "i", "i", "i", "i", "b"),  # Pool2D
    8: ("b", "b", "B", "B", "b"),  # FullyConnected
    9: ("f",),  # Softmax
    10: ("i", "b"),  # Concatenation
    11: ("b", "B"),  # Add
    15: ("i", "i", "B", "B"),  # ResizeBilinear
    17: ("[i]",),  # Reshape
    21: ("b",),  # Mul
    22: (),  # Pad
    26: (),  # Transpose
    27: ("B",),  # Reducer
    28: ("b", "B"),  # Sub
    29: ("b",),  # Div
    30: ("[i]",),  # Squeeze
    32: ("i", "i", "i", "i", "i", "B"),  # StridedSlice
    35: ("i",),  # Split
    38: (),  # Dequantize
    39: (),  # MaximumMinimum
    48: (),  # Slice
    52: (),  # ExpandDims
    59: ("i", "i"),  # Pack
    74: ("B", "B"),  # ResizeNearestNeighbor
    75: ("f",),  # LeakyRelu
    89: (),  # Quantize
    91: (),  # HardSwish
}
"""The options of operators, by their type's number in the union."""


def check_schema(root: Table) -> None:
    """BundleError unless every field that can be reached from the root lies inside the buffer.

    A table that is reached twice is checked once, so that the time is bounded by the size.
    """
    _check(root, "Model", _TABLES["Model"], set())


def _check(table: Table, name: str, kinds: Kinds, seen: set[tuple[int, str]]) -> None:
    if (table.place, name) in seen:
        return
    seen.add((table.place, name))
    _require(table.place % 4 == 0)
    count = table.fields()
    _require(count <= _MOST_FIELDS)
    for index in range(count):
        kind = kinds[index] if index < len(kinds) else None
        if not table.has(index):
            continue
        if kind is None:
            raise BundleError(f"the network has a field that is not used here ({name} {index})")
        _check_field(table, index, kind, seen)


def _check_field(table: Table, index: int, kind: str, seen: set[tuple[int, str]]) -> None:
    if kind in SIZES:
        _require(table.where(index, SIZES[kind]) % SIZES[kind] == 0)
    elif kind == "text":
        _check_text(table, index)
    elif kind == "options":
        _check_options(table, index, seen)
    elif kind.startswith("[") and (entry := kind[1:-1]) in SIZES:
        start, count = table.span(index)
        _require(start % 4 == 0 and start % SIZES[entry] == 0)
        _require(start + count * SIZES[entry] <= len(table.buffer.content))
    elif kind.startswith("["):
        for inner in table.tables(index, _MOST_ENTRIES):
            _check(inner, entry, _TABLES[entry], seen)
    elif (found := table.table(index)) is not None:
        _check(found, kind, _TABLES[kind], seen)


def _check_text(table: Table, index: int) -> None:
    start, count = table.span(index)
    content = table.buffer.content
    _require(start % 4 == 0 and start + count < len(content) and content[start + count] == 0)
    table.buffer.spend(count)
    try:
        content[start : start + count].decode()
    except UnicodeDecodeError:
        raise BundleError("the network is damaged: a name in it is no text") from None


def _check_options(table: Table, index: int, seen: set[tuple[int, str]]) -> None:
    kind, options = table.number(3, "B"), table.table(index)
    if kind not in _OPTIONS or options is None:
        raise BundleError(f"the network has options that are not used here (type {kind})")
    _check(options, f"options {kind}", _OPTIONS[kind], seen)


def _require(holds: bool) -> None:
    if not holds:
        raise BundleError("the network is damaged: a field in it is misplaced or too long")
