"""Which rows a command asks for, in the order in which they are run."""

from dataclasses import dataclass
from typing import Final, Literal

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer.reproduce.paper import BACKBONES, FINE_TUNED, OURS, RATIOS
from corrosion_edge.trainer.reproduce.rows import EXTRA, Row

__all__ = ["TABLES", "Selection"]

TABLES: Final = ("1", "2", "3", "4", "5", "extra")
"""The paper's tables, and ours of the fine-tuned rows that it does not have."""

_POOLINGS: Final[tuple[Literal["avg", "max"], ...]] = ("avg", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Tables by name, backbones by ours, poolings, and fractions to fine-tune (UsageError)."""

    tables: tuple[str, ...] = TABLES[:5]
    backbones: tuple[str, ...] = (*BACKBONES, *OURS)
    poolings: tuple[Literal["avg", "max"], ...] = _POOLINGS
    ratios: tuple[float, ...] = RATIOS

    def __post_init__(self) -> None:
        known = (*BACKBONES, *OURS, "tiny")
        for name, values, allowed in (
            ("--tables", self.tables, TABLES),
            ("--backbones", self.backbones, known),
            ("--pooling", self.poolings, _POOLINGS),
        ):
            for value in values:
                if value not in allowed:
                    raise UsageError(f"{name}: expected {', '.join(allowed)}, got {value!r}")
        if any(not 0 < ratio <= 1 for ratio in self.ratios):
            raise UsageError(f"--fine-tune: expected fractions in (0, 1], got {self.ratios}")

    def sizes(self) -> tuple[str, ...]:
        """The backbones whose layers and parameters are asked for: Table 1."""
        return self.backbones if "1" in self.tables else ()

    def rows(self) -> tuple[Row, ...]:
        """The rows to train, table after table."""
        made = [*self._frozen(), *self._fine_tuned(), *self._extra()]
        if not made and not self.sizes():
            raise UsageError(
                "no row fits: Tables 3 to 5 fine-tune efficientnetv2-b0, -b1 and -s with average "
                "pooling and 0.05, 0.1, 0.15 or 0.2; other rows are in --tables extra"
            )
        return tuple(made)

    def _frozen(self) -> list[Row]:
        if "2" not in self.tables:
            return []
        return [Row(2, name, pool) for name in self.backbones for pool in self.poolings]

    def _fine_tuned(self) -> list[Row]:
        return [row for row in self._thawed() if str(row.table) in self.tables]

    def _extra(self) -> list[Row]:
        return [row for row in self._thawed() if row.table == EXTRA and "extra" in self.tables]

    def _thawed(self) -> list[Row]:
        """Every fine-tuned row of the backbones, poolings and fractions, in its table."""
        rows = [
            Row(_table(name, pool, ratio), name, pool, ratio)
            for name in self.backbones
            for pool in self.poolings
            for ratio in self.ratios
        ]
        return sorted(rows, key=lambda row: row.table)


def _table(backbone: str, pooling: str, ratio: float) -> int:
    ours = {name: table for table, name in FINE_TUNED.items()}
    return ours.get(backbone, EXTRA) if pooling == "avg" and ratio in RATIOS else EXTRA
