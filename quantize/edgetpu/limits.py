"""What the compiler asks of each op beyond 8-bit tensors of fixed size: one function per limit.

A limit is a function of an op that returns None where it is kept, or what stands against it. The
texts follow https://coral.ai/docs/edgetpu/models-intro/#supported-operations; where a thread or a
compiled model is the source, the objection names it.
"""

import math
from collections.abc import Sequence

from corrosion_edge.network.graph import Tensor
from corrosion_edge.quantize.edgetpu.graph import Op, integers, numbers
from corrosion_edge.quantize.edgetpu.objection import ISSUES, Objection
from corrosion_edge.quantize.edgetpu.sizes import mean_area

__all__ = [
    "concatenated_zeros",
    "default_weights",
    "flat_output",
    "keeps_depth",
    "leading_ones",
    "mean_axes",
    "no_activation",
    "over_batch",
    "packs_batch",
    "pads_batch",
    "plain_slice",
    "same_dilation",
    "shared_alpha",
    "splits_batch",
    "ungrouped",
]

_NO_ACTIVATION = 0
_DEFAULT_WEIGHTS = 0
_DEPTH_STEP = 4


def same_dilation(op: Op) -> Objection | None:
    """The dilation in x and y must be the same."""
    x, y = op.options.get("dilationWFactor", 1), op.options.get("dilationHFactor", 1)
    if x == y:
        return None
    return Objection(f"dilation {x} in x, {y} in y", "use the same dilation in x and y")


def ungrouped(op: Op) -> Objection | None:
    """Grouped convolutions are not documented."""
    data, weights = op.inputs[0], op.inputs[1]
    if not data or not weights or data.shape[-1:] == weights.shape[-1:]:
        return None
    return Objection(
        f"a grouped convolution: {data.shape[-1]} channels in, weights for {weights.shape[-1]}",
        "split the channels and convolve each group by itself",
        sure=False,
    )


def no_activation(op: Op) -> Objection | None:
    """No fused activation function."""
    if op.options.get("fusedActivationFunction", 0) == _NO_ACTIVATION:
        return None
    return Objection("a fused activation function", "make the activation an op of its own")


def default_weights(op: Op) -> Objection | None:
    """Fully connected weights in the default format."""
    if op.options.get("weightsFormat", 0) == _DEFAULT_WEIGHTS:
        return None
    return Objection("shuffled weights", "convert again, with weights in the default format")


def flat_output(op: Op) -> Objection | None:
    """The output is one-dimensional: only the innermost size above 1."""
    shape = op.outputs[0].shape
    if all(size == 1 for size in shape[:-1]):
        return None
    return Objection(
        f"the output {list(shape)} is not one-dimensional",
        "reduce to one vector first, or use a 1x1 CONV_2D",
    )


def concatenated_zeros(op: Op) -> Objection | None:
    """A constant input only if it is all zeros and one of two."""
    constants = [t for t in op.inputs if t and t.constant]
    if not constants:
        return None
    if len(op.inputs) == 2 and all(_zeros(t) for t in constants):
        return None
    return Objection("a constant input that is no padding with zeros", "add the constant otherwise")


def mean_axes(op: Op) -> Objection | None:
    """Not over the batch; over depth only in multiples of 4; not over very large areas."""
    batch, data, axes = over_batch(op), op.inputs[0], _axes(op, 1)
    if batch or not data or axes is None:
        return batch
    depth = len(data.shape) - 1
    if depth in axes and data.shape[depth] % _DEPTH_STEP:
        return Objection(
            f"a mean over a depth of {data.shape[depth]}, which is no multiple of 4",
            "pad the channels to a multiple of 4",
        )
    return mean_area(math.prod(data.shape[axis] for axis in axes if axis != depth))


def over_batch(op: Op) -> Objection | None:
    """Reductions leave the batch alone."""
    axes = _axes(op, 1)
    if axes is None:
        return Objection("axes that are not constant", "make the axes constants")
    return _batch(op.inputs[0], "reduces over") if 0 in axes else None


def pads_batch(op: Op) -> Objection | None:
    """Padding leaves the batch alone."""
    pads = numbers(op.inputs[1])
    if pads is None:
        return Objection("padding that is not constant", "make the padding a constant")
    return _batch(op.inputs[0], "pads") if any(pads[:2]) else None


def splits_batch(op: Op) -> Objection | None:
    """Splitting leaves the batch alone."""
    axes = _axes(op, 0, of=1)
    if axes is None:
        return Objection("an axis that is not constant", "make the axis a constant")
    return _batch(op.inputs[1], "splits") if 0 in axes else None


def packs_batch(op: Op) -> Objection | None:
    """Packing leaves the batch alone."""
    made = op.outputs[0]
    first = op.options.get("axis", 0) % max(len(made.shape), 1) == 0
    return _batch(made, "packs along") if first else None


def _batch(tensor: Tensor | None, does: str) -> Objection | None:
    # With fewer than four dimensions the first one may be no batch: then nobody documents it.
    return Objection(
        f"it {does} the first dimension, the batch",
        "use another axis",
        sure=tensor is not None and len(tensor.shape) > 3,
    )


def plain_slice(op: Op) -> Objection | None:
    """Strides of 1, no ellipsis mask, no new-axis mask."""
    steps = numbers(op.inputs[3])
    if steps is None:
        return Objection("strides that are not constant", "make the strides constants")
    if any(step != 1 for step in steps):
        return Objection(f"strides {steps}", "use strides of 1, or a pooling op")
    if op.options.get("ellipsisMask") or op.options.get("newAxisMask"):
        return Objection("an ellipsis or new-axis mask", "slice with plain begin and end")
    return None


def leading_ones(op: Op) -> Objection | None:
    """Only leading dimensions of 1 can be squeezed."""
    data = op.inputs[0]
    before = list(data.shape) if data else []
    lead = next((i for i, size in enumerate(before) if size != 1), len(before))
    if before[lead:] == list(op.outputs[0].shape)[-len(before[lead:]) :] or lead == len(before):
        return None
    return Objection(f"it squeezes {before}, not only leading ones", "use RESHAPE")


def shared_alpha(op: Op) -> Objection | None:
    """PReLU's alpha is 1-D: only the innermost size above 1."""
    alpha = op.inputs[1]
    if alpha and all(size == 1 for size in alpha.shape[:-1]):
        return None
    return Objection("an alpha per position", "share alpha over x and y: shared_axes=[1, 2]")


def keeps_depth(op: Op) -> Objection | None:
    """Transpositions that move the channels are sometimes declined."""
    order = numbers(op.inputs[1])
    if order is None:
        return Objection("an order that is not constant", "make the order a constant")
    if not order or order[-1] == len(order) - 1:
        return None
    return Objection(
        f"it moves the channels ({order}); logs show some of these declined",
        "keep the channels last throughout",
        f"{ISSUES}342",
        sure=False,
    )


def _zeros(tensor: Tensor) -> bool:
    values, zero = integers(tensor), next(iter(tensor.zero_points), 0)
    return values is not None and bool((values == zero).all())


def _axes(op: Op, place: int, of: int = 0) -> Sequence[int] | None:
    # The axes of input `of` as numbers from 0 on; None if they are not constant.
    axes, data = op.inputs[place], op.inputs[of]
    values = numbers(axes)
    if values is None or not data:
        return None
    return [v % max(len(data.shape), 1) for v in values]
