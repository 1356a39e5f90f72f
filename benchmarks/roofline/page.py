"""A roofline as a table for the terminal, as plain values, and as a page."""

from dataclasses import asdict
from typing import Any, Final

from corrosion_edge.benchmarks.roofline.measure import Point, Roofline
from corrosion_edge.benchmarks.roofline.plot import draw
from corrosion_edge.benchmarks.wording import aligned, gigabytes, machine_rows, megabytes, ms
from corrosion_edge.report import Figure, Page, Section, Table, Text, render

__all__ = ["HEAD", "html", "limit", "plain", "rows", "text"]

HEAD: Final = (
    "", "model", "MMAC", "parameters", "activations", "MAC a byte", "invoke p50", "GMAC/s",
    "of the peak", "multiplying", "parameters read", "all moved", "the limit",
)  # fmt: skip
_MOSTLY: Final = 0.5
_METHOD: Final = (
    "A peak is what the runtime's own kernels reach on a network of nothing but large 1 x 1 "
    "convolutions; memory is what copying large arrays reads and writes a second. Peaks, copying "
    "and models took turns. The three times are what a model needs at least: for its "
    "multiply-accumulates at the peak; for reading its parameters once; and for moving every "
    "activation through memory, which caches spare it in part. Where none of the three makes up "
    "half of the invoke, what is left is small or element-wise operators and handing over."
)


def limit(roofline: Roofline, point: Point) -> str:
    """What makes up more than half of the invoke: multiplying, memory, or neither."""
    multiply, read, moved = (floor / point.seconds for floor in roofline.floors(point))
    if multiply >= _MOSTLY:
        return "multiplying"
    if read >= _MOSTLY:
        return "memory"
    return "memory, where caches hold little" if moved >= _MOSTLY else "neither"


def rows(roofline: Roofline) -> list[tuple[str, ...]]:
    """A row for each model, as in ``HEAD``."""
    return [(str(n), *_row(roofline, point)) for n, point in enumerate(roofline.points, 1)]


def _row(roofline: Roofline, point: Point) -> tuple[str, ...]:
    cost = point.cost
    share = f"{point.of_peak:.0%} ({point.least:.0%} to {point.most:.0%}) of {cost.kind}"
    return (
        point.name, f"{cost.macs / 1e6:.0f}", megabytes(cost.parameter_bytes),
        megabytes(cost.activation_bytes), f"{cost.intensity:.1f}", ms(1000 * point.seconds),
        f"{cost.macs / point.seconds / 1e9:.1f}", share,
        *(ms(1000 * floor) for floor in roofline.floors(point)), limit(roofline, point),
    )  # fmt: skip


def _facts(roofline: Roofline) -> list[tuple[str, str]]:
    peaks = [
        (f"peak, {kind}", f"{peak / 1e9:.0f} GMAC/s (squares of {side}, {channels} channels)")
        for (kind, peak), (channels, side) in zip(
            roofline.peaks.items(), roofline.shapes.values(), strict=True
        )
    ]
    copied = f"{roofline.bytes_per_second / 1e9:.1f} GB/s, copying {_megs(roofline.copied_bytes)}"
    if roofline.copied_bytes < 4 * roofline.cache_bytes:
        copied += f", of which a cache of {_megs(roofline.cache_bytes)} may hold much"
    return [*peaks, ("memory", copied), ("threads", str(roofline.threads)),
            ("runtime", roofline.runtime), ("rounds", str(roofline.rounds))]  # fmt: skip


def _megs(count: int) -> str:
    return gigabytes(count) if count >= 1e9 else megabytes(count)


def text(roofline: Roofline) -> str:
    """For a terminal, without the final newline."""
    facts = [f"{name}: {value}" for name, value in _facts(roofline)]
    return "\n".join([*facts, "", *aligned([HEAD, *rows(roofline)])])


def plain(roofline: Roofline) -> dict[str, Any]:
    """Plain values for JSON; seconds, bytes, multiply-accumulates a second."""
    found = asdict(roofline)
    for told, point in zip(found["points"], roofline.points, strict=True):
        names = ("multiplying_s", "parameters_read_s", "all_moved_s")
        told["at_least"] = dict(zip(names, roofline.floors(point), strict=True))
        told["limit"] = limit(roofline, point)
    return found


def html(roofline: Roofline) -> str:
    """One self-contained HTML document."""
    machine = roofline.machine
    caption = "Roofs: memory's speed, then the peak of each kind of number. Dots: the models."
    sections = [
        Section("Models", [Table(HEAD, rows(roofline), "1 MB is 10^6 bytes")]),
        Section("Roofline", [Figure(draw(roofline), caption, caption)]),
        Section("Peaks", [Table(("what", "found"), _facts(roofline)), Text(_METHOD)]),
        Section("Machine", [Table(("fact", "value"), machine_rows(machine))]),
    ]
    return render(Page("What limits each model", f"{machine.cpu} · {machine.os}", sections))
