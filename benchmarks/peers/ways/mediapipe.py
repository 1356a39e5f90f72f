"""MediaPipe's ImageClassifier as its guide for Python uses it; it takes no number of threads."""

import sys
from pathlib import Path
from typing import Any

from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.benchmarks.peers.ways.scores import rgb

__all__ = ["Way"]


class Way:
    """Scaling is its own, also of a picture that has the network's size."""

    def __init__(self, model: Path, threads: int) -> None:
        # MediaPipe imports TensorFlow where it finds it, for marks in its documentation: seconds.
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        self._mediapipe = mediapipe
        options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=str(model)))
        self._classifier = vision.ImageClassifier.create_from_options(options)
        self.runtime = f"mediapipe {mediapipe.__version__}"

    def given(self, pixels: Pixels) -> Any:
        """MediaPipe's own kind of picture."""
        kind = self._mediapipe.ImageFormat.SRGB
        return self._mediapipe.Image(image_format=kind, data=pixels)

    def invoke(self, given: Any) -> Any:
        """A whole classification: it offers nothing narrower."""
        return self._classifier.classify(given)

    def score(self, output: Any) -> float:
        """Of corrosion."""
        return self._verdict(output)[1]

    def look(self, path: Path) -> tuple[str, float]:
        """Create from the file, classify."""
        picture = self._mediapipe.Image.create_from_file(str(path))
        return self._verdict(self._classifier.classify(picture))

    def frame(self, picture: Any) -> tuple[str, float]:
        """To RGB, its own kind of picture of the array, classify."""
        return self._verdict(self._classifier.classify(self.given(rgb(picture))))

    def _verdict(self, output: Any) -> tuple[str, float]:
        categories = output.classifications[0].categories
        known = {category.category_name: category.score for category in categories}
        return categories[0].category_name, known["corrosion"]
