"""From the seconds of a small training to those of a large one."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Cost"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of some training: what is spent once, and parts that repeat.

    ``parts`` has a pair for each kind: how often, and seconds for one.
    """

    once: float
    parts: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, seconds: float, parts: Sequence[Sequence[float]]) -> "Cost":
        """From the seconds of all, and of each repetition by kind.

        One repetition costs the median of those after the first, which compiles; what is then
        left is spent once.
        """
        steady = tuple((float(len(p)), median(p[1:] or p)) for p in parts if p)
        return cls(max(0.0, seconds - sum(n * each for n, each in steady)), steady)

    @property
    def seconds(self) -> float:
        """In all."""
        return self.once + sum(n * each for n, each in self.parts)

    def scaled(self, photos: float, epochs: float) -> "Cost":
        """With so many times as many photos, and as many repetitions."""
        return Cost(self.once, tuple((epochs * n, photos * each) for n, each in self.parts))
