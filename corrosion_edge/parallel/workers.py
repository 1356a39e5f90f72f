"""The seam between work on many items and who does it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Protocol, TypeVar

from corrosion_edge.closing import Closing

__all__ = ["TRIES", "One", "Opening", "Work", "Workers", "alone"]

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)

Work = Callable[[T], R]
"""What is done with one item."""

Opening = Callable[[], Work[T, R]]
"""Called once in each worker, makes what works there (holds an interpreter, say); pickles."""


TRIES: Final = 2
"""Workers that an item may end while it is the only one under way, until it is to blame: one may
be killed by somebody else."""


class One(Closing, Protocol[T_contra, R]):
    """One of several workers; after it died, another in its place."""

    def load(self) -> int:
        """How many futures it was given that are not done."""

    def submit(self, items: Sequence[T_contra]) -> "Future[list[R]]":
        """Have it work on the items; see ``Workers.submit``."""


class Workers(Closing, Protocol[T, R]):
    """Several who work at the same time; one that dies is replaced."""

    each: Sequence[One[T, R]]
    """All of them."""

    lost: tuple[type[BaseException], ...]
    """What a future raises whose worker died, or might have."""

    def submit(self, items: Sequence[T]) -> "Future[list[R]]":
        """Have the one with the least to do work on the items, one after the other.

        The future raises what the work or its opening raises, or one of ``lost``.
        """
        return min(self.each, key=lambda one: one.load()).submit(items)


def alone(workers: Workers[T, R], item: T, blame: Callable[[T], R]) -> R:
    """The result of an item whose worker died, while nothing else is under way.

    If it ends its worker then too, ``TRIES`` times, it is what ``blame`` makes of the item.
    """
    for _ in range(TRIES):
        with suppress(*workers.lost):
            return workers.submit([item]).result()[0]
    return blame(item)
