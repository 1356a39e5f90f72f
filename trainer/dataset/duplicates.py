"""Finding the photos of a collection that are versions of one photo: the project's only way.

Two photos are versions of one photo if one can be laid over the other by a flip and an affine map
so that at least half of the smaller one is covered and the local detail there agrees. That holds
for copies, crops, rescalings, re-encodings, flips, quarter turns, borders, captions and changes
of brightness, contrast or colour; not for the same thing from another place or at another time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from corrosion_edge.progress import progress
from corrosion_edge.trainer.dataset.candidates import candidates
from corrosion_edge.trainer.dataset.confirm import Measures, confirm
from corrosion_edge.trainer.dataset.features import Features
from corrosion_edge.trainer.dataset.parallel import each
from corrosion_edge.trainer.dataset.store import FeatureStore

__all__ = ["WHOLE", "Finder", "Pair", "grouped_by"]

WHOLE: Final = 100
"""Largest group in which every pair is compared; of a larger one the pairs that were met."""

_Places = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, by their numbers a < b in the order of adding, that are the same photo."""

    a: int
    b: int
    measures: Measures

    def __post_init__(self) -> None:
        if not 0 <= self.a < self.b:
            raise ValueError(f"pair: expected 0 <= a < b, got {self.a} and {self.b}")


class Finder:
    """Collects photos one by one, then finds the pairs. Used as a context manager.

    The result does not depend on the order of adding: photos are compared in the order of their
    digests, and files of the same content are compared once.
    """

    def __init__(self) -> None:
        self._store = FeatureStore()
        self._places: dict[str, int] = {}
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._count = 0

    def __enter__(self) -> "Finder":
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()

    def __len__(self) -> int:
        return self._count

    def add(self, digest: str, features: Features) -> int:
        """Add a photo with the digest of its file's content; return its number, 0 at first."""
        if digest not in self._places:
            self._places[digest] = self._store.add(features)
        self._numbers[digest].append(self._count)
        self._count += 1
        return self._count - 1

    def pairs(self) -> list[Pair]:
        """All confirmed pairs, sorted."""
        order = sorted(self._places)
        self._store.arrange([self._places[digest] for digest in order])
        self._places = {digest: place for place, digest in enumerate(order)}
        found = _confirmed(self._store, candidates(self._store))
        found |= _confirmed(self._store, _untried(found, len(order)))
        numbers = [self._numbers[digest] for digest in order]
        return sorted(self._spread(found, numbers), key=lambda pair: (pair.a, pair.b))

    def _spread(
        self, found: dict[_Places, Measures], numbers: Sequence[Sequence[int]]
    ) -> Iterator[Pair]:
        """From contents to files: each file of one content pairs with each of the other."""
        for (one, other), measures in found.items():
            for a, b in product(numbers[one], numbers[other]):
                yield Pair(min(a, b), max(a, b), measures)
        for place, copies in enumerate(numbers):
            if len(copies) > 1:
                same = _identical(self._store[place])
                yield from (Pair(a, b, same) for a, b in combinations(sorted(copies), 2))


def grouped_by(links: Iterable[tuple[int, int]], count: int) -> npt.NDArray[np.int64]:
    """int64 [count]: equal numbers for photos that are linked, directly or by others.

    Groups are numbered from 0 in the order of their first photo.
    """
    ends = np.array(list(links), np.int64).reshape(-1, 2)
    ones = np.ones(len(ends), np.int8)
    graph = coo_array((ones, (ends[:, 0], ends[:, 1])), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    _, first, groups = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[groups], np.int64)


def _confirmed(store: FeatureStore, pairs: npt.NDArray[np.int64]) -> dict[_Places, Measures]:
    """Compare pairs of places, int64 [m, 2]; those that are the same photo."""

    def compare(pair: npt.NDArray[np.int64]) -> tuple[_Places, Measures | None]:
        a, b = pair.tolist()
        return (a, b), confirm(store[a], store[b])

    shown = progress(each(compare, pairs), "Comparing photos", length=len(pairs))
    return {pair: measures for pair, measures in shown if measures is not None}


def _untried(found: dict[_Places, Measures], count: int) -> npt.NDArray[np.int64]:
    """The pairs within the groups so far that are not confirmed: a copy's copy may be one too."""
    groups = grouped_by(found, count)
    members: dict[int, list[int]] = defaultdict(list)
    for place in sorted({place for pair in found for place in pair}):
        members[int(groups[place])].append(place)
    small = [group for group in members.values() if 2 < len(group) <= WHOLE]
    pairs = [pair for group in small for pair in combinations(group, 2) if pair not in found]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _identical(features: Features) -> Measures:
    return Measures(
        hash_bits=0,
        inliers=len(features.points),
        overlap=1.0,
        turn=0.0,
        correlation=1.0,
        agreement=1.0,
        mirrored=False,
    )
