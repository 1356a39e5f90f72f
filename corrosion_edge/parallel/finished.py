"""Results of several workers as they come, for items that take long."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Generic, TypeVar

from corrosion_edge.parallel.workers import One, Workers, alone

__all__ = ["Finished"]

T = TypeVar("T")
R = TypeVar("R")


class Finished(Generic[T, R]):
    """Iterates over the results of ``items``, each as soon as it is there.

    A worker has one item at a time, and gets next one of the same ``kind`` as its last: what it
    holds in memory fits. If there is none, one of a kind that no other is at. Items whose worker
    died are tried again by ``alone`` when all others are done: memory may have been too small for
    several. Errors of the work are raised.
    """

    def __init__(
        self,
        workers: Workers[T, R],
        items: Iterable[T],
        *,
        blame: Callable[[T], R],
        kind: Callable[[T], Hashable],
    ) -> None:
        self._workers, self._waiting = workers, list(items)
        self._blame, self._kind = blame, kind
        self._kinds: dict[One[T, R], Hashable] = {}  # of what each worker had last
        self._under_way: dict[Future[list[R]], tuple[One[T, R], T]] = {}
        self._lost: list[T] = []

    def __iter__(self) -> Iterator[R]:
        self._give(self._workers.each)
        while self._under_way:
            done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            ended = [(future, *self._under_way.pop(future)) for future in done]
            self._give([one for _, one, _ in ended])
            for future, _, item in ended:
                yield from self._result(future, item)
        for item in self._lost:
            yield alone(self._workers, item, self._blame)

    def _give(self, free: Iterable[One[T, R]]) -> None:
        for one in free:
            if not self._waiting:
                return
            item = self._next(one)
            self._waiting.remove(item)
            self._kinds[one] = self._kind(item)
            self._under_way[one.submit([item])] = one, item

    def _next(self, one: One[T, R]) -> T:
        mine = self._kinds.get(one)
        others = {kind for other, kind in self._kinds.items() if other is not one}
        of_mine = (item for item in self._waiting if self._kind(item) == mine)
        of_nobody = (item for item in self._waiting if self._kind(item) not in others)
        return next(of_mine, next(of_nobody, self._waiting[0]))

    def _result(self, future: Future[list[R]], item: T) -> Iterator[R]:
        try:
            yield from future.result()
        except self._workers.lost:
            self._lost.append(item)
