"""How a conversion came about, for its page and its JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corrosion_edge.precision import PRECISIONS
from corrosion_edge.quantize.edgetpu.page import edgetpu_section
from corrosion_edge.quantize.edgetpu.target import Aimed
from corrosion_edge.quantize.ladder.ladder import Rung
from corrosion_edge.quantize.ladder.page import rungs_section
from corrosion_edge.quantize.layers.findings import Findings
from corrosion_edge.quantize.layers.page import sections
from corrosion_edge.quantize.precision.page import comparison_section, diagnosis_section
from corrosion_edge.quantize.precision.side_by_side import SideBySide
from corrosion_edge.report import Section

__all__ = ["Found"]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The conversions that were tried, the one ``taken``, what an Edge TPU would run of it.

    If they were asked for: other precisions beside it, and what each tensor loses, by conversion.
    """

    rungs: Sequence[Rung]
    taken: Rung
    aimed: Aimed
    compared: SideBySide | None = None
    layers: Mapping[str, Findings] = field(default_factory=dict)

    def sections(self) -> list[Section]:
        """What the page says of it."""
        searched = self.taken.name not in PRECISIONS
        first = rungs_section(self.rungs, self.taken) if searched else diagnosis_section(self.taken)
        beside = [comparison_section(self.compared)] if self.compared else []
        tensors = sections(self.layers) if self.layers else []
        return [first, *beside, *tensors, edgetpu_section(self.aimed)]

    def to_dict(self) -> dict[str, Any]:
        """``rungs``, the name of the ``rung`` taken, ``edgetpu``; ``compared`` and ``layers``
        if they were asked for."""
        found: dict[str, Any] = {
            "rungs": [rung.to_dict() for rung in self.rungs],
            "rung": self.taken.name,
            "edgetpu": self.aimed.to_dict(),
        }
        if self.compared:
            found["compared"] = self.compared.to_dict()
        if self.layers:
            found["layers"] = {name: one.to_dict() for name, one in self.layers.items()}
        return found
