"""The input's scaling folded into the first convolution, so that pixels go in as they are.

Scaling a pixel is x = a * pixel + b, with an a and b for each colour; the convolution of that is
one of pixel - z with the weights times a and another bias, for any z. The z matters at the border
alone: what lies outside the picture is 0 there, that is, the pixel z, while before it was the
pixel -b / a. Where that is one whole number for all colours, as with EfficientNet-Lite0's 127,
folding is exact. With ImageNet's means (124, 116, 104) the nearest z changes the last row and
column by what a border of another grey does.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.quantize.ladder.network import Network

__all__ = ["Folding", "fold"]

_EXACT = 1e-3  # pixels by which z may miss -b / a and still be exact for all that int8 can see


@dataclass(frozen=True, slots=True)
class Folding:
    """How the input was folded: pixel ``zero`` stands for 0, ``exact`` where that holds for all."""

    zero: int
    exact: bool


def fold(network: Network) -> tuple[Network, Folding] | None:
    """Fold the scaling in front of the first convolution; None where there is nothing to fold."""
    chain = []
    for op in network.ops:
        if op.kind not in ("MUL", "SUB", "ADD") or op.inputs[1] not in network.constants:
            break
        chain.append(op)
    first = network.ops[len(chain)]
    if not chain or first.kind != "CONV_2D":
        return None
    a, b = _affine(network, chain)
    zeros = -b / a
    zero = int(np.clip(round(float(zeros.mean())), 0, 255))
    weights, bias = (network.constants[i] for i in first.inputs[1:3])
    scaled = weights * a
    shifted = bias + (weights * (a * zero + b)).sum(axis=(1, 2, 3))
    narrow = (scaled.astype(np.float32), shifted.astype(np.float32))
    changed = dict(zip(first.inputs[1:3], narrow, strict=True))
    ops = (
        replace(first, inputs=(network.input, *first.inputs[1:])),
        *network.ops[len(chain) + 1 :],
    )
    exact = bool(np.abs(zeros - zero).max() < _EXACT)
    return replace(network.with_constants(changed), ops=ops, offset=zero), Folding(zero, exact)


def _affine(network: Network, chain: list[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    a, b = np.ones(3), np.zeros(3)
    for op in chain:
        value = network.constants[op.inputs[1]].reshape(-1).astype(np.float64)
        if op.kind == "MUL":
            a, b = a * value, b * value
        else:
            b = b + value if op.kind == "ADD" else b - value
    return a, b
