"""What a limit says against an op."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from corrosion_edge.quantize.edgetpu.graph import Op

__all__ = ["ISSUES", "OPS", "Limit", "Objection"]

OPS: Final = "https://coral.ai/docs/edgetpu/models-intro/#supported-operations"
ISSUES: Final = "https://github.com/google-coral/edgetpu/issues/"


@dataclass(frozen=True, slots=True)
class Objection:
    """What stands against an op: ``sure``, or a size whose limit nobody published."""

    text: str
    change: str
    source: str = OPS
    sure: bool = True


Limit = Callable[[Op], Objection | None]
