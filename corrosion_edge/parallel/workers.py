"""The seam between work on many items and who does it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeVar

from corrosion_edge.closing import Closing

__all__ = ["Opening", "Work", "Workers"]

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)

Work = Callable[[T], R]
"""What is done with one item."""

Opening = Callable[[], Work[T, R]]
"""Called once in each worker, makes what works there (holds an interpreter, say); pickles."""


class Workers(Closing, Protocol[T_contra, R]):
    """Several who work at the same time; one that dies is replaced."""

    count: int
    """How many there are."""

    lost: tuple[type[BaseException], ...]
    """What a future raises whose worker died, or might have."""

    def submit(self, items: Sequence[T_contra]) -> "Future[list[R]]":
        """Have one of them work on the items, one after the other.

        The future raises what the work or its opening raises, or one of ``lost``.
        """
