"""What the measuring process is told, as its one argument."""

import json
from dataclasses import asdict, dataclass
from typing import Final

from corrosion_edge.benchmarks.delivered import PIXEL_FORMATS, PixelFormat
from corrosion_edge.device.accelerator.delegate import LIBRARY

__all__ = ["PROCESSES", "Job"]

PROCESSES: Final = 3
"""Processes per configuration, unless asked otherwise; each does its share of the runs."""


@dataclass(frozen=True, slots=True)
class Job:
    """One configuration to measure.

    ``pictures`` names a file of ``count`` frames, each uint8 [height, width, 3] RGB, one after
    the other, and ``files`` picture files to decode; ``runs`` is how often to measure once it is
    warm; the next four say what it is to run on, see ``Accelerator``. ``pixel_format`` is what
    the frames are delivered in. With ``seconds`` it is a sustained job: frame after frame for so
    long, ``rate`` a second, or at full speed if it is 0.
    """

    model: str
    threads: int
    runs: int
    pictures: str
    count: int
    width: int
    height: int
    files: tuple[str, ...]
    accelerator: str = "auto"
    delegate: str = LIBRARY
    device: str = ""
    kernels: str = "xnnpack"
    pixel_format: PixelFormat = PIXEL_FORMATS[0]
    seconds: float = 0.0
    rate: float = 0.0

    def __post_init__(self) -> None:
        for name in ("threads", "runs", "count", "width", "height"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                raise ValueError(f"{name}: expected 1 or more, got {value!r}")
        if self.seconds < 0 or self.rate < 0:
            raise ValueError(f"expected 0 or more, got {self.seconds} seconds, rate {self.rate}")
        if not self.files:
            raise ValueError("files: expected 1 or more, got none")

    def to_json(self) -> str:
        """The job as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read a job back (ValueError, TypeError)."""
        fields = json.loads(text)
        return cls(**{**fields, "files": tuple(fields["files"])})
