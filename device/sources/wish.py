"""What is asked of a camera; what it then delivers is another matter."""

from dataclasses import dataclass

__all__ = ["NOTHING", "Wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """The ``resolution`` (width, height in pixels) and the ``rate`` in frames a second, or None.

    ``scaled`` are the sizes (width, height) in which the whole picture is wanted beside it, for a
    source that scales well and at less cost than can be done afterwards.
    """

    resolution: tuple[int, int] | None = None
    rate: float | None = None
    scaled: tuple[tuple[int, int], ...] = ()


NOTHING = Wish()
