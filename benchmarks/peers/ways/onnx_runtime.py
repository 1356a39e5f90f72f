"""ONNX Runtime on the CPU, as its quick start uses it."""

from pathlib import Path
from typing import Any

import numpy as np

from corrosion_edge.benchmarks.peers.ways import Pixels
from corrosion_edge.benchmarks.peers.ways.scores import opened, real, rgb, shrunk, verdict

__all__ = ["Way"]


class Way:
    """int8 or float, as the file's input is."""

    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        (self._input,) = self._session.get_inputs()
        self._type = np.uint8 if "uint8" in self._input.type else np.float32
        self._size = self._input.shape[2], self._input.shape[1]
        self.runtime = f"onnxruntime {onnxruntime.__version__}"

    def given(self, pixels: Pixels) -> Any:
        """One picture as a batch, of the input's type."""
        return np.expand_dims(pixels, 0).astype(self._type)

    def invoke(self, given: Any) -> Any:
        """The scores alone are asked for."""
        return self._session.run(["scores"], {self._input.name: given})[0]

    def score(self, output: Any) -> float:
        """Of corrosion."""
        return verdict(real(output))[1]

    def look(self, path: Path) -> tuple[str, float]:
        """Open, resize, run."""
        return verdict(real(self.invoke(self.given(opened(path, self._size)))))

    def frame(self, picture: Any) -> tuple[str, float]:
        """To RGB, make a Pillow picture of it, resize, run."""
        return verdict(real(self.invoke(self.given(shrunk(rgb(picture), self._size)))))
