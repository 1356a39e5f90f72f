"""A frame as its source delivers it, and what ``watch`` makes of it for the network."""

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from corrosion_edge.device.capturing import Capture
from corrosion_edge.errors import ExtraError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.frame import Frame
    from corrosion_edge.prediction import Prediction

    Pixels = npt.NDArray[np.uint8]

__all__ = ["LENIENT", "PIXEL_FORMATS", "Delivered", "PixelFormat", "require_format"]

PixelFormat = Literal["yuv420p", "rgb24"]
"""What a source delivers, by FFmpeg's names: decoders and USB cameras YUV with half the colour each
way, picamera2 and photos RGB."""

PIXEL_FORMATS: Final[tuple[PixelFormat, ...]] = get_args(PixelFormat)
"""The first is the default."""

LENIENT: Final = Capture(dark_below=0, bright_above=256, covered_below=0, blurred_below=0)
"""As ``watch`` has it by default, the quality gate measuring but letting every frame pass."""


def require_format(pixel_format: PixelFormat) -> None:
    """ExtraError where frames of it cannot be scaled here."""
    if pixel_format == "yuv420p" and find_spec("av") is None:
        raise ExtraError(
            "--pixel-format yuv420p: needs PyAV, which scales such frames; run: pip install "
            "'corrosion-edge[device]', or measure with --pixel-format rgb24"
        )


class _Preparing:
    """Stops where the network would be invoked."""

    def __init__(self, classifier: "Classifier") -> None:
        from corrosion_edge.prediction import Prediction

        self._classifier, self._nothing = classifier, Prediction(0.5, 0.5)
        self.prepared: Any = None

    def classify(self, pixels: "Pixels") -> "Prediction":
        """What the network would get stays in ``prepared``; what is said of it means nothing."""
        self.prepared = self._classifier.prepare(pixels)[None]
        return self._nothing


class Delivered:
    """The frames of one source, of which it holds the last one that was ``show``n.

    They go the way that ``watch`` has by default: scaled in the source where it can, else by the
    reference, and through the quality gate, whatever that finds.
    """

    def __init__(self, classifier: "Classifier", pixel_format: PixelFormat) -> None:
        from corrosion_edge.benchmarks.timed_gate import TimedGate

        self._preparing, view = _Preparing(classifier), LENIENT.view(classifier)
        assert view.gate is not None  # it refuses nothing, but measures
        self._gate = TimedGate(view.gate)
        self._view = replace(view, classifier=self._preparing, gate=self._gate)
        self._scaling = None
        if pixel_format == "yuv420p":
            from corrosion_edge.device.sources.scaling import Scaling

            self._scaling = Scaling(LENIENT.sizes(classifier))
        self._shown: Any = None

    def show(self, frame: "Pixels") -> None:
        """Deliver uint8 [h, w, 3] RGB; nobody writes into it before the next one."""
        if self._scaling is None:
            self._shown = frame
            return
        import av

        rgb = av.VideoFrame.from_ndarray(frame, format="rgb24")
        self._shown = rgb.reformat(format="yuv420p")

    @property
    def gate_ns(self) -> int:
        """Nanoseconds that the quality gate took of the last ``prepared``; the rest is scaling."""
        return self._gate.taken_ns

    def prepared(self) -> "Pixels":
        """The network's input, uint8 [1, height, width, 3]."""
        self._view.judge(self._frame())
        made: Pixels = self._preparing.prepared
        return made

    def _frame(self) -> "Frame":
        from corrosion_edge.frame import Frame

        if self._scaling is None:
            return Frame.now(self._shown, 0)
        whole, small = self._scaling.both(self._shown)
        return Frame.now(whole, 0, scaled=small)
