"""From a picture to a verdict: the path that the camera, the evaluator and the drift gate share."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from corrosion_edge import image
from corrosion_edge.bundle import DEFAULT_MODEL, Bundle
from corrosion_edge.closing import Closing
from corrosion_edge.device.accelerator.state import AcceleratorState
from corrosion_edge.device.backends import Backend, Output, open_backend
from corrosion_edge.errors import BackendError, BundleError, ImageError
from corrosion_edge.manifest import Golden
from corrosion_edge.prediction import CORROSION, LABELS, Prediction
from corrosion_edge.threshold import Choice, chosen

if TYPE_CHECKING:
    from corrosion_edge.modelfile.keys import PublicKey

__all__ = ["GOLDEN_LIMIT", "GOLDEN_PIXELS", "GOLDEN_TOLERANCE", "Classifier", "decode"]

GOLDEN_TOLERANCE: Final = 1
"""Steps of the 256 of a score by which a device may differ from the model's golden outputs."""

GOLDEN_LIMIT: Final = 64
"""Steps beyond which it is refused. Runtimes that round otherwise in every layer were seen 38
steps away on an int8 EfficientNetV2-B0; more would be a wrong kernel or picture."""

GOLDEN_PIXELS: Final = 16 * 2**20
"""Largest golden picture that is decoded, in pixels: 48 MiB."""

_PNG = b"\x89PNG\r\n\x1a\n"


def decode(
    outputs: Mapping[str, Output],
    threshold: float,
    band: tuple[float, float] | None = None,
    backend: str = "",
    model_sha256: str = "",
) -> Prediction:
    """Turn raw outputs into a verdict: ``scores`` [1, 2] and, where there is one, ``map``.

    ``band``, ``backend`` and ``model_sha256`` are those of ``Prediction``.
    """
    scores = outputs["scores"].real.reshape(-1)
    if scores.shape != (len(LABELS),):
        raise ValueError(f"scores: expected {len(LABELS)} values, got {scores.size}")
    score = min(max(float(scores[LABELS.index(CORROSION)]), 0.0), 1.0)
    return Prediction(score, threshold, _heatmap(outputs), band, None, backend, model_sha256)


