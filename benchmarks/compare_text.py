"""A comparison as words."""

from pathlib import Path

from corrosion_edge.benchmarks.compare import Comparison
from corrosion_edge.benchmarks.wording import aligned, ms

__all__ = ["comparison_text"]


def comparison_text(found: Comparison) -> str:
    """A comparison for a terminal, without the final newline."""
    head = ("file", "model", "on", "threads", "frame", "series", "p50", "p50 of first", "ratio",
            "95 % interval", "differs")  # fmt: skip
    rows = [
        (
            Path(row.second).name,
            _both(row.second_model, row.first_model),
            row.backend,
            str(row.threads),
            row.size,
            row.series,
            ms(row.second_p50_ms),
            ms(row.first_p50_ms),
            f"{row.ratio.value:.3f}",
            f"{row.ratio.low:.3f} to {row.ratio.high:.3f}",
            "yes" if row.ratio.differs else "not shown",
        )
        for row in found.rows
    ]
    first = f"against {found.rows[0].first}; a ratio below 1 is faster than it"
    return "\n".join([*aligned([head, *rows]), "", first, *found.notes])


def _both(one: str, other: str) -> str:
    return one if one == other else f"{one} / {other}"
