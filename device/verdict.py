"""What comes out of the pipeline: verdicts, pictures that gave none, and the account of all."""

from dataclasses import dataclass

from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

__all__ = ["Tally", "Unreadable", "Unusable", "Verdict"]


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
class Unusable:
    """A frame that got no verdict, for it is too dark, bright, covered or blurred."""

    frame: Frame
    quality: Quality

    def __post_init__(self) -> None:
        if self.quality.usable:
            raise ValueError("quality: expected one that is not ok")


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of every frame: delivered = classified + skipped + unreadable + unusable.

    ``skipped`` came too early for the interval. ``dropped`` were replaced by a newer frame before
    they were delivered; only live sources have them.
    """

    delivered: int = 0
    classified: int = 0
    skipped: int = 0
    dropped: int = 0
    unreadable: int = 0
    unusable: int = 0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        rest = self.skipped + self.unreadable + self.unusable
        if self.delivered != self.classified + rest:
            raise ValueError(f"expected delivered to be the sum of the others, got {self}")

    def __str__(self) -> str:
        return (
            f"frames: {self.delivered} delivered = {self.classified} classified + "
            f"{self.skipped} skipped + {self.unreadable} unreadable + "
            f"{self.unusable} unusable; {self.dropped} dropped"
        )
