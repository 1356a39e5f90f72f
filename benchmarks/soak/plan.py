"""What a soak is asked to do, and the watch's configuration that follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.benchmarks.process import PROGRAM
from corrosion_edge.device.config.printing import toml_value
from corrosion_edge.errors import UsageError

__all__ = ["Plan", "configuration"]

_KEEP_MB: Final = 50  # so that retention is at work too
_BLURRED_BELOW: Final = 1.0  # rendered paint without rust is smooth


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Times in seconds, but for ``minutes``; ``size`` is (width, height) of the video.

    ``warm_up`` minutes are not judged. ``servers`` are commands that serve one camera more each,
    to be killed and hung as our own; ``cameras`` (``NAME=SOURCE``) are watched besides, and left
    alone. ``words`` are further options of ``watch``. Of ``faults.KINDS`` those that ``only`` names
    are let in, () for all. UsageError for what does not go together.
    """

    minutes: float = 60.0
    warm_up: float = 10.0
    fault_every: float = 30.0
    sample_every: float = 5.0
    interval: float = 0.5
    hung_after: float = 5.0
    frozen_after: float = 15.0
    loop: float = 30.0
    size: tuple[int, int] = (640, 480)
    seed: int = 1
    program: tuple[str, ...] = PROGRAM
    servers: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.warm_up < self.minutes:
            raise UsageError(
                f"--warm-up: expected less than the {self.minutes:g} minutes of the run, "
                f"got {self.warm_up:g}"
            )
        if any(side % 2 for side in self.size):
            raise UsageError("--size: expected even numbers of pixels, as H.264 needs them")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "program"}


def configuration(plan: Plan, cameras: Mapping[str, str], model: Path, hook: str) -> str:
    """The watch's file: store, page, metrics, webhook, JSON lines, a table for each camera."""
    sections: dict[str, dict[str, Any]] = {
        "watch": {
            "model": str(model), "interval": plan.interval, "json": True, "threads": 1,
            "blurred-below": _BLURRED_BELOW, "hung-after": plan.hung_after,
            "frozen-after": plan.frozen_after,
        },
        "store": {"folder": "store", "keep-mb": _KEEP_MB, "head-file": "head"},
        "webhook": {"url": hook},
        "web": {"page": "127.0.0.1:0", "metrics": "127.0.0.1:0"},
        **{f"camera.{name}": {"source": source, "asset": "Soak", "position": name}
           for name, source in cameras.items()},
    }  # fmt: skip
    return "\n".join(_section(name, keys) for name, keys in sections.items())


def _section(name: str, keys: Mapping[str, Any]) -> str:
    lines = [f"{key} = {toml_value(value)}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", *lines, ""])