class Classifier(Closing):
    """A model on a backend, with the model's own preprocessing.

    ``threshold``, in [0, 1], is the score from which the verdict is corrosion: the model's own,
    unless ``use_threshold`` set another.
    """

    def __init__(self, bundle: Bundle, backend: Backend, name: str = "") -> None:
        self.bundle = bundle
        self.manifest = bundle.manifest
        self.backend = backend
        self.name = name or bundle.manifest.name
        self.threshold = float(bundle.manifest.threshold)

    @property
    def band(self) -> tuple[float, float] | None:
        """The two scores between which it abstains, see ``Confidence.band``."""
        confidence = self.manifest.confidence
        return confidence.band(self.threshold) if confidence else None

    @classmethod
    def open(
        cls,
        model: Path | None = None,
        *,
        threads: int | None = None,
        signed_with: "PublicKey | None" = None,
        opening: Callable[[Bundle, Path], Backend] | None = None,
        content: bytes | None = None,
    ) -> "Classifier":
        """Load a model file, or the default model, into the CPU interpreter or by ``opening``.

        ``content`` is what is taken for the file's, if that was read before.

        Raises BundleError if the file is refused, SignatureError if it is not signed with the
        key given, ExtraError without a runtime, BackendError if the runtime refuses the network,
        and what ``opening`` raises.
        """
        path = model or DEFAULT_MODEL
        bundle = Bundle.load(path, signed_with, content)
        try:
            if opening is not None:
                return cls(bundle, opening(bundle, path))
            return cls(bundle, open_backend(bundle, threads=threads))
        except (BackendError, BundleError) as error:
            raise type(error)(f"{path}: {error}") from None

    @property
    def network_sha256(self) -> str:
        """SHA-256 in hex of the network that answers now.

        It is the model file's, or that of what it was compiled from, while that stands in for an
        accelerator.
        """
        state = getattr(self.backend, "state", None)  # as in ``news``
        compiled = self.manifest.compiled
        if compiled is not None and state is not None and state.state == "replaced":
            return compiled.source_sha256
        return self.manifest.model_sha256

    def use_threshold(self, choice: Choice) -> None:
        """Judge by the user's choice from here on (UsageError if the model cannot meet it)."""
        manifest = self.manifest
        self.threshold = chosen(choice, manifest.threshold, manifest.confidence, self.name)

    def prepare(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Scale uint8 [h, w, 3] RGB to the network's input [height, width, 3]."""
        return image.prepare(pixels, self.manifest.preprocessing)

    def decode(self, outputs: Mapping[str, Output]) -> Prediction:
        """Turn the backend's outputs into a verdict at the classifier's threshold."""
        name, judge = self.backend.name, self.network_sha256
        return decode(outputs, self.threshold, self.band, name, judge)

    def classify(self, pixels: npt.NDArray[np.uint8]) -> Prediction:
        """The verdict on uint8 [h, w, 3] RGB pixels of any size."""
        return self.classify_prepared(self.prepare(pixels))

    def classify_prepared(self, prepared: npt.NDArray[np.uint8]) -> Prediction:
        """The verdict on pixels that have the network's size, as ``prepare`` makes them."""
        return self.decode(self.backend.run(prepared[None]))

    def news(self) -> AcceleratorState | None:
        """What became of the backend's accelerator, if it has one that may fail; told once."""
        # Each frame asks, and whether something is of a protocol takes ten times as long.
        news = getattr(self.backend, "news", None)
        found: AcceleratorState | None = news() if news else None
        return found

    def check_golden(self, level: str = "full") -> list[str]:
        """Run the bundle's golden pictures; a sentence for each way this machine differs.

        The ``level`` full runs all of them, quick the first alone. Empty where pixels are the same
        and scores and map within ``GOLDEN_TOLERANCE`` steps.
        Raises BackendError beyond ``GOLDEN_LIMIT`` steps of a score, BundleError for a picture
        that cannot be used.
        """
        if level not in ("quick", "full"):
            raise ValueError(f"level: expected quick or full, got {level!r}")
        pixels_differ, worst = False, 0
        for golden in self.manifest.golden[: 1 if level == "quick" else None]:
            prepared = self.prepare(self._picture(golden.picture))
            pixels_differ |= image.digest(prepared) != golden.prepared
            worst = max(worst, self._steps(golden, self.backend.run(prepared[None])))
        return self._differences(pixels_differ, worst)

    def _steps(self, golden: Golden, outputs: Mapping[str, Output]) -> int:
        scores = _distance(outputs["scores"], golden.scores)
        if scores > GOLDEN_LIMIT:
            raise BackendError(
                f"{self.backend.name} answers {scores} of 256 steps away from the golden outputs "
                f"of {self.name} ({golden.picture}): its verdicts are refused{self._way_out}"
            )
        return max(scores, _distance(outputs["map"], golden.map)) if golden.map else scores

    @property
    def _way_out(self) -> str:
        old = self.backend.name.startswith("tflite-runtime")
        return "; use ai-edge-litert" if old else ""

    def _differences(self, pixels_differ: bool, worst: int) -> list[str]:
        found = []
        if pixels_differ:
            found.append(
                "this machine's Pillow scales pictures differently from the one that made "
                f"{self.name}"
            )
        if worst > GOLDEN_TOLERANCE:
            found.append(
                f"{self.backend.name} answers up to {worst} of 256 steps away from the golden "
                f"outputs of {self.name}: its accuracy and drift were not measured with this "
                "runtime"
            )
        return found

    def _picture(self, name: str) -> npt.NDArray[np.uint8]:
        if name not in self.bundle.files:
            raise BundleError(f"the golden picture {name!r} is missing from the model file")
        content = self.bundle.files[name]
        try:
            if not content.startswith(_PNG):
                raise ImageError(f"{name}: not a PNG")
            return image.read(io.BytesIO(content), name=name, most=GOLDEN_PIXELS)
        except ImageError as error:
            raise BundleError(f"a golden picture cannot be used ({error})") from None

    def close(self) -> None:
        """Close the backend."""
        self.backend.close()


def _heatmap(outputs: Mapping[str, Output]) -> npt.NDArray[np.float32] | None:
    if "map" not in outputs:
        return None
    return outputs["map"].real[0, :, :, 0].astype(np.float32)


def _distance(output: Output, expected: tuple[int, ...]) -> int:
    steps = output.steps.reshape(-1)
    if steps.size != len(expected):
        raise BundleError(f"golden outputs: expected {steps.size} integers, got {len(expected)}")
    return int(np.abs(steps - np.array(expected)).max())
