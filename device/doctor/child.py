"""``python -m …child runtime|picamera2``: a trial in a process of its own, answered in JSON."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["main"]


def _runtime() -> Mapping[str, Any]:
    """Load the default model and run one golden picture."""
    from corrosion_edge.device.classifier import Classifier
    from corrosion_edge.errors import CorrosionEdgeError

    try:
        with Classifier.open() as classifier:
            differences = classifier.check_golden("quick")
            return {"name": classifier.backend.name, "differences": differences}
    except (CorrosionEdgeError, ImportError) as error:
        return {"error": str(error)}


def _picamera2() -> Mapping[str, Any]:
    """List the cameras that picamera2 sees."""
    from corrosion_edge.device.sources.picamera2_source import attached
    from corrosion_edge.errors import SourceError

    try:
        numbers = attached()
        from picamera2 import Picamera2

        return {"cameras": [_model(Picamera2.global_camera_info()[n]) for n in numbers]}
    except (SourceError, ImportError) as error:
        return {"error": str(error)}


def _model(camera: Mapping[str, Any]) -> str:
    return str(camera.get("Model", "camera"))


_TRIALS: Final[dict[str, Callable[[], Mapping[str, Any]]]] = {
    "runtime": _runtime,
    "picamera2": _picamera2,
}


def main(what: str) -> None:
    """Print the answer on the last line; native libraries may chatter before it."""
    answer = _TRIALS[what]()
    print(flush=True)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
