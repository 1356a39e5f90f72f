"""What each operator makes of its inputs: the shapes of its outputs, by TensorFlow Lite's rules.

The numbers of the option fields are the schema's (see ``graph``). A runtime computes the shapes
again when it loads a network; where a rule here gives other ones than the file says, the file
is refused, so that what was checked is what is run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, prod
from typing import Final

from corrosion_edge.network import spatial
from corrosion_edge.network.call import Call, Shape, Work

__all__ = ["RULES", "Rule"]

_LARGEST = 2**20  # of a size that a constant in the network asks for


@dataclass(frozen=True, slots=True)
class Rule:
    """How to check an operator: its options' type in the schema, inputs, and outputs.

    ``data`` is how many of the first inputs are activations; the rest are weights or constants.
    ``needs_options`` where a default would not do.
    """

    work: Callable[[Call], Work]
    options: int = 0
    inputs: tuple[int, int] = (1, 1)
    outputs: tuple[int, int] = (1, 1)
    data: int = 1
    needs_options: bool = False


def _same(call: Call) -> Work:
    return Work([call.first], prod(call.first))


def _arithmetic(call: Call) -> Work:
    call.require(call.option(0, code="b") in range(4), "its activation is not known")
    return _broadcast(call)


def _broadcast(call: Call) -> Work:
    """NumPy's rule: sizes are equal or 1, counted from the back."""
    one, two = call.shape(0), call.shape(1)
    rank = max(len(one), len(two))
    pairs = list(zip(_filled(one, rank), _filled(two, rank), strict=True))
    call.require(all(a == b or 1 in (a, b) for a, b in pairs), f"{one} and {two} do not fit")
    shape = tuple(max(a, b) for a, b in pairs)
    return Work([shape], prod(shape))


