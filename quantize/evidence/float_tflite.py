"""A float TFLite file, as a converter makes one without quantization: pixels in, scores out."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corrosion_edge.closing import Closing
from corrosion_edge.device.backends.litert import find_runtime, usable_cores
from corrosion_edge.errors import BackendError, DataError, UsageError
from corrosion_edge.prediction import CORROSION, LABELS, Prediction
from corrosion_edge.quiet import quiet

__all__ = ["FloatTflite"]

_RUNTIME_ERRORS = (RuntimeError, ValueError, AttributeError)


class FloatTflite(Closing):
    """A network with float ends in LiteRT's interpreter.

    Its input is float32 [1, h, w, 3], RGB 0..255; its outputs are ``scores`` [1, 2] (the
    probabilities of no corrosion and corrosion) or one probability [1, 1], and maybe a ``map``
    [1, h, w, 1]. They are told apart by their shapes. ``size`` is the input's (width, height).
    DataError without the file, BackendError if the runtime refuses it, UsageError for other ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._interpreter = _open(path)
        self._input = self._interpreter.get_input_details()[0]
        outputs = {tuple(o["shape"]): o for o in self._interpreter.get_output_details()}
        self._scores = next((o for s, o in outputs.items() if s in ((1, 2), (1, 1))), None)
        self._map = next((o for s, o in outputs.items() if len(s) == 4 and s[3] == 1), None)
        self._check_ends()
        height, width = self._input["shape"][1:3]
        self.size = int(width), int(height)

    def look(self, pixels: npt.NDArray[np.uint8], threshold: float) -> Prediction:
        """The verdict on a prepared picture, uint8 [h, w, 3]."""
        try:
            self._interpreter.set_tensor(self._input["index"], pixels[None].astype(np.float32))
            self._interpreter.invoke()
        except _RUNTIME_ERRORS as error:
            raise BackendError(f"{self.path}: the runtime failed ({error})") from None
        score, local = self._score(), None
        if self._map is not None:
            local = self._interpreter.get_tensor(self._map["index"])[0, :, :, 0]
        return Prediction(score, threshold, local)

    def close(self) -> None:
        """Drop the interpreter."""
        self._interpreter = None

    def _score(self) -> float:
        assert self._scores is not None
        values = self._interpreter.get_tensor(self._scores["index"]).reshape(-1)
        score = float(values[LABELS.index(CORROSION) if len(values) > 1 else 0])
        if not -1e-3 <= score <= 1 + 1e-3:
            raise BackendError(f"{self.path}: expected a probability, got the score {score:g}")
        return min(max(score, 0.0), 1.0)

    def _check_ends(self) -> None:
        ends = [self._input, *(o for o in (self._scores, self._map) if o is not None)]
        shape = self._input["shape"]
        fits = len(shape) == 4 and shape[0] == 1 and shape[3] == 3
        if self._scores is None or not fits or any(e["dtype"] != np.float32 for e in ends):
            got = [(e["dtype"].__name__, e["shape"].tolist()) for e in ends]
            raise UsageError(
                f"{self.path}: expected a float model from a picture [1, h, w, 3] to scores "
                f"[1, 2], got {got}; FLOAT is a run's folder, a .keras or a float .tflite file"
            )


def _open(path: Path) -> Any:
    runtime, _ = find_runtime()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        with quiet():
            interpreter = runtime.Interpreter(model_content=content, num_threads=usable_cores())
            interpreter.allocate_tensors()
    except _RUNTIME_ERRORS as error:
        raise BackendError(f"{path}: the runtime refuses the model ({error})") from None
    return interpreter
