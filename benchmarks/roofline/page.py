"""A roofline as a table for the terminal, as plain values, and as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from corrosion_edge.benchmarks.roofline.measure import Point, Roofline
from corrosion_edge.benchmarks.roofline.plot import draw
from corrosion_edge.benchmarks.wording import (
    aligned,
    gigabytes,
    machine_rows,
    megabytes,
    ms,
    state_rows,
)
from corrosion_edge.report import Figure, Page, Section, Table, Text, render

__all__ = ["HEAD", "PARTS", "html", "limit", "part_rows", "plain", "rows", "text", "void"]

HEAD: Final = (
    "", "model", "MMAC", "parameters", "activations", "MAC a byte", "invoke p50", "GMAC/s",
    "of the peak", "multiplying", "parameters read", "all moved", "the limit",
)  # fmt: skip
PARTS: Final = ("model", "operators", "how many", "MMAC", "moved", "estimate", "of the invoke")
_MOSTLY: Final = 0.5
_ESTIMATED: Final = (
    "Estimated from the graph, not measured: the runtime's Python interface has no profile. "
    "Estimate: the longer of multiplying at the peak and moving what each operator reads, "
    "parameters too, and writes, as if no cache held any. The rest of the invoke is what kernels "
    "take beyond that: depthwise convolutions multiply below the peak, element-wise operators "
    "rescale and look up each value, and one operator hands over to the next. How much of it each "
    "kind takes is not known."
)
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


def void(found: Sequence[Roofline]) -> list[str]:
    """Why not to trust it, with the number of threads where there are several; empty if one may."""
    return [_named(found, one, reason) for one in found for reason in one.void]


def _named(found: Sequence[Roofline], one: Roofline, words: str) -> str:
    return f"{_threads(one)}: {words}" if len(found) > 1 else words


def _threads(roofline: Roofline) -> str:
    return f"{roofline.threads} thread{'s' * (roofline.threads > 1)}"


def part_rows(roofline: Roofline) -> list[tuple[str, ...]]:
    """A row for each model and kind of operator, as in ``PARTS``, the longest first."""
    return [row for point in roofline.points for row in _part_rows(roofline, point)]


def _part_rows(roofline: Roofline, point: Point) -> Iterator[tuple[str, ...]]:
    kind = point.cost.kind
    parts = sorted(point.cost.parts, key=lambda p: roofline.estimate_of(p, kind), reverse=True)
    floors = [roofline.estimate_of(part, kind) for part in parts]
    for part, floor in zip(parts, floors, strict=True):
        yield (
            point.name, part.name, str(part.operators), f"{part.macs / 1e6:.0f}",
            megabytes(part.moved_bytes), ms(1000 * floor), f"{floor / point.seconds:.0%}",
        )  # fmt: skip
    rest = max(0.0, point.seconds - sum(floors))
    yield (point.name, "the rest", "", "", "", ms(1000 * rest), f"{rest / point.seconds:.0%}")


def text(found: Sequence[Roofline]) -> str:
    """For a terminal, without the final newline."""
    lines: list[str] = []
    for one in found:
        facts = [f"{name}: {value}" for name, value in _facts(one)]
        lines += [*facts, "", *aligned([HEAD, *rows(one)]), ""]
        lines += ["estimated, not measured:", *aligned([PARTS, *part_rows(one)]), ""]
    return "\n".join([*lines, *(f"void: {reason}" for reason in void(found))]).rstrip()


def plain(found: Sequence[Roofline]) -> dict[str, Any]:
    """Plain values for JSON; seconds, bytes, multiply-accumulates a second."""
    return {"runs": [_plain(one) for one in found]}


def _plain(roofline: Roofline) -> dict[str, Any]:
    made = asdict(roofline)
    for told, point in zip(made["points"], roofline.points, strict=True):
        names = ("multiplying_s", "parameters_read_s", "all_moved_s")
        told["at_least"] = dict(zip(names, roofline.floors(point), strict=True))
        told["limit"] = limit(roofline, point)
        for part, cost in zip(told["cost"]["parts"], point.cost.parts, strict=True):
            part["estimated_s"] = roofline.estimate_of(cost, point.cost.kind)
    return made


def html(found: Sequence[Roofline]) -> str:
    """One self-contained HTML document."""
    machine = found[0].machine
    reasons = [f"void: {reason}" for reason in void(found)]
    sections = [Section("Void", [Text("\n".join(reasons), "warning")])] if reasons else []
    for one in found:
        sections += _sections(one, f", {_threads(one)}" if len(found) > 1 else "")
    sections += [
        Section("How it was measured", [Text(_METHOD)]),
        Section("Machine", [
            Table(("fact", "value"), machine_rows(machine)),
            *(Table(("state", "before", "after"), state_rows(one.before, one.after), _shared(one))
              for one in found),
        ]),
    ]  # fmt: skip
    return render(Page("What limits each model", f"{machine.cpu} · {machine.os}", sections))


def _sections(one: Roofline, threads: str) -> list[Section]:
    caption = "Roofs: memory's speed, then the peak of each kind of number. Dots: the models."
    return [
        Section(f"Models{threads}", [Table(HEAD, rows(one), "1 MB is 10^6 bytes")]),
        Section(f"Roofline{threads}", [Figure(draw(one), caption, caption)]),
        Section(f"Kinds of operators{threads}", [Table(PARTS, part_rows(one)), Text(_ESTIMATED)]),
        Section(f"Peaks{threads}", [Table(("what", "found"), _facts(one))]),
    ]


def _shared(one: Roofline) -> str:
    cores = one.others_cores
    told = cores if isinstance(cores, str) else f"{cores:.2f}"
    return (f"With {_threads(one)}. Meanwhile other programs used {told} cores, and "
            f"{one.swapped_pages} pages of memory were swapped")  # fmt: skip
