"""The kept values, and what is said of a ratio beside its own."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from statistics import median

from corrosion_edge.errors import UsageError

__all__ = ["Finding", "Kept", "read_kept", "table"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A ratio, which may be worse by the share ``room``; ``better`` is lower or higher."""

    kept: float
    room: float
    better: str

    def __post_init__(self) -> None:
        if not (self.kept > 0 and self.room >= 0 and self.better in ("lower", "higher")):
            raise ValueError("expected kept above 0, room from 0, better lower or higher")

    @property
    def limit(self) -> float:
        """The worst that passes."""
        if self.better == "lower":
            return self.kept * (1 + self.room)
        return self.kept / (1 + self.room)


@dataclass(frozen=True, slots=True)
class Finding:
    """The ratios of all rounds of one measure."""

    name: str
    what: str
    ratios: tuple[float, ...]
    kept: Kept

    @property
    def ratio(self) -> float:
        """Their median."""
        return median(self.ratios)

    @property
    def passes(self) -> bool:
        """Whether it is no worse than the limit."""
        if self.kept.better == "lower":
            return self.ratio <= self.kept.limit
        return self.ratio >= self.kept.limit


def read_kept(file: Path | None = None) -> Mapping[str, Kept]:
    """The kept values of a file, by measure; None for those in the package (UsageError)."""
    source = file or resources.files(__package__).joinpath("kept.toml")
    try:
        found = tomllib.loads(source.read_text(encoding="utf-8"))
        return {name: Kept(**fields) for name, fields in found.items()}
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise UsageError(f"{source}: cannot be used ({error})") from None


def table(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """A row for each finding, after a head."""
    head = ("measure", "ratio", "least", "most", "kept", "limit", "", "what")
    rows = [
        (one.name, f"{one.ratio:.2f}", f"{min(one.ratios):.2f}", f"{max(one.ratios):.2f}",
         f"{one.kept.kept:.2f}", f"{one.kept.limit:.2f}", "ok" if one.passes else "SLOWER",
         one.what)
        for one in findings
    ]  # fmt: skip
    return [head, *rows]
