"""This project's own: its one way to read a picture, and its classifier."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corrosion_edge import image
from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.device.classifier import Classifier

if TYPE_CHECKING:
    from corrosion_edge.device.judging import View
    from corrosion_edge.device.sources.scaling import Scaling

__all__ = ["Way"]


class Way:
    """As ``corrosion-edge classify`` does it."""

    def __init__(self, model: Path, threads: int) -> None:
        self._classifier = Classifier.open(model, threads=threads)
        self.runtime = self._classifier.backend.name

    def given(self, pixels: Pixels) -> Any:
        """One picture as a batch."""
        return pixels[None]

    def invoke(self, given: Any) -> Any:
        """The backend alone."""
        return self._classifier.backend.run(given)

    def score(self, output: Any) -> float:
        """From the raw outputs."""
        return self._classifier.decode(output).score

    def look(self, path: Path) -> tuple[str, float]:
        """Read and scale, run, decode, heat map included."""
        spec = self._classifier.manifest.preprocessing
        prediction = self._classifier.classify_prepared(image.read_prepared(path, spec))
        return prediction.label, prediction.score

    def frame(self, picture: Any) -> tuple[str, float]:
        """As ``watch`` judges it: scaled in its source, with the quality gate, and heat map."""
        from corrosion_edge.device.verdict import Verdict
        from corrosion_edge.frame import Frame

        whole, small = self._scaling.both(picture)
        verdict = self._view.judge(Frame.now(whole, 0, scaled=small))
        assert isinstance(verdict, Verdict)  # the gate lets all pass
        return verdict.prediction.label, verdict.prediction.score

    @cached_property
    def _view(self) -> "View":
        """Imported late, as ``classify`` does without: its start is timed."""
        from corrosion_edge.benchmarks.delivered import LENIENT

        return LENIENT.view(self._classifier)

    @cached_property
    def _scaling(self) -> "Scaling":
        from corrosion_edge.benchmarks.delivered import LENIENT
        from corrosion_edge.device.sources.scaling import Scaling

        return Scaling(LENIENT.sizes(self._classifier))
