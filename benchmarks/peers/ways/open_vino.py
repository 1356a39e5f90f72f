"""OpenVINO on the CPU, as its quick start uses it; it reads TFLite files as they are."""

from pathlib import Path
from typing import Any

import numpy as np

from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.benchmarks.peers.ways.scores import opened, real, rgb, shrunk, verdict

__all__ = ["Way"]


class Way:
    """Set for latency, which is also its default."""

    def __init__(self, model: Path, threads: int) -> None:
        import openvino

        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._type = np.uint8 if self._compiled.input(0).element_type.size == 1 else np.float32
        _, height, width, _ = self._compiled.input(0).shape
        self._size = width, height
        precision = self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}, floats as {precision}"

    def given(self, pixels: Pixels) -> Any:
        """One picture as a batch, of the input's type."""
        return np.expand_dims(pixels, 0).astype(self._type)

    def invoke(self, given: Any) -> Any:
        """All outputs come back."""
        return self._compiled(given)["scores"]

    def score(self, output: Any) -> float:
        """Of corrosion."""
        return verdict(real(output))[1]

    def look(self, path: Path) -> tuple[str, float]:
        """Open, resize, run."""
        return verdict(real(self.invoke(self.given(opened(path, self._size)))))

    def frame(self, picture: Any) -> tuple[str, float]:
        """To RGB, make a Pillow picture of it, resize, run."""
        return verdict(real(self.invoke(self.given(shrunk(rgb(picture), self._size)))))
