"""The photos that two models were compared on, and all that was found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.precision import INT8
from corrosion_edge.quantize.drift import compare, compare_further
from corrosion_edge.quantize.evidence.comparison import Comparison, DriftReport
from corrosion_edge.quantize.evidence.limits import Check, Limits
from corrosion_edge.trainer.samples import Samples

__all__ = ["Compared", "Evidence", "Scored"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A named set of photos with the probabilities of both models, float64 [n] each."""

    name: str
    samples: Samples
    before: Scores
    after: Scores

    def __post_init__(self) -> None:
        if not len(self.samples) == len(self.before) == len(self.after):
            raise ValueError(
                f"{self.name}: expected two scores for each of {len(self.samples)} photos, got "
                f"{len(self.before)} and {len(self.after)}"
            )

    def place(self, index: int) -> str:
        """A photo's name for readers: folder and file."""
        return "/".join(self.samples.photos[index].path.parts[-2:])


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A set and what the comparison on it found."""

    scored: Scored
    report: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that was found about a conversion.

    ``main`` is on the photos of the gate, ``data`` those photos; ``further`` are the other sets.
    """

    main: DriftReport
    data: Scored
    further: tuple[Compared, ...] = ()

    @classmethod
    def of(
        cls,
        data: Scored,
        further: Sequence[Scored],
        threshold: float,
        limits: Limits,
        converted: str = INT8,
    ) -> "Evidence":
        """Compare on every set, with intervals (DataError if ``data`` has only one class).

        ``converted`` is the precision of the model that is not the float one.
        """
        main = compare(data.samples.labels, data.before, data.after, threshold, limits)
        others = [
            Compared(s, replace(compare_further(s.samples.labels, s.before, s.after, threshold,
                                                limits), converted=converted))
            for s in further
        ]  # fmt: skip
        return cls(replace(main, converted=converted), data, tuple(others))

    def with_check(self, check: Check) -> "Evidence":
        """The same with one more limit judged on the gate's photos."""
        return replace(self, main=replace(self.main, checks=(*self.main.checks, check)))

    @property
    def converted(self) -> str:
        """The precision of the model that is compared with the float one."""
        return self.main.converted

    @property
    def sets(self) -> tuple[Compared, ...]:
        """Every set, the gate's first."""
        return (Compared(self.data, self.main), *self.further)

    @property
    def checks(self) -> list[tuple[str, Check]]:
        """Every limit that was judged, with the name of the set it was judged on."""
        return [(s.scored.name, check) for s in self.sets for check in s.report.checks]

    @property
    def broken(self) -> list[str]:
        """A sentence for each limit that was not kept; those of further sets name the set."""
        found = list(self.main.broken)
        for one in self.further:
            found += [f"{sentence}, on {one.scored.name}" for sentence in one.report.broken]
        return found

    @property
    def unreadable(self) -> tuple[str, ...]:
        """A sentence for each photo that was left out."""
        return tuple(line for s in self.sets for line in s.scored.samples.unreadable)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: those of ``main``; ``also`` by name of the set; ``broken`` of all."""
        also = {s.scored.name: s.report.to_dict() for s in self.further}
        found = self.main.to_dict() | {"on": self.data.name, "also": also}
        return found | {"broken": self.broken}

    def rows(self) -> list[tuple[str, Path, int, str, str]]:
        """Set, path, label (1 = corrosion), float's and the other's score of every photo."""
        return [
            (one.scored.name, photo.path, photo.label, f"{before:.6f}", f"{after:.6f}")
            for one in self.sets
            for photo, before, after in zip(
                one.scored.samples.photos, one.scored.before, one.scored.after, strict=True
            )
        ]
