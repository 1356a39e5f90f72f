"""Results of several workers in the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from itertools import islice
from typing import Final, Generic, TypeVar

from corrosion_edge.parallel.workers import Workers, alone

__all__ = ["AHEAD", "CHUNK", "Ordered"]

T = TypeVar("T")
R = TypeVar("R")

CHUNK: Final = 8
"""Items that a worker gets at a time: fewer cost more messages, more leave workers idle at the
end and are tried again, one by one, when a worker dies."""

AHEAD: Final = 8
"""Chunks for each worker that are given out before the first of them is back."""


class Ordered(Generic[T, R]):
    """Iterates over the results of ``items``, which are drawn as workers become free.

    No more than ``AHEAD`` chunks for each worker are under way, so memory does not depend on how
    many items there are. Items whose worker died are tried again by ``alone``. Errors of the work
    are raised.
    """

    def __init__(
        self,
        workers: Workers[T, R],
        items: Iterable[T],
        *,
        blame: Callable[[T], R],
        chunk: int = CHUNK,
    ) -> None:
        self._workers, self._items = workers, iter(items)
        self._blame, self._chunk = blame, chunk
        self._pending: deque[tuple[list[T], Future[list[R]]]] = deque()

    def fill(self) -> None:
        """Give out as many chunks as may be under way."""
        while len(self._pending) < AHEAD * len(self._workers.each):
            chunk = list(islice(self._items, self._chunk))
            if not chunk:
                return
            self._pending.append((chunk, self._workers.submit(chunk)))

    def __iter__(self) -> Iterator[R]:
        self.fill()
        while self._pending:
            chunk, future = self._pending.popleft()
            yield from self._results(chunk, future)
            self.fill()

    def _results(self, chunk: list[T], future: Future[list[R]]) -> Iterator[R]:
        try:
            yield from future.result()
        except self._workers.lost:
            wait([each for _, each in self._pending])  # what dies from here on died of one item
            for item in chunk:
                yield alone(self._workers, item, self._blame)
