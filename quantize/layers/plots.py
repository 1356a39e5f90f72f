"""Pictures of signal-to-noise by depth and of the loss by block, as PNG files' bytes."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure as Canvas

from corrosion_edge.quantize.layers.findings import Findings, Row
from corrosion_edge.report import png_of

__all__ = ["losses_by_block", "snr_by_depth"]

_RUST, _BLUE, _GREY = "#b3430f", "#3b6ea5", "#8c8c8c"
_TICKS: Final = 24  # block names under the axis at most


def snr_by_depth(found: Mapping[str, Findings]) -> bytes:
    """SNR over the operators in order: one conversion in detail, or two against each other.

    Points are tensors, lines go through the medians of blocks; crosses are tensors in front of a
    sigmoid, where what is far below 0 may be lost.
    """
    canvas = Canvas(figsize=(10, 4.6), layout="constrained")
    axes = canvas.add_subplot()
    one, (name, last) = len(found) == 1, list(found.items())[-1]
    for title, findings in found.items():
        style = {"color": _RUST if findings is last else _GREY}
        _points(axes, [r for r in findings.rows if _activation(r)], marker=".", **style)
        _points(axes, [r for r in findings.rows if r.gated], marker="x", **style)
        label = "activations in the runtime" if one else f"{title}: activations"
        _medians(axes, findings, _activation, "snr", linewidth=1.8, label=label, **style)
    if one:
        _medians(axes, last, _activation, "own", color=_GREY, label="rounded here alone")
    label = "weights" if one else f"{name}: weights"
    _medians(axes, last, lambda r: r.worst_channel is not None, "snr", color=_BLUE, label=label)
    _block_ticks(axes, last)
    axes.set_ylabel("signal to noise, dB")
    axes.grid(alpha=0.3, axis="y")
    canvas.legend(loc="outside upper center", ncols=4, fontsize=9)
    return png_of(canvas)


def losses_by_block(found: Mapping[str, Findings]) -> bytes:
    """Sums of squared losses by block: activations and weights, or two conversions."""
    canvas = Canvas(figsize=(10, 3.9), layout="constrained")
    axes = canvas.add_subplot()
    blocks = list(dict.fromkeys(name for f in found.values() for name in f.blocks))
    places = range(len(blocks))
    if len(found) == 1:
        _stacked(axes, next(iter(found.values())), blocks)
    else:
        for shift, colour, (title, findings) in zip((-0.2, 0.2), (_GREY, _RUST), found.items(),
                                                    strict=True):  # fmt: skip
            heights = [sum(findings.blocks.get(name, (0.0, 0.0))) for name in blocks]
            axes.bar([i + shift for i in places], heights, 0.4, color=colour, label=title)
    axes.set_xticks(places, blocks, rotation=90, fontsize=8)
    axes.margins(x=0.01)
    axes.set_ylabel("squared change of log-odds,\nsum of single tensors")
    axes.grid(alpha=0.3, axis="y")
    axes.legend()
    return png_of(canvas)


def _stacked(axes: Any, findings: Findings, blocks: list[str]) -> None:
    activations, weights = zip(*(findings.blocks[name] for name in blocks), strict=True)
    axes.bar(blocks, activations, 0.7, color=_RUST, label="activations")
    axes.bar(blocks, weights, 0.7, bottom=activations, color=_BLUE, label="weights")


def _activation(row: Row) -> bool:
    return row.kind == "activation" and not row.gated and row.loss is not None


def _medians(
    axes: Any, findings: Findings, chosen: Callable[[Row], bool], field: str, **style: Any
) -> None:
    blocks: dict[str, list[tuple[int, float]]] = {}
    for row in filter(chosen, findings.rows):
        value = getattr(row, field)
        if value is not None and math.isfinite(value):
            blocks.setdefault(row.block, []).append((row.depth, value))
    if not blocks:
        return
    depths, values = zip(*(np.median(block, axis=0) for block in blocks.values()), strict=True)
    axes.plot(depths, values, **style)


def _points(axes: Any, rows: list[Row], **style: Any) -> None:
    shown = [(r.depth, r.snr) for r in rows if r.snr is not None and math.isfinite(r.snr)]
    axes.plot([d for d, _ in shown], [s for _, s in shown], linestyle="none", markersize=4,
              alpha=0.45, **style)  # fmt: skip


def _block_ticks(axes: Any, findings: Findings) -> None:
    first: dict[str, int] = {}
    for row in findings.rows:
        first.setdefault(row.block, row.depth)
    every = math.ceil(len(first) / _TICKS)
    shown = list(first.items())[::every]
    axes.set_xticks([d for _, d in shown], [b for b, _ in shown], rotation=90, fontsize=8)
    axes.margins(x=0.01)
