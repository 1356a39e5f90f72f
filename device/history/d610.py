"""Rust grades by rusted area, as ASTM D610 has them; here of a heat map, which is a screening."""

from typing import Final

__all__ = ["GRADES", "band"]

GRADES: Final = (
    (0.0001, 10),
    (0.0003, 9),
    (0.001, 8),
    (0.003, 7),
    (0.01, 6),
    (0.03, 5),
    (0.10, 4),
    (0.16, 3),
    (0.33, 2),
    (0.50, 1),
    (1.0, 0),
)
"""Largest rusted share of the surface and its grade: ASTM D610, scale of rust grades."""


def band(area: float, cells: int) -> str:
    """The grades that an area of ``cells`` equal cells is between, such as ``4 to 5``.

    ``area`` in [0, 1] is the share of cells that speak for corrosion. A map cannot tell less than
    one cell, so the true share may lie one cell below or above; ValueError out of range.
    """
    if not (0 <= area <= 1 and cells >= 1):
        raise ValueError(f"expected an area in [0, 1] of 1 cell or more, got {area} of {cells}")
    worst, best = _grade(min(1.0, area + 1 / cells)), _grade(max(0.0, area - 1 / cells))
    return f"{worst}" if worst == best else f"{worst} to {best}"


def _grade(area: float) -> int:
    return next(grade for most, grade in GRADES if area <= most)
