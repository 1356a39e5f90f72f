"""The tensors of a conversion as sections of a page, as a page of their own, and as files."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from corrosion_edge import output
from corrosion_edge.quantize.layers.findings import FIELDS, Findings, Row
from corrosion_edge.quantize.layers.plots import losses_by_block, snr_by_depth
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render

__all__ = ["WORST", "sections", "worst_rows", "write_layers"]

WORST: Final = ("tensor", "SNR, dB", "loss", "mean |Δp|", "share", "gain in float", "how")
"""The head of ``worst_rows``."""

_MOST: Final = 15
_ROWS: Final = 30  # of a table, from which on the next block begins another
_SNR: Final = (
    "Signal-to-quantization-noise ratio, 10 log10 of the sum of x² over the sum of (x − int8)², "
    "over all photos: the float network against what the device's own runtime computes, errors of "
    "earlier layers included. 6 dB are one bit."
)
_LOSS: Final = (
    "Loss: what a tensor's rounding alone does to the log-odds, root mean square over the photos "
    "(share: of all squared losses; |Δp|: the probability's change). Gain: how much smaller the "
    "noise of the whole becomes with this one in float; below 0 it grows, as where weights were "
    "solved to make up for other tensors' errors. “estimated” is the first-order term of the "
    "gradient, “measured” another run of the network."
)
_ALL: Final = ("tensor", "SNR, dB", "rounded alone, or worst channel", "range", "clipped", "levels",
               "bias, steps", "error, steps", "loss")  # fmt: skip


def sections(found: Mapping[str, Findings], *, every: bool = False) -> list[Section]:
    """What was found of one conversion, or of two by their titles: in two, first the plainer.

    With ``every`` all tensors of the last are listed, otherwise the worst.
    """
    made = [Section("Signal and noise, tensor by tensor", list(_overview(found)))]
    if every:
        rows = list(found.values())[-1].rows
        made.append(Section(f"All {len(rows)} tensors", list(_tables(rows))))
    return made


def worst_rows(findings: Findings, most: int = _MOST) -> list[tuple[str, ...]]:
    """A row of ``WORST`` for each of the tensors with the largest losses, as text."""
    return [
        (
            row.name,
            _db(row.snr),
            f"{row.loss:.4f}",
            f"{row.mean_change:.4f}",
            f"{row.share:.1%}",
            f"{row.gain:+.4f}",
            "measured" if row.measured else "estimated",
        )
        for row in findings.worst[:most]
    ]


def write_layers(folder: Path, title: str, subtitle: str, findings: Findings) -> Path:
    """Write layers.html, .csv and .json; returns the page's path (OutputError)."""
    page = Page(title, subtitle, sections({title: findings}, every=True))
    rows = [[getattr(row, name) for name in FIELDS] for row in findings.rows]
    output.write(folder / "layers.csv", output.csv_text(FIELDS, rows))
    output.write(folder / "layers.json", output.json_text(findings.to_dict()))
    output.write(folder / "layers.html", render(page))
    return folder / "layers.html"


def _overview(found: Mapping[str, Findings]) -> Iterator[Block]:
    for title, findings in found.items():
        lead = f"{title}. " if len(found) > 1 else ""
        yield Text(lead + " ".join(findings.sentences))
    caption = (
        "Signal to noise by depth: a point for each tensor, lines through the medians of blocks; "
        "crosses are in front of a sigmoid, where what lies far below 0 may be lost"
    )
    yield Figure(snr_by_depth(found), caption, caption)
    caption = "Where the loss is made: squared changes of the log-odds by single tensors, by block"
    yield Figure(losses_by_block(found), caption, caption)
    yield Text(_SNR)
    yield Text(_LOSS)
    for title, findings in found.items():
        yield Table(("left in float", "noise left"), _left(findings), _of("Noise", title, found))
        worst = _of("The tensors that lose most", title, found)
        yield Table(WORST, worst_rows(findings), worst)


def _of(what: str, title: str, found: Mapping[str, Findings]) -> str:
    return what if len(found) == 1 else f"{what}: {title}"


def _left(findings: Findings) -> list[tuple[str, str]]:
    rows = [("nothing, in the runtime", f"{findings.noise:.4f}"),
            ("nothing, simulated", f"{findings.simulated:.4f}")]  # fmt: skip
    for name, noise in findings.left.items():
        count, _, kind = name.partition(" ")
        what = f"the {count} worst {kind}" if count != "1" else f"the worst {kind.rstrip('s')}"
        rows.append((what if kind else f"all {name}", f"{noise:.4f}"))
    return [*rows, ("everything, the input's scaling folded", f"{findings.folding:.4f}")]


def _tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Tables that end with a block, so that heads stay near."""
    part: list[Row] = []
    for row in rows:
        if len(part) >= _ROWS and row.block != part[-1].block:
            yield _table(part)
            part = []
        part.append(row)
    yield _table(part)


def _table(rows: Sequence[Row]) -> Table:
    first, last = rows[0].block, rows[-1].block
    caption = first if first == last else f"{first} to {last}"
    return Table(_ALL, [_all(row) for row in rows], caption)


def _all(row: Row) -> tuple[str, ...]:
    other = row.own if row.kind == "activation" else row.worst_channel
    loss = "–" if row.loss is None else f"{row.loss:.4f}"
    if row.kind == "weights":
        return (row.name, _db(row.snr), _db(other), "–", "–", "–", "–", "–", loss)
    return (row.name, _db(row.snr), _db(other), f"{row.low:.4g} to {row.high:.4g}",
            f"{row.clipped:.2%}", f"{row.levels}", f"{row.bias:+.2f}", f"{row.rmse:.2f}",
            loss)  # fmt: skip


def _db(value: float | None) -> str:
    if value is None:
        return "–"
    return "exact" if value == math.inf else f"{value:.1f}"
