"""``python -m …child WHAT SECONDS WORDS``: a trial in a process of its own, answered in JSON."""

import json
import math
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
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


def _delegate(library: str, device: str) -> Mapping[str, Any]:
    """Load an accelerator's delegate and, if there is one on standard input, run a network."""
    from corrosion_edge.device.accelerator.delegate import Delegate
    from corrosion_edge.device.accelerator.trying import tried
    from corrosion_edge.errors import CorrosionEdgeError

    try:
        return {"version": tried(Delegate(library, device), sys.stdin.buffer.read())}
    except (CorrosionEdgeError, ImportError) as error:
        return {"error": str(error)}


def _usb_reset(root: str, device: str) -> Mapping[str, Any]:
    """Reset the Edge TPU's USB port."""
    from corrosion_edge.device.accelerator.usb_reset import reset_usb

    return {"note": reset_usb(Path(root), device)}


def _model(camera: Mapping[str, Any]) -> str:
    return str(camera.get("Model", "camera"))


_TRIALS: Final[dict[str, Callable[..., Mapping[str, Any]]]] = {
    "delegate": _delegate,
    "runtime": _runtime,
    "picamera2": _picamera2,
    "usb-reset": _usb_reset,
}

_LONGER: Final = 5  # seconds that a parent gets to end it


def main(what: str, seconds: str, *words: str) -> None:
    """Print the answer on the last line; native libraries may chatter before it.

    A hung one whose parent is gone ends itself, by an alarm a while after the time given.
    """
    signal.alarm(math.ceil(float(seconds)) + _LONGER)
    answer = _TRIALS[what](*words)
    print(flush=True)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
