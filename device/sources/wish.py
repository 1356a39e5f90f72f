"""What is asked of a camera; what it then delivers is another matter."""

from dataclasses import dataclass

__all__ = ["NOTHING", "Wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """The ``resolution`` (width, height in pixels) and the ``rate`` in frames a second, or None."""

    resolution: tuple[int, int] | None = None
    rate: float | None = None


NOTHING = Wish()
