"""Pictures of another size than is judged: a mistake at the start, a result later."""

from corrosion_edge.device.capture.quality import MISFIT, Quality
from corrosion_edge.device.verdict import Unreadable, Unusable
from corrosion_edge.errors import MisfitError, UsageError
from corrosion_edge.frame import Frame

__all__ = ["Fitting"]


class Fitting:
    """Remembers which cameras' pictures fitted what is judged of them.

    ``alone`` is what a camera without a name is called in an error.
    """

    def __init__(self, alone: str) -> None:
        self._alone = alone
        self._fitted: set[str] = set()

    def fits(self, frame: Frame) -> None:
        """The frame was judged, so what was asked of its camera is no mistake."""
        self._fitted.add(frame.camera)

    def result(self, frame: Frame, error: MisfitError, *, awaited: bool) -> Unreadable | Unusable:
        """What came of a frame that does not fit: a photo is unreadable, any other unusable.

        UsageError for the first of a camera that was not ``awaited``, or of a recording.
        """
        if frame.name and frame.position is None:
            why = f"{frame.name}: {error}"
            return Unreadable(frame.index, frame.name, why, frame.camera)
        if not awaited and frame.camera not in self._fitted:
            raise UsageError(f"{frame.camera or self._alone}: {error}")
        self._fitted.add(frame.camera)
        return Unusable(frame, Quality(MISFIT, reason=str(error)))
