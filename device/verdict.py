"""What comes out of the pipeline: verdicts, pictures that gave none, and the account of all."""

from dataclasses import dataclass

from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

__all__ = ["Tally", "Unreadable", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A frame with its prediction; ``latency_ms`` is the time of preparing, running, decoding."""

    frame: Frame
    prediction: Prediction
    latency_ms: float

    def __post_init__(self) -> None:
        if not self.latency_ms >= 0:
            raise ValueError(f"latency_ms: expected 0 or more, got {self.latency_ms}")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture that could not be read: its place in the source, its file, and why."""

    index: int
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of every frame: delivered = classified + skipped + unreadable.

    ``skipped`` came too early for the interval. ``dropped`` were replaced by a newer frame before
    they were delivered; only live sources have them.
    """

    delivered: int = 0
    classified: int = 0
    skipped: int = 0
    dropped: int = 0
    unreadable: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if self.delivered != self.classified + self.skipped + self.unreadable:
            raise ValueError(f"expected delivered = classified + skipped + unreadable, got {self}")

    def __str__(self) -> str:
        return (
            f"frames: {self.delivered} delivered = {self.classified} classified + "
            f"{self.skipped} skipped + {self.unreadable} unreadable; {self.dropped} dropped"
        )
