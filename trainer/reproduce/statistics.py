"""What a difference between a paper's one figure and ours over a few seeds can mean.

Two things make an accuracy on a small test set uncertain: the randomness of training, which our
seeds show, and the choice of the photos. Both the paper's model and ours met the same photos, but
which of them the paper's model got right is not known, so the test of two paired proportions
(McNemar's) cannot be made. ``judge`` therefore asks two questions and calls a difference one only
if the answer to both is yes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from scipy import stats

__all__ = ["LEVEL", "Interval", "Judgement", "Spread", "judge", "newcombe", "prediction", "wilson"]

LEVEL: Final = 0.95
"""Of every interval here."""

_Z: Final = float(stats.norm.ppf((1 + LEVEL) / 2))
_ROUNDING: Final = 1 / math.sqrt(12)  # the standard deviation of rounding to whole numbers
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation (n - 1 in the denominator; None for n = 1) over ``n`` seeds."""

    n: int
    mean: float
    sd: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value (ValueError)."""
        if not values:
            raise ValueError("values: expected at least one, got none")
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return cls(len(values), float(np.mean(values)), sd)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"n": self.n, "mean": self.mean, "sd": self.sd}


def wilson(right: float, n: int) -> Interval:
    """Wilson's score interval (Wilson 1927) of a fraction; ``right`` of ``n``, 0 <= right <= n.

    ``right`` may be a mean over several models that saw the same ``n`` photos: the photos do not
    become more by being looked at again, so the interval is that of one set of ``n``.
    """
    if not 0 <= right <= n or n < 1:
        raise ValueError(f"right: expected 0 to n = {n}, n at least 1, got {right}")
    centre = (right + _Z**2 / 2) / (n + _Z**2)
    half = _Z * math.sqrt(right * (n - right) / n + _Z**2 / 4) / (n + _Z**2)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(right: float, n: int, other: float, m: int) -> Interval:
    """Newcombe's interval of right/n - other/m for two independent proportions.

    Newcombe 1998, Statistics in Medicine 17, 873-890, method 10. On the same photos two models
    mostly fail on the same hard ones, and the true interval is then narrower.
    """
    p, q = right / n, other / m
    (low_p, high_p), (low_q, high_q) = wilson(right, n), wilson(other, m)
    below = math.hypot(p - low_p, high_q - q)
    above = math.hypot(high_p - p, q - low_q)
    return p - q - below, p - q + above


def prediction(rights: Sequence[int], n: int) -> Interval | None:
    """Where the accuracy of one more seed is expected: mean ± t s sqrt(1 + 1/k), for k seeds.

    ``rights`` are counts of ``n`` photos; t is Student's with k - 1 degrees of freedom, s the
    standard deviation over the seeds. Counts are whole, so s is at least that of rounding,
    1/sqrt(12) of a photo: equal counts of a few seeds do not mean that training has no spread.
    None for one seed. Cut to [0, 1], beyond which there is no accuracy.
    """
    spread = Spread.of(rights)
    if spread.sd is None:
        return None
    t = float(stats.t.ppf((1 + LEVEL) / 2, spread.n - 1))
    half = t * max(spread.sd, _ROUNDING) * math.sqrt(1 + 1 / spread.n)
    return max(0.0, (spread.mean - half) / n), min(1.0, (spread.mean + half) / n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a published accuracy and ours differ, and on what grounds.

    ``seeds`` is the prediction interval for one more seed (None for one seed), ``photos`` the
    interval of the difference ours minus published, ``ours`` and ``published`` Wilson's intervals
    of the accuracies. ``ground`` says what an agreement rests on: ``seeds``, the published figure
    is one that our training may give; ``photos``, it is not (or there is one seed), but so few
    photos cannot tell the two apart. For a difference it is None.
    """

    verdict: Literal["agrees", "differs"]
    ground: Literal["seeds", "photos"] | None
    seeds: Interval | None
    photos: Interval
    ours: Interval
    published: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain values, intervals as lists."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def judge(rights: Sequence[int], n: int, accuracy: float, m: int) -> Judgement:
    """Compare ``rights`` of ``n`` photos, one count for each seed, with ``accuracy`` on ``m``.

    They differ if ``accuracy`` lies outside the prediction interval over the seeds (with one
    seed there is none, and this is taken as given), and zero outside Newcombe's interval of the
    difference between our mean and it.
    """
    mean, published = float(np.mean(rights)), round(accuracy * m)
    seeds, photos = prediction(rights, n), newcombe(mean, n, published, m)
    ground: Literal["seeds", "photos"] | None = None
    if seeds is not None and seeds[0] <= published / m <= seeds[1]:
        ground = "seeds"
    elif photos[0] <= 0 <= photos[1]:
        ground = "photos"
    return Judgement(
        verdict="agrees" if ground else "differs",
        ground=ground,
        seeds=seeds,
        photos=photos,
        ours=wilson(mean, n),
        published=wilson(published, m),
    )
