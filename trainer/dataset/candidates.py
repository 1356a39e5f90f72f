"""Which pairs of photos are worth comparing: alike in their local features, or in their hash."""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from corrosion_edge.progress import progress
from corrosion_edge.trainer.dataset.features import MIRRORED, rooted
from corrosion_edge.trainer.dataset.parallel import each
from corrosion_edge.trainer.dataset.store import FeatureStore

__all__ = ["HASH_NEAR", "NEIGHBOURS", "SIMILAR", "candidates"]

WORDS: Final = 4096
"""Visual words: descriptors of the collection itself, drawn at random with a fixed seed."""

NEIGHBOURS: Final = 25
"""Photos most alike in their words that each photo is compared with."""

SIMILAR: Final = 0.08
"""Least cosine of two photos' word vectors for a comparison."""

HASH_NEAR: Final = 10
"""Bits of 64 in which two hashes may differ for a comparison."""

_CELLS: Final = 1_000_000  # similarities of photos to all others that are held at a time
_DRAWN: Final = 4 * WORDS  # descriptors that the words are drawn from, as many of each photo,
_DRAWN_OF_ONE: Final = 40  # but few of its 300, or each would be its own word
_Numbers = npt.NDArray[np.int64]


def candidates(store: FeatureStore) -> _Numbers:
    """Pairs of places in ``store``, int64 [m, 2], the smaller place first; sorted.

    A pair is taken if one is among the other's ``NEIGHBOURS`` by their visual words (Sivic and
    Zisserman, 2003, "Video Google"), or if their hashes, one of them flipped or not, differ in
    at most ``HASH_NEAR`` bits. Words do not change when a photo is flipped, turned or scaled.
    """
    numbers = np.unique(np.concatenate([*_by_words(store), *_by_hash(store.hashes)]))
    return np.stack(np.divmod(numbers, max(len(store), 1)), axis=1)


def _by_hash(hashes: npt.NDArray[np.bool_]) -> Iterator[_Numbers]:
    words = np.packbits(hashes, axis=-1).view(np.uint64)[..., 0]
    for part in _blocks(len(words)):
        for flip in range(words.shape[1]):
            bits = np.bitwise_count(words[part, :1] ^ words[:, flip])
            yield _numbers(bits <= HASH_NEAR, part.start)
    yield np.zeros(0, np.int64)


def _by_words(store: FeatureStore) -> Iterator[_Numbers]:
    vectors = _word_vectors(store)
    for part in _blocks(len(store)):
        alike = np.ascontiguousarray((vectors @ vectors[part].toarray().T).T)
        alike[np.arange(len(alike)), part.start + np.arange(len(alike))] = 0
        if alike.shape[1] > NEIGHBOURS:
            least = np.partition(alike, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
            alike[alike < least[:, None]] = 0
        yield _numbers(alike >= SIMILAR, part.start)


def _blocks(count: int) -> Iterator[slice]:
    """Rows of a square of ``count``, as many at a time as memory is meant for."""
    rows = max(1, _CELLS // max(count, 1))
    yield from (slice(start, start + rows) for start in range(0, count, rows))


def _numbers(taken: npt.NDArray[np.bool_], start: int) -> _Numbers:
    """The pairs that are true in a block of rows from ``start``: a * n + b for a < b of n."""
    rows, columns = np.nonzero(taken)
    rows = rows + start
    kept = rows != columns
    low, high = np.minimum(rows, columns)[kept], np.maximum(rows, columns)[kept]
    return low * taken.shape[1] + high


def _word_vectors(store: FeatureStore) -> sparse.csr_array:
    """One row for each photo, of length 1: root counts of its words, rare words weighing more."""
    words = _draw_words(store)
    if not len(words):
        return sparse.csr_array((len(store), 1), dtype=np.float32)
    table = _counted(store, words)
    photos_with = np.bincount(table.indices, minlength=len(words))
    weight = np.log((1 + len(store)) / np.maximum(photos_with, 1)).astype(np.float32)
    for start, end in pairwise(table.indptr):
        row = table.data[start:end]
        row *= weight[table.indices[start:end]]
        row /= max(float(np.linalg.norm(row)), 1e-12)
    return table


def _counted(store: FeatureStore, words: npt.NDArray[np.float32]) -> sparse.csr_array:
    """Root counts, one row for each photo; kept as plain numbers, an object each would weigh."""
    found, counts, ends = array("i"), array("f"), array("i", [0])
    rows = each(lambda place: _counts(store.descriptors(place), words), range(len(store)))
    for there, roots in progress(rows, "Indexing", length=len(store)):
        found.frombytes(there.astype(np.int32).tobytes())
        counts.frombytes(roots.tobytes())
        ends.append(len(found))
    numbers = (np.frombuffer(x, dtype) for x, dtype in
               ((counts, np.float32), (found, np.int32), (ends, np.int32)))  # fmt: skip
    return sparse.csr_array(tuple(numbers), shape=(len(store), len(words)))


def _draw_words(store: FeatureStore) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(0)
    each_gives = min(max(4, _DRAWN // max(len(store), 1)), _DRAWN_OF_ONE)
    # Copied, or each slice would keep all of its photo's descriptors in memory.
    drawn = [rng.permutation(store.descriptors(i))[:each_gives].copy() for i in range(len(store))]
    pool = np.concatenate(drawn) if drawn else np.zeros((0, MIRRORED.size), np.uint8)
    return _flipless(rng.permutation(pool)[:WORDS])


def _counts(
    descriptors: npt.NDArray[np.uint8], words: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The words that occur, and the square root of how many descriptors are nearest to each."""
    closeness = _flipless(descriptors) @ words.T - (words * words).sum(axis=1) / 2
    found, counts = np.unique(closeness.argmax(axis=1), return_counts=True)
    return found, np.sqrt(counts, dtype=np.float32)


def _flipless(descriptors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Float32 [n, 128], equal for a descriptor and its mirrored one: their sum and difference.

    The square roots of normalised bins are taken first (Arandjelovic and Zisserman, 2012).
    """
    roots = rooted(descriptors)
    other = roots[:, MIRRORED]
    half = np.arange(MIRRORED.size) < MIRRORED
    own = np.arange(MIRRORED.size) == MIRRORED
    parts = (
        (roots + other)[:, half] * np.float32(np.sqrt(2)),
        2 * roots[:, own],
        np.abs(roots - other)[:, half] * np.float32(np.sqrt(2)),
    )
    return np.concatenate(parts, axis=1)
