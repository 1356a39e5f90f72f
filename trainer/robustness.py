"""Where a model breaks: its figures in every slice, level by level, against the photos as they are.

Photos are decoded one by one and altered in threads a few ahead of the model, so that memory
does not grow with their number.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import roc_auc_score

from corrosion_edge import image
from corrosion_edge.image import Preprocessing
from corrosion_edge.intervals import Interval, wilson
from corrosion_edge.progress import progress
from corrosion_edge.trainer.data import Photo
from corrosion_edge.trainer.slices import REFERENCE, SLICES, Slice, views

__all__ = ["SIGNIFICANT", "Curve", "Level", "Robustness", "judge", "measure"]

SIGNIFICANT: Final = 0.05
"""Below this p value of McNemar's exact test a fall of accuracy counts."""

_THREADS = 2
_AHEAD = 4  # photos whose views wait for the model, 8 MB each at 224 x 224
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The figures at one level; fractions in [0, 1], ``ci95`` their Wilson intervals.

    ``mean_change`` is the mean absolute change of the probability against the plain photo,
    ``mean_shift`` the mean signed one. ``p`` is that of McNemar's exact test of the verdicts
    against those on the plain photos.
    """

    level: float
    accuracy: float
    recall: float
    specificity: float
    auc: float
    mean_change: float
    mean_shift: float
    p: float
    ci95: dict[str, Interval]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"ci95": {name: list(pair) for name, pair in self.ci95.items()}}


@dataclass(frozen=True, slots=True)
class Curve:
    """The levels of one slice, in its order."""

    slice: Slice
    levels: tuple[Level, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        piece = self.slice
        return {
            "name": piece.name,
            "title": piece.title,
            "unit": piece.unit,
            "plain": piece.plain,
            "levels": [level.to_dict() for level in self.levels],
        }


@dataclass(frozen=True, slots=True)
class Robustness:
    """The figures of ``n`` photos at ``threshold``: as they are, ``plain``, and in every slice.

    The plain photos are those at the reference size; where a photo is of another size, its score
    there may differ a little from the one that is given elsewhere.
    """

    n: int
    threshold: float
    plain: Level
    curves: tuple[Curve, ...]

    @property
    def breaks(self) -> list[tuple[Slice, Level]]:
        """The mildest level, on each side of a slice, where accuracy falls significantly."""
        found = []
        for curve in self.curves:
            by_level = {level.level: level for level in curve.levels}
            for side in curve.slice.sides:
                fallen = [by_level[v] for v in side if self._falls(by_level[v])]
                found += [(curve.slice, level) for level in fallen[:1]]
        return found

    @property
    def sentence(self) -> str:
        """Where the model breaks first, slice by slice, and where it does not."""
        breaks = self.breaks
        first = "; ".join(f"{s.text(lv.level)} ({lv.accuracy:.3f})" for s, lv in breaks)
        names = {s.name for s, _ in breaks}
        firm = [c.slice.name for c in self.curves if c.slice.name not in names]
        return (
            f"Accuracy, {self.plain.accuracy:.3f} on the plain photos, falls significantly from: "
            f"{first or 'nothing that was tried'}."
            + (f" At no level tried: {', '.join(firm)}." if firm and breaks else "")
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n": self.n,
            "threshold": self.threshold,
            "reference_pixels": REFERENCE,
            "significant": SIGNIFICANT,
            "plain": self.plain.to_dict(),
            "curves": [curve.to_dict() for curve in self.curves],
            "breaks": [
                {"slice": s.name, "level": lv.level, "accuracy": lv.accuracy, "p": lv.p}
                for s, lv in self.breaks
            ],
        }

    def _falls(self, level: Level) -> bool:
        return level.accuracy < self.plain.accuracy and level.p < SIGNIFICANT


def measure(
    photos: Sequence[Photo],
    spec: Preprocessing,
    score: Callable[[Pixels], Scores],
    threshold: float,
) -> Robustness:
    """Score every view of every photo; both classes must be among the photos.

    ``score`` takes prepared uint8 [k, h, w, 3] and gives P(corrosion), float64 [k].
    Raises ImageError if a photo cannot be read.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        stacks = _ahead(pool, lambda photo: views(image.read(photo.path), spec), photos)
        rows = [score(stack) for stack in progress(stacks, "Slices", length=len(photos))]
    labels = np.array([photo.label for photo in photos], np.int64)
    return judge(labels, np.stack(rows), threshold)


def judge(labels: Labels, scores: Scores, threshold: float) -> Robustness:
    """The figures of scores [n, 1 + levels], in the order of ``slices.views``, labels [n]."""
    columns = iter(scores.T[1:])
    plain = scores[:, 0]
    curves = tuple(
        Curve(s, tuple(_level(v, labels, next(columns), plain, threshold) for v in s.levels))
        for s in SLICES
    )
    return Robustness(len(labels), threshold, _level(0, labels, plain, plain, threshold), curves)


def _level(level: float, labels: Labels, scores: Scores, plain: Scores, threshold: float) -> Level:
    right, right_before = ((s >= threshold) == (labels == 1) for s in (scores, plain))
    counts = {
        "accuracy": (int(right.sum()), len(labels)),
        "recall": (int(right[labels == 1].sum()), int((labels == 1).sum())),
        "specificity": (int(right[labels == 0].sum()), int((labels == 0).sum())),
    }
    return Level(
        level=float(level),
        **{name: k / n for name, (k, n) in counts.items()},
        auc=float(roc_auc_score(labels, scores)),
        mean_change=float(np.abs(scores - plain).mean()),
        mean_shift=float((scores - plain).mean()),
        p=_mcnemar(int((right_before & ~right).sum()), int((~right_before & right).sum())),
        ci95={name: wilson(k, n) for name, (k, n) in counts.items()},
    )


def _mcnemar(lost: int, won: int) -> float:
    """Two-sided p of McNemar's exact test: verdicts that turned are heads or tails."""
    return float(stats.binomtest(lost, lost + won).pvalue) if lost + won else 1.0


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[Photo], Pixels], photos: Iterable[Photo]
) -> Iterator[Pixels]:
    """The results in order, with no more than ``_AHEAD`` of them waiting."""
    waiting: deque[Future[Pixels]] = deque()
    for photo in photos:
        waiting.append(pool.submit(work, photo))
        if len(waiting) > _AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
