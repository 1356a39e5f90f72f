"""What all that follow a watch have in common: a method for each kind, a record for each camera."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.capture.state import CameraState
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.sinks import Result
from corrosion_edge.device.verdict import ModelChange, Unreadable, Unusable, Verdict

__all__ = ["ByCamera", "Taker"]

C = TypeVar("C")


class Taker:
    """Hands what the pipeline delivers to the method for its kind, which does nothing by itself.

    Kinds that are unknown here are passed over.
    """

    def take(self, result: Result) -> None:
        """Take one result."""
        if isinstance(result, Verdict):
            self._verdict(result)
        elif isinstance(result, Unusable):
            self._unusable(result)
        elif isinstance(result, Unreadable):
            self._unreadable(result)
        elif isinstance(result, CameraState):
            self._camera_state(result)
        elif isinstance(result, AcceleratorState):
            self._accelerator(result)
        elif isinstance(result, ModelChange):
            self._model(result)
        elif isinstance(result, ClockSet):
            self._clock_was_set(result)

    def _verdict(self, verdict: Verdict) -> None:
        pass

    def _unusable(self, result: Unusable) -> None:
        pass

    def _unreadable(self, result: Unreadable) -> None:
        pass

    def _camera_state(self, state: CameraState) -> None:
        pass

    def _accelerator(self, state: AcceleratorState) -> None:
        pass

    def _model(self, change: ModelChange) -> None:
        pass

    def _clock_was_set(self, change: ClockSet) -> None:
        pass


class ByCamera(Generic[C]):
    """A record for each camera, which ``make`` makes; ValueError without a camera.

    One camera alone is meant by any name: frames of it have none, states call it as its source.
    """

    def __init__(self, names: Sequence[str], make: Callable[[], C]) -> None:
        if not names:
            raise ValueError("cameras: expected one or more")
        self.names = tuple(names)
        self._records = {name: make() for name in names}

    def __getitem__(self, name: str) -> C:
        """The record of a camera by its own name (KeyError)."""
        return self._records[name]

    def __iter__(self) -> Iterator[C]:
        """The records, in the order of the names."""
        return iter(self._records.values())

    def replace(self, change: Callable[[C], C]) -> None:
        """Put in each record's place what ``change`` makes of it."""
        self._records = {name: change(record) for name, record in self._records.items()}

    def meant(self, name: str) -> C | None:
        """The record of the camera that a result names so; None where there is none."""
        return self._records.get(self.names[0] if len(self.names) == 1 else name)
