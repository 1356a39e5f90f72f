"""Does an op map? One table of rules, and what is asked of every op."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from corrosion_edge.errors import BundleError
from corrosion_edge.network.graph import COMPILED, Tensor
from corrosion_edge.quantize.edgetpu import limits, sizes
from corrosion_edge.quantize.edgetpu.graph import Op
from corrosion_edge.quantize.edgetpu.objection import ISSUES, OPS, Limit, Objection
from corrosion_edge.quantize.edgetpu.versions import highest, remedy

__all__ = ["RULES", "Maps", "Rule", "Verdict", "judge"]

Maps = Literal["yes", "no", "unknown"]

_EIGHT_BIT: Final = frozenset({"INT8", "UINT8"})
_SHAPES: Final = "https://coral.ai/docs/edgetpu/models-intro/#model-requirements"
_DEPTHS: Final = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of one kind of op.

    ``text`` says it in words. ``weights`` are the places of inputs that must be 8-bit constants,
    ``numbers`` of those that must be constants of any type (biases, shapes, axes). Every other
    input, and every output, is an activation.
    """

    text: str = "8-bit tensors of fixed size; no further limit noted"
    limits: tuple[Limit, ...] = ()
    weights: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    source: str = OPS


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an op maps by itself, why, who says so, and what to change if it does not.

    ``refused`` marks an op for which the compiler refuses the whole file.
    """

    maps: Maps
    rule: str
    source: str
    change: str | None = None
    refused: bool = False


_CONV = "weights and bias constant; same dilation in x and y"
_POOL = Rule("no fused activation function", (limits.no_activation,))
_REDUCE = Rule("not over the batch", (limits.over_batch,), numbers=(1,))
_PLAIN = Rule()

RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            "ADD",
            "L2_NORMALIZATION",
            "LOGISTIC",
            "MAXIMUM",
            "MINIMUM",
            "MUL",
            "RELU",
            "RELU6",
            "RELU_N1_TO_1",
            "RSQRT",
            "SPACE_TO_DEPTH",
            "SQUARED_DIFFERENCE",
            "SUB",
            "TANH",
        ),
        _PLAIN,
    ),
    "EXPAND_DIMS": Rule(numbers=(1,)),
    "QUANTIZE": Rule("from 8 bit to 8 bit; from float it stays on the CPU"),
    "CONV_2D": Rule(_CONV, (limits.same_dilation, limits.ungrouped), (1,), (2,)),
    "DEPTHWISE_CONV_2D": Rule(_CONV, (limits.same_dilation,), (1,), (2,)),
    "TRANSPOSE_CONV": Rule("weights constant", (sizes.overlapping,), (1,), (0, 3)),
    "FULLY_CONNECTED": Rule(
        "weights constant and in the default format; output one-dimensional",
        (limits.default_weights, limits.flat_output),
        (1,),
        (2,),
    ),
    "AVERAGE_POOL_2D": _POOL,
    "MAX_POOL_2D": _POOL,
    "CONCATENATION": Rule(
        "no fused activation; a constant input only if all zeros and one of two",
        (limits.no_activation, limits.concatenated_zeros),
    ),
    "MEAN": Rule(
        "not over the batch; over depth in multiples of 4", (limits.mean_axes,), numbers=(1,)
    ),
    "SUM": _REDUCE,
    "REDUCE_MAX": _REDUCE,
    "REDUCE_MIN": _REDUCE,
    "PAD": Rule("not the batch", (limits.pads_batch,), numbers=(1,)),
    "PACK": Rule("not along the batch", (limits.packs_batch,)),
    "SPLIT": Rule("not along the batch", (limits.splits_batch,), numbers=(0,)),
    "PRELU": Rule("alpha 1-D", (limits.shared_alpha,), (1,)),
    "RESHAPE": Rule("large ones may be declined", (sizes.reshape_size,), numbers=(1,)),
    "TRANSPOSE": Rule("constant order", (limits.keeps_depth,), numbers=(1,)),
    "RESIZE_BILINEAR": Rule("some sizes are declined", (sizes.bilinear_size,), numbers=(1,)),
    "RESIZE_NEAREST_NEIGHBOR": Rule("some sizes are declined", (sizes.nearest_size,), numbers=(1,)),
    "SLICE": Rule("begin and size constant", numbers=(1, 2)),
    "STRIDED_SLICE": Rule(
        "strides 1, no ellipsis or new-axis mask", (limits.plain_slice,), numbers=(1, 2, 3)
    ),
    "SOFTMAX": Rule("one-dimensional, at most 16,000 elements", (sizes.softmax_size,)),
    "SQUEEZE": Rule("leading ones only", (limits.leading_ones,)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Rule(
        "unidirectional only; weights constant", numbers=tuple(range(1, 24))
    ),
    "LSTM": Rule("unidirectional only; weights constant", numbers=tuple(range(1, 24))),
}
"""Builtin op: its rule. An op that is not here is not in Coral's list."""

