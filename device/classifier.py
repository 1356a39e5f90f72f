"""From a picture to a verdict: the path that the camera, the evaluator and the drift gate share."""

import io
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.device.backends import Backend, Quantized, open_backend
from corrosion_edge.errors import BackendError, BundleError
from corrosion_edge.manifest import Golden
from corrosion_edge.prediction import CORROSION, LABELS, Prediction

__all__ = ["GOLDEN_TOLERANCE", "Classifier", "decode"]

GOLDEN_TOLERANCE = 1
"""Steps of int8 by which machines may differ: with and without XNNPACK rounding differs by one."""


def decode(outputs: Mapping[str, Quantized], threshold: float) -> Prediction:
    """Turn raw outputs into a verdict: ``scores`` [1, 2] and, where there is one, ``map``."""
    scores = outputs["scores"].real.reshape(-1)
    if scores.shape != (len(LABELS),):
        raise ValueError(f"scores: expected {len(LABELS)} values, got {scores.size}")
    score = float(np.clip(scores[LABELS.index(CORROSION)], 0.0, 1.0))
    return Prediction(score, threshold, _heatmap(outputs))


class Classifier:
    """A model on a backend, with the model's own preprocessing and threshold."""

    def __init__(self, bundle: Bundle, backend: Backend, name: str = "") -> None:
        self.bundle = bundle
        self.manifest = bundle.manifest
        self.backend = backend
        self.name = name or bundle.manifest.name

    @classmethod
    def open(cls, model: Path | None = None, *, threads: int | None = None) -> "Classifier":
        """Load a model file, or the default model, into the CPU interpreter.

        Raises BundleError if the file is refused, ExtraError without a runtime, BackendError if
        the runtime refuses the network.
        """
        bundle = Bundle.load(model or DEFAULT_MODEL)
        try:
            return cls(bundle, open_backend(bundle, threads=threads))
        except BackendError as error:
            raise BackendError(f"{model or DEFAULT_MODEL}: {error}") from None

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Scale uint8 [h, w, 3] RGB to the network's input [height, width, 3]."""
        return image.prepare(pixels, self.manifest.preprocessing)

    def decode(self, outputs: Mapping[str, Quantized]) -> Prediction:
        """Turn the backend's outputs into a verdict with the model's own threshold."""
        return decode(outputs, self.manifest.threshold)

    def classify(self, pixels: npt.NDArray[np.uint8]) -> Prediction:
        """The verdict on uint8 [h, w, 3] RGB pixels of any size."""
        return self.decode(self.backend.run(self.prepare(pixels)[None]))

    def check_golden(self) -> None:
        """Run the bundle's golden pictures; BackendError says where this machine differs."""
        for golden in self.manifest.golden:
            self._check(golden)

    def _check(self, golden: Golden) -> None:
        prepared = self.prepare(self._picture(golden.picture))
        if image.digest(prepared) != golden.prepared:
            raise BackendError(
                f"{golden.picture}: this machine scales pictures differently from the one that "
                "made the model; install the Pillow version named in its manifest"
            )
        outputs = self.backend.run(prepared[None])
        expected = {"scores": golden.scores, "map": golden.map}
        worst = max(_distance(outputs[name], expected[name]) for name in outputs)
        if worst > GOLDEN_TOLERANCE:
            raise BackendError(
                f"{golden.picture}: {self.backend.name} answers {worst} steps away from the "
                "golden outputs of the model file; do not trust its verdicts"
            )

    def _picture(self, name: str) -> npt.NDArray[np.uint8]:
        if name not in self.bundle.files:
            raise BundleError(f"the golden picture {name!r} is missing from the model file")
        return image.read(io.BytesIO(self.bundle.files[name]), name=name)

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _heatmap(outputs: Mapping[str, Quantized]) -> npt.NDArray[np.float32] | None:
    if "map" not in outputs:
        return None
    return outputs["map"].real[0, :, :, 0].astype(np.float32)


def _distance(output: Quantized, expected: tuple[int, ...]) -> int:
    raw = output.raw.astype(np.int64).reshape(-1)
    if raw.size != len(expected):
        raise BundleError(f"golden outputs: expected {raw.size} integers, got {len(expected)}")
    return int(np.abs(raw - np.array(expected)).max())
