"""Run with MediaPipe on the path: what its ImageClassifier makes of pictures, as JSON.

``mediapipe_probe.py MODEL PICTURES.npz``: pictures are uint8 [h, w, 3] RGB of any size.
Also tells what MediaPipe's own classes for the metadata schema read in the model file.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(model: str, pictures: str) -> None:
    """Print the heads' answers for each picture, and the metadata."""
    # MediaPipe imports TensorFlow where it finds it, for marks in its own documentation: 5 s.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=model))
    with vision.ImageClassifier.create_from_options(options) as classifier:
        answers = [_answer(classifier, pixels) for pixels in np.load(pictures).values()]
    print(json.dumps({"answers": answers, "metadata": _metadata(model)}))


def _answer(classifier: Any, pixels: np.ndarray) -> dict[str, list[tuple[str, float]]]:
    """Categories of each head, best first."""
    import mediapipe

    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
    return {
        head.head_name or "": [(c.category_name, c.score) for c in head.categories]
        for head in classifier.classify(image).classifications
    }


def _metadata(model: str) -> dict[str, Any] | None:
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema
    from mediapipe.tasks.metadata import schema_py_generated as model_schema

    net = model_schema.ModelT.InitFromPackedBuf(Path(model).read_bytes(), 0)
    for entry in net.metadata or []:
        if entry.name == b"TFLITE_METADATA":
            inside = bytes(net.buffers[entry.buffer].data)
            assert schema.ModelMetadata.ModelMetadataBufferHasIdentifier(inside, 0)
            return _plain(schema.ModelMetadataT.InitFromPackedBuf(inside, 0))
    return None


def _plain(value: Any) -> Any:
    """Objects of generated code as dictionaries, without what is not set."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list | np.ndarray):
        return [_plain(entry) for entry in value]
    if hasattr(value, "__dict__"):
        return {k: _plain(v) for k, v in vars(value).items() if v is not None}
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