_INSTEAD: Final[Mapping[str, str]] = {
    "ARG_MAX": "give the scores as output and take the maximum on the host",
    "CAST": "give the model 8-bit inputs and outputs",
    "DEQUANTIZE": "convert with 8-bit outputs (inference_output_type)",
    "GELU": "use ReLU6 in place of GELU",
    "HARD_SWISH": "use ReLU6 in place of hard swish, or x * LOGISTIC(x)",
    "LEAKY_RELU": "use ReLU or PReLU in place of leaky ReLU",
    "PADV2": "pad with zeros (PAD)",
    "SHAPE": "convert with a fixed batch of 1",
    "DIV": "multiply with the inverse (MUL)",
}


def judge(op: Op) -> Verdict:
    """Whether one op maps by itself, wherever it stands in the graph.

    Raises :class:`BundleError` on an op that lacks inputs or outputs it must have.
    """
    rule = RULES.get(op.name)
    if op.custom == COMPILED:
        return Verdict("yes", "already compiled for the Edge TPU", OPS)
    if op.version > highest(op.name):
        return _too_new(op)
    if rule is None:
        return _unlisted(op)
    try:
        if any(op.inputs[place] is None for place in rule.weights):
            raise IndexError
        found = [o for check in _checks(rule) if (o := check(op))]
    except IndexError as error:
        raise BundleError(f"op {op.index} ({op.title}) lacks an input or output") from error
    worst = next((o for o in found if o.sure), found[0] if found else None)
    if worst is None:
        return Verdict("yes", rule.text, rule.source)
    return Verdict("no" if worst.sure else "unknown", worst.text, worst.source, worst.change)


def _checks(rule: Rule) -> tuple[Limit, ...]:
    parameters = (*rule.weights, *rule.numbers)
    general: tuple[Limit, ...] = (
        _open,
        lambda op: _wide([*_activations(op, parameters), *_at(op, rule.weights)]),
        lambda op: _deep(_activations(op, parameters)),
        lambda op: _changing(_at(op, parameters)),
    )
    return (*general, *rule.limits)


def _activations(op: Op, parameters: tuple[int, ...]) -> list[Tensor]:
    read = [t for place, t in enumerate(op.inputs) if t and place not in parameters]
    return [*read, *op.outputs]


def _at(op: Op, places: tuple[int, ...]) -> list[Tensor]:
    return [t for place in places if place < len(op.inputs) and (t := op.inputs[place])]


def _open(op: Op) -> Objection | None:
    for tensor in (*(t for t in op.inputs if t), *op.outputs):
        if not tensor.fixed:
            text = f"tensor {tensor.name!r} has no fixed size: {list(tensor.shape)}"
            return Objection(text, "convert with a fixed input size and a batch of 1", _SHAPES)
    return None


def _wide(tensors: list[Tensor]) -> Objection | None:
    for tensor in tensors:
        if tensor.type not in _EIGHT_BIT:
            text = f"tensor {tensor.name!r} is {tensor.type}, only INT8 and UINT8 map"
            return Objection(text, _eight_bit(tensor), _SHAPES)
    return None


def _eight_bit(tensor: Tensor) -> str:
    if tensor.type.startswith("FLOAT"):
        return "quantize to full integer, with 8-bit inputs and outputs"
    return "quantize activations to 8 bit; do arithmetic on other integers on the host"


def _deep(tensors: list[Tensor]) -> Objection | None:
    for tensor in tensors:
        if any(size != 1 for size in tensor.shape[:-_DEPTHS]):
            text = f"tensor {tensor.name!r} {list(tensor.shape)}: more than 3 inner dimensions"
            return Objection(text, "use a batch of 1 and at most 3 dimensions above 1", _SHAPES)
    return None


def _changing(tensors: list[Tensor]) -> Objection | None:
    for tensor in tensors:
        if not tensor.constant and not tensor.variable:
            text = f"parameter {tensor.name!r} is no constant"
            return Objection(text, "make it a constant when converting", _SHAPES)
    return None


def _too_new(op: Op) -> Verdict:
    return Verdict(
        "no",
        f"version {op.version}, the compiler 16.0 knows up to {highest(op.name)} and refuses the "
        "whole file",
        f"{ISSUES}631",
        remedy(op.name, op.version),
        refused=True,
    )


def _unlisted(op: Op) -> Verdict:
    if op.name == "CUSTOM":
        return Verdict(
            "no",
            "a custom op",
            f"{ISSUES}515",
            "it runs on the CPU; leave it at the very end, or do its work on the host",
        )
    change = _INSTEAD.get(op.name, "replace it with ops of Coral's list, or do it on the host")
    return Verdict("no", "not in Coral's list of supported ops", OPS, change)
