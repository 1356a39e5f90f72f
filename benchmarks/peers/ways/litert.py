"""LiteRT as its example ``label_image.py`` uses it: open, resize, set, invoke, get."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.benchmarks.peers.ways.scores import opened, rgb, shrunk, verdict

__all__ = ["Way"]


class Way:
    """int8 or float, as the file's input is."""

    def __init__(self, model: Path, threads: int) -> None:
        self._interpreter = Interpreter(model_path=str(model), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        outputs = self._interpreter.get_output_details()
        self._scores = next(o for o in outputs if tuple(o["shape"]) == (1, 2))
        self._size = int(self._input["shape"][2]), int(self._input["shape"][1])
        self.runtime = f"ai-edge-litert {version('ai-edge-litert')}"

    def given(self, pixels: Pixels) -> Any:
        """One picture as a batch, of the input's type."""
        return np.expand_dims(pixels, 0).astype(self._input["dtype"])

    def invoke(self, given: Any) -> Any:
        """The scores alone are fetched."""
        self._interpreter.set_tensor(self._input["index"], given)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._scores["index"])

    def score(self, output: Any) -> float:
        """Of corrosion."""
        return verdict(self._real(output))[1]

    def look(self, path: Path) -> tuple[str, float]:
        """Open, resize, invoke."""
        return verdict(self._real(self.invoke(self.given(opened(path, self._size)))))

    def frame(self, picture: Any) -> tuple[str, float]:
        """To RGB, make a Pillow picture of it, resize, invoke."""
        return verdict(self._real(self.invoke(self.given(shrunk(rgb(picture), self._size)))))

    def _real(self, output: Any) -> Any:
        scale, zero_point = self._scores["quantization"]
        return (output.astype(np.float32) - zero_point) * scale if scale else output
