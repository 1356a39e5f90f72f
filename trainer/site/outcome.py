"""What came of training on a site."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.confidence import Confidence
from corrosion_edge.trainer.site.figures import Change
from corrosion_edge.trainer.site.parent import Parent
from corrosion_edge.trainer.site.trials import Contest

__all__ = ["TITLES", "Outcome", "Pair"]

TITLES = {
    "site": "the site",
    "site test": "the site, test",
    "validation": "old validation",
    "test": "old test",
}
"""The sets of photos that are judged, in the order of tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Labels int64 [n] and scores float64 [n] of the same photos, before and after."""

    labels: npt.NDArray[np.int64]
    before: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """The figures of a site's training, good or refused.

    ``changes`` and the ``pairs`` behind them are by set of photos (``TITLES``); ``broken`` has a
    sentence for each limit of forgetting that was broken. ``site`` describes the site's photos
    and options in plain values, ``notes`` says what a reader must know, ``unreadable`` names the
    photos that were left out.
    """

    changes: Mapping[str, Change]
    pairs: Mapping[str, Pair]
    broken: tuple[str, ...]
    contest: Contest
    confidence: Confidence
    parent: Parent
    site: Mapping[str, Any]
    notes: tuple[str, ...]
    unreadable: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the changes, the candidates, what was chosen, what was broken."""
        return {
            "changes": {name: change.to_dict() for name, change in self.changes.items()},
            "measured_by": self.site["measured_by"],
            "limits": self.site["limits"],
            "broken": list(self.broken),
            "chosen": self.contest.chosen.name,
            "candidates": self.contest.rows,
            "notes": list(self.notes),
            "confidence": self.confidence.to_dict(),
        }
