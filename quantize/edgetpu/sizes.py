"""Limits of size that nobody published: what logs and compiled models show of them.

Between a size that was mapped and one that was not, the answer is unknown.
"""

import math
from typing import Final

from corrosion_edge.network.graph import Tensor
from corrosion_edge.quantize.edgetpu.graph import Op
from corrosion_edge.quantize.edgetpu.objection import ISSUES, Objection

__all__ = [
    "bilinear_size",
    "mean_area",
    "nearest_size",
    "overlapping",
    "reshape_size",
    "softmax_size",
]

_PAIRS: Final = "https://github.com/google-coral/test_data"

_SOFTMAX_MOST = 16_000
_MEAN_MAPPED, _MEAN_REFUSED = 64 * 128, 256 * 128
_RESIZE_MAPPED, _RESIZE_REFUSED = 128 * 128, 512 * 512
_RESHAPE_SURE = 500_000
_ON_CHIP = 8 * 2**20


def softmax_size(op: Op) -> Objection | None:
    """One-dimensional, at most 16,000 elements."""
    shape = op.outputs[0].shape
    if op.outputs[0].elements > _SOFTMAX_MOST and all(size == 1 for size in shape[:-1]):
        return Objection(f"{op.outputs[0].elements} elements, at most 16,000", "fewer classes")
    if all(size == 1 for size in shape[:-1]):
        return None
    return Objection(
        f"documented for one dimension, here {list(shape)}; logs show some of these mapped",
        "leave the softmax out and take it on the host",
        sure=False,
    )


def mean_area(area: int) -> Objection | None:
    """Means over large areas are not mapped."""
    if area <= _MEAN_MAPPED:
        return None
    return Objection(
        f"a mean over {area} positions; 64x128 was mapped, 256x128 was not",
        "take the mean in steps, or pool before it",
        f"{ISSUES}461",
        sure=area >= _MEAN_REFUSED,
    )


def reshape_size(op: Op) -> Objection | None:
    """Certain reshapes are not mapped for large tensors."""
    out = op.outputs[0]
    wide = sum(size > 1 for size in out.shape) > 2 and out.elements > _RESHAPE_SURE
    if not wide and out.elements <= _ON_CHIP:
        return None
    return Objection(
        f"a reshape to {list(out.shape)}; some large ones are declined, no size is published",
        "give the output without this reshape",
        f"{ISSUES}512",
        sure=False,
    )


def bilinear_size(op: Op) -> Objection | None:
    """Some sizes are not mapped, "to avoid loss in precision"."""
    before, after = _area(op.inputs[0]), _area(op.outputs[0])
    if before == 1 < after:
        return Objection(
            "bilinear from one pixel; so in deeplabv3_mnv2_dm05_pascal_quant",
            "broadcast with ADD or MUL instead",
            _PAIRS,
        )
    doubled = before <= after <= 4 * before and not op.options.get("alignCorners")
    if before == after or (doubled and after <= _RESIZE_MAPPED):
        return None
    return Objection(
        f"bilinear from {before} to {after} positions; doubling up to 128x128 is known to map, "
        "512x512 is not mapped",
        "resize by 2 at a time, or on the host",
        f"{ISSUES}31",
        sure=after >= _RESIZE_REFUSED,
    )


def nearest_size(op: Op) -> Objection | None:
    """Some sizes are not mapped."""
    after = _area(op.outputs[0])
    if after <= _RESIZE_MAPPED:
        return None
    return Objection(
        f"nearest neighbour to {after} positions; a U-Net mapped at 128x128, not at 256x256",
        "resize at a smaller size",
        f"{ISSUES}187",
        sure=False,
    )


def overlapping(op: Op) -> Objection | None:
    """Transposed convolutions with a kernel no larger than the stride failed."""
    weights = op.inputs[1]
    stride = max(op.options.get("strideW", 1), op.options.get("strideH", 1))
    if not weights or stride == 1 or max(weights.shape[1:3], default=0) > stride:
        return None
    return Objection(
        f"a kernel of {list(weights.shape[1:3])} at stride {stride}; one such failed to compile",
        "use a kernel of 3x3, or resize and convolve",
        f"{ISSUES}509",
        sure=False,
    )


def _area(tensor: Tensor | None) -> int:
    return math.prod(tensor.shape[1:3]) if tensor else 0
