"""What goes wrong in a soak: kinds of faults, by what they are known, and whom they befall."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from corrosion_edge import output
from corrosion_edge.benchmarks.soak.receiver import Receiver
from corrosion_edge.benchmarks.soak.station import Station
from corrosion_edge.bundle import Bundle

__all__ = ["KINDS", "CameraTarget", "Kind", "ModelTarget", "ReceiverTarget", "Target"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault: one of ``signs`` must be stored as an event, and ``back`` once it is over.

    It lasts from ``least`` to ``most`` in the ``unit``: times ``--hung-after`` or
    ``--frozen-after``, or seconds.
    """

    signs: tuple[str, ...]
    back: str
    least: float
    most: float
    unit: str = "hung"


_LOST: Final = ("camera_lost",)
_LATE: Final = ("camera_degraded",)
_BACK: Final = "camera_recovered"
KINDS: Final = {
    "kill": Kind(_LOST, _BACK, 0.5, 3.0),
    "hang": Kind(_LOST, _BACK, 1.5, 4.0),
    "close": Kind(_LOST, _BACK, 0.5, 3.0),
    "late": Kind(_LATE, _BACK, 0.5, 0.8),
    "garbage": Kind(_LOST + _LATE, _BACK, 1.5, 3.0),
    "freeze": Kind(_LATE, _BACK, 1.3, 2.0, "frozen"),
    "dark": Kind(("unusable",), "usable", 2.0, 4.0),
    "model": Kind(("model_changed",), "", 0.0, 0.0),
    "bad_model": Kind(("model_refused",), "", 16.0, 24.0, "seconds"),
    "receiver": Kind((), "", 1.0, 5.0),
}
"""``kill`` ends a server and starts it anew on its port, ``hang`` stops it with its connections
open, the next four are those of ``soak.server``; ``model`` puts a sound file in place of the
running one, ``bad_model`` half of one; with ``receiver`` the webhook's receiver says 503."""


class Target(Protocol):
    """Whom faults of some ``kinds`` befall; ``camera`` is what its events name, '' for none.

    From one fault's end to the next it is left alone for ``rest`` seconds.
    """

    name: str
    camera: str
    kinds: tuple[str, ...]
    rest: float = 2.0

    def begin(self, kind: str, seconds: float) -> None:
        """Let it go wrong; it lasts ``seconds`` at least."""

    def end(self, kind: str) -> None:
        """Let it be well again."""


class CameraTarget(Target):
    """A camera's server; one that is not our own can be killed and hung only."""

    def __init__(self, station: Station) -> None:
        self.name = self.camera = station.name
        self._station = station
        own = ("close", "late", "garbage", "freeze") if station.kind else ()
        self.kinds = ("kill", "hang", *own, *(("dark",) if station.kind == "mjpeg" else ()))

    def begin(self, kind: str, seconds: float) -> None:
        """See ``Target.begin``."""
        if kind == "kill":
            self._station.kill()
        elif kind == "hang":
            self._station.hang()
        else:
            self._station.tell(f"{kind} {seconds + 1}")  # ``end`` ends it

    def end(self, kind: str) -> None:
        """See ``Target.end``."""
        ends: dict[str, Callable[[], None]] = {
            "kill": self._station.start, "hang": self._station.go_on
        }  # fmt: skip
        ends.get(kind, lambda: self._station.tell("close 0"))()


class ModelTarget(Target):
    """The model's file, in which two bundles of one network take turns."""

    rest = 10.0  # so that the watch, which looks each 2 s, has seen the sound file again

    def __init__(self, file: Path, default: Path) -> None:
        self.name, self.camera, self.kinds = "model", "", ("model", "bad_model")
        self._file = file
        one = Bundle.load(default)
        self._contents = [one.to_bytes(), one.with_fields(name="another").to_bytes()]
        output.write(file, self._contents[0])

    def begin(self, kind: str, seconds: float) -> None:
        """See ``Target.begin``."""
        if kind == "model":
            self._contents.reverse()
            output.write(self._file, self._contents[0])
        else:
            output.write(self._file, self._contents[1][: len(self._contents[1]) // 2])

    def end(self, kind: str) -> None:
        """See ``Target.end``."""
        if kind == "bad_model":
            output.write(self._file, self._contents[0])


class ReceiverTarget(Target):
    """The webhook's receiver."""

    def __init__(self, receiver: Receiver) -> None:
        self.name, self.camera, self.kinds = "receiver", "", ("receiver",)
        self._receiver = receiver

    def begin(self, kind: str, seconds: float) -> None:
        """See ``Target.begin``."""
        self._receiver.away = True

    def end(self, kind: str) -> None:
        """See ``Target.end``."""
        self._receiver.away = False
