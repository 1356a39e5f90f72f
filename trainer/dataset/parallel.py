"""One pool of threads over many small computations, each of which keeps to its thread."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from os import sched_getaffinity
from typing import Final, TypeVar

import cv2
from threadpoolctl import threadpool_limits

__all__ = ["each"]

_AT_A_TIME: Final = 256  # results that may wait to be taken
T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield ``work(item)`` in order, computed by as many threads as there are processors.

    NumPy's and OpenCV's own threads are off meanwhile: on matrices of 300 x 300 they wait for
    each other ten times as long as they compute.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1), ThreadPoolExecutor(len(sched_getaffinity(0))) as pool:
            rest = iter(items)
            while part := list(islice(rest, _AT_A_TIME)):
                yield from pool.map(work, part)
    finally:
        cv2.setNumThreads(before)
