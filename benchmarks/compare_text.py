"""A comparison as words."""

from pathlib import Path
from typing import Final

from corrosion_edge.benchmarks.compare import Comparison
from corrosion_edge.benchmarks.compare_series import Unit
from corrosion_edge.benchmarks.ratios import Ratio
from corrosion_edge.benchmarks.wording import aligned, ms

__all__ = ["comparison_text"]

_DIFFERS: Final = {True: "yes", False: "not shown", None: "not known"}


def comparison_text(found: Comparison) -> str:
    """A comparison for a terminal, without the final newline."""
    head = ("file", "model", "on", "threads", "frame", "series", "value", "of first", "ratio",
            "95 % interval", "differs")  # fmt: skip
    rows = [
        (
            Path(row.second).name,
            _both(row.second_model, row.first_model),
            row.backend,
            str(row.threads),
            row.size,
            row.series,
            _value(row.second_value, row.unit),
            _value(row.first_value, row.unit),
            f"{row.ratio.value:.3f}",
            _interval(row.ratio),
            _DIFFERS[row.ratio.differs],
        )
        for row in found.rows
    ]
    first = f"against {found.rows[0].first}; a ratio below 1 is faster than it, of memory less"
    if any(row.unit == "1/s" for row in found.rows):
        first += ", of a sustained run's frames/s slower"
    return "\n".join([*aligned([head, *rows]), "", first, *found.notes])


def _value(value: float, unit: Unit) -> str:
    return ms(value) if unit == "ms" else f"{value:.1f} {unit}"


def _interval(ratio: Ratio) -> str:
    return "-" if ratio.interval is None else "{:.3f} to {:.3f}".format(*ratio.interval)


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} / {other}"