def _filled(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def _softmax(call: Call) -> Work:
    beta = call.op.options.real(0) if call.op.options else 0.0
    call.require(isfinite(beta) and 0 < beta < 1000 and len(call.first) >= 1, "has no valid beta")
    return _same(call)


def _leaky(call: Call) -> Work:
    alpha = call.op.options.real(0) if call.op.options else 0.0
    call.require(isfinite(alpha) and abs(alpha) < 1000, "has no valid alpha")
    return _same(call)


def _concatenation(call: Call) -> Work:
    shapes = [call.shape(n) for n in range(len(call.inputs))]
    axis = call.axis(call.option(0), len(call.first))
    call.require(call.option(1, code="b") == 0, "its activation is not known")
    rest = {(*s[:axis], *s[axis + 1 :]) for s in shapes}
    call.require(len(rest) == 1 and len({len(s) for s in shapes}) == 1, "sizes do not fit")
    total = sum(s[axis] for s in shapes)
    return Work([(*call.first[:axis], total, *call.first[axis + 1 :])])


def _pack(call: Call) -> Work:
    shapes = {call.shape(n) for n in range(len(call.inputs))}
    axis = call.axis(call.option(1), len(call.first) + 1)
    call.require(len(shapes) == 1 and call.option(0) == len(call.inputs), "inputs do not fit")
    return Work([(*call.first[:axis], len(call.inputs), *call.first[axis:])])


def _split(call: Call) -> Work:
    """Its first input is the axis."""
    shape, count = call.shape(1), len(call.outputs)
    call.require(len(shape) >= 1 and call.option(0) == count, "its outputs do not fit")
    axis = call.axis(call.constant(0, 1)[0], len(shape))
    call.require(shape[axis] % count == 0, "cannot be split evenly")
    return Work([(*shape[:axis], shape[axis] // count, *shape[axis + 1 :])] * count)


def _reduce(call: Call) -> Work:
    rank = len(call.first)
    axes = {call.axis(value, rank) for value in call.constant(1)}
    keep = call.option(0, code="B")
    kept = [1 if n in axes else size for n, size in enumerate(call.first) if keep or n not in axes]
    return Work([tuple(kept)], prod(call.first))


def _pad(call: Call) -> Work:
    """The second input holds a pair of sizes, before and behind, for each axis."""
    rank = len(call.first)
    call.require(call.shape(1) == (rank, 2) and rank >= 1, "its padding does not fit")
    pairs = call.constant(1)
    call.require(all(0 <= value <= 4096 for value in pairs), "its padding is out of range")
    sizes = [n + pairs[2 * i] + pairs[2 * i + 1] for i, n in enumerate(call.first)]
    return Work([tuple(sizes)], prod(sizes))


def _reshape(call: Call) -> Work:
    """The shape stands in the second input, else in the options; one size may be -1."""
    if len(call.inputs) == 2:
        call.require(len(call.shape(1)) == 1, "its shape does not fit")
        wanted = call.constant(1)
    else:
        wanted = (call.op.options.numbers(0, "i") if call.op.options else None) or ()
        call.require(len(wanted) > 0, "has no shape")
    return Work([_resolved(call, wanted)])


def _resolved(call: Call, wanted: Shape) -> Shape:
    call.require(len(wanted) <= 4 and wanted.count(-1) <= 1, "has no valid shape")
    known = prod(n for n in wanted if n != -1)
    call.require(known > 0, "has no valid shape")
    found = tuple(prod(call.first) // known if n == -1 else n for n in wanted)
    call.require(prod(found) == prod(call.first) and min(found, default=1) > 0, "does not fit")
    return found


def _squeeze(call: Call) -> Work:
    rank, listed = len(call.first), call.op.options.numbers(0, "i") if call.op.options else None
    axes = {call.axis(n, rank) for n in listed or ()}
    axes = axes or {n for n, size in enumerate(call.first) if size == 1}
    call.require(all(call.first[n] == 1 for n in axes), "an axis is larger than 1")
    return Work([tuple(size for n, size in enumerate(call.first) if n not in axes)])


def _expand(call: Call) -> Work:
    axis = call.axis(call.constant(1, 1)[0], len(call.first) + 1)
    return Work([(*call.first[:axis], 1, *call.first[axis:])])


def _transpose(call: Call) -> Work:
    order = call.constant(1, len(call.first))
    call.require(sorted(order) == list(range(len(order))) and len(order) > 0, "has no valid order")
    return Work([tuple(call.first[n] for n in order)])


def _slice(call: Call) -> Work:
    """Inputs: the start of each axis, and its size, -1 for all the rest."""
    rank = len(call.first)
    starts, sizes = call.constant(1, rank), call.constant(2, rank)
    found = [n - a if s == -1 else s for n, a, s in zip(call.first, starts, sizes, strict=True)]
    fits = zip(call.first, starts, found, strict=True)
    call.require(all(a >= 0 < s and a + s <= n for n, a, s in fits), "reaches outside")
    return Work([tuple(found)])


def _strided_slice(call: Call) -> Work:
    """Forward slices of every axis, without the masks that add or drop one."""
    rank = len(call.first)
    starts, ends, steps = (call.constant(n, rank) for n in (1, 2, 3))
    call.require(not any(call.option(n) for n in (2, 3, 4)), "adds or drops axes")
    call.require(call.option(5, code="B") == 0 and rank > 0, "is given in another form")
    found = []
    for n, size in enumerate(call.first):
        start = 0 if call.option(0) & (1 << n) else _clamped(starts[n], size)
        end = size if call.option(1) & (1 << n) else _clamped(ends[n], size)
        call.require(1 <= steps[n] <= _LARGEST and start < end, "gives nothing")
        found.append(-(-(end - start) // steps[n]))
    return Work([tuple(found)])


def _clamped(place: int, size: int) -> int:
    return min(max(place + size if place < 0 else place, 0), size)


def _resize(call: Call) -> Work:
    n, _, _, channels = call.shape(0, 4)
    height, width = call.constant(1, 2)
    call.require(1 <= height <= 4096 and 1 <= width <= 4096, "has no valid size")
    return Work([(n, height, width, channels)], n * height * width * channels)


def _delegated(call: Call) -> Work:
    """An Edge TPU's part: the CPU interpreter refuses it, its own runtime knows its shapes."""
    call.require(call.op.custom == "edgetpu-custom-op", f"unknown: {call.op.custom!r:.80}")
    return Work([tensor.shape for tensor in call.outputs])


_MANY = (1, 256)
_UNARY = ("LOGISTIC", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "HARD_SWISH", "QUANTIZE",
          "DEQUANTIZE")  # fmt: skip

RULES: Final[dict[str, Rule]] = {
    **dict.fromkeys(_UNARY, Rule(_same)),
    "HARD_SWISH": Rule(_same, 91),
    "QUANTIZE": Rule(_same, 89),
    "DEQUANTIZE": Rule(_same, 38),
    "SOFTMAX": Rule(_softmax, 9, needs_options=True),
    "LEAKY_RELU": Rule(_leaky, 75, needs_options=True),
    "ADD": Rule(_arithmetic, 11, (2, 2), data=2),
    "SUB": Rule(_arithmetic, 28, (2, 2), data=2),
    "MUL": Rule(_arithmetic, 21, (2, 2), data=2),
    "DIV": Rule(_arithmetic, 29, (2, 2), data=2),
    "MAXIMUM": Rule(_broadcast, 39, (2, 2), data=2),
    "MINIMUM": Rule(_broadcast, 39, (2, 2), data=2),
    "CONV_2D": Rule(spatial.convolution, 1, (2, 3), needs_options=True),
    "DEPTHWISE_CONV_2D": Rule(spatial.depthwise, 2, (2, 3), needs_options=True),
    "FULLY_CONNECTED": Rule(spatial.fully_connected, 8, (2, 3), needs_options=True),
    "AVERAGE_POOL_2D": Rule(spatial.pool, 5, needs_options=True),
    "MAX_POOL_2D": Rule(spatial.pool, 5, needs_options=True),
    "CONCATENATION": Rule(_concatenation, 10, _MANY, data=256, needs_options=True),
    "PACK": Rule(_pack, 59, _MANY, data=256, needs_options=True),
    "SPLIT": Rule(_split, 35, (2, 2), _MANY, data=0, needs_options=True),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"),
                    Rule(_reduce, 27, (2, 2), needs_options=True)),
    "PAD": Rule(_pad, 22, (2, 2)),
    "RESHAPE": Rule(_reshape, 17, (1, 2)),
    "SQUEEZE": Rule(_squeeze, 30, needs_options=True),
    "EXPAND_DIMS": Rule(_expand, 52, (2, 2)),
    "TRANSPOSE": Rule(_transpose, 26, (2, 2)),
    "SLICE": Rule(_slice, 48, (3, 3)),
    "STRIDED_SLICE": Rule(_strided_slice, 32, (4, 4), needs_options=True),
    "RESIZE_BILINEAR": Rule(_resize, 15, (2, 2), needs_options=True),
    "RESIZE_NEAREST_NEIGHBOR": Rule(_resize, 74, (2, 2), needs_options=True),
    "CUSTOM": Rule(_delegated, 0, _MANY, _MANY, data=256),
}  # fmt: skip
"""The rule of each operator that is understood."""
