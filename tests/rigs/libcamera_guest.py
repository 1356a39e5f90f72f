"""Runs inside the rig: what the product does with libcamera's virtual cameras, as JSON.

Each scenario is one function; what it returns is stored under its name, an exception as text.
"""

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import picamera2
from libcamera_camera import RgbPicamera2, VirtualPicamera2

from corrosion_edge.device.capture import Patience, open_camera
from corrosion_edge.device.capture.parity import difference
from corrosion_edge.device.capturing import Capture
from corrosion_edge.device.sources import Wish, open_source
from corrosion_edge.device.sources.picamera2_source import Picamera2Source
from corrosion_edge.errors import SourceError

EXCHANGE = Path("/exchange")
COMMAND = """
import libcamera_camera, picamera2
picamera2.Picamera2 = libcamera_camera.RgbPicamera2
from corrosion_edge.cli import main
main()
"""


def listed() -> list[str]:
    """The cameras in the order in which picamera2 counts them."""
    return [camera["Id"] for camera in picamera2.Picamera2.global_camera_info()]


def refused(spec: str) -> str:
    """What is said of a source that cannot be opened, or nothing."""
    try:
        with open_source(spec) as source:
            source.read()
    except SourceError as error:
        return str(error)
    return ""


def silent_format() -> list[str]:
    """The camera grants NV12 where BGR888 was asked for, and is free again afterwards."""
    picamera2.Picamera2 = VirtualPicamera2
    try:
        return [refused("picamera2:0"), refused("picamera2:0")]
    finally:
        picamera2.Picamera2 = RgbPicamera2


def absent() -> str:
    """A camera that is not there."""
    return refused("picamera2:7")


def in_use() -> str:
    """A camera that is open already."""
    with open_source("picamera2:0") as source:
        source.read()
        return refused("picamera2:0")


def pictures() -> dict[str, Any]:
    """The size and the mean colour of each camera and of ``auto``."""
    return {spec: _picture(spec) for spec in ("picamera2:0", "picamera2:1", "auto", "picamera2")}


def _picture(spec: str) -> dict[str, Any]:
    with open_source(spec) as source:
        frame = source.read()
    if frame is None:
        return {"name": source.name}
    mean = frame.pixels.reshape(-1, 3).mean(0).tolist()
    return {"name": source.name, "shape": frame.pixels.shape, "mean": mean}


def scaled() -> dict[str, Any]:
    """What comes of the low-resolution stream, in the sizes asked for."""
    found = {}
    for number in (0, 1):
        with Picamera2Source(number, Wish(scaled=((224, 224), (192, 192)))) as source:
            frame = source.read()
        found[str(number)] = {
            "shapes": [small.shape for small in frame.scaled],
            "difference": difference(frame),
            "mean": frame.scaled[0].reshape(-1, 3).mean(0).tolist(),
        }
    return found


def pace() -> float:
    """Frames a second of a camera that has no pace of its own."""
    with Picamera2Source(0) as source:
        source.read()
        start = time.monotonic()
        for _ in range(60):
            source.read()
        return 60 / (time.monotonic() - start)


def rate() -> list[Any]:
    """Whether the camera says that it keeps a rate, and what is asked of it for each frame."""
    with open_camera("picamera2:0", wish=Wish(None, 5.0)) as source:
        source.read()
        return [source.paced, Capture(rate=5.0).interval(0.0, source)]


class HangingPicamera2(RgbPicamera2):
    """A camera of which no request completes while ``hangs``, as after libcamera's time-out."""

    hangs = False

    def process_requests(self, display: Any) -> None:
        """See picamera2: called by its event loop when libcamera has something."""
        if not HangingPicamera2.hangs:
            super().process_requests(display)


def hung() -> list[Any]:
    """What is told of a camera that hangs for six seconds: event, reason, hanging threads."""
    told: list[Any] = []
    picamera2.Picamera2 = HangingPicamera2
    patience = Patience(hung_after=2, frozen_after=float("inf"))
    observe = lambda state: told.append([state.event, state.reason, state.abandoned])  # noqa: E731
    try:
        with open_camera("picamera2:1", patience=patience, observe=observe) as source:
            source.read()
            _hang_while(source, told)
    finally:
        picamera2.Picamera2 = RgbPicamera2
    return told


def _hang_while(source: Any, told: list[Any]) -> None:
    start, HangingPicamera2.hangs = time.monotonic(), True
    while told[-1][0] != "recovered" and time.monotonic() < start + 60:
        HangingPicamera2.hangs = time.monotonic() < start + 6
        source.poll()
        time.sleep(0.02)


def watched() -> dict[str, Any]:
    """The command on the camera that it finds by itself."""
    # What Virtual1 shows is one plain red, which counts as covered.
    options = ["watch", "--json", "--frames", "3", "--no-quality"]
    options += ["--model", str(EXCHANGE / "model.tflite")]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}


SCENARIOS: list[Callable[[], Any]] = [
    listed, silent_format, absent, pictures, scaled, pace, rate, hung, watched, in_use
]  # fmt: skip


def main() -> None:
    """Run every scenario; what went wrong in one does not keep the others from running."""
    picamera2.Picamera2 = RgbPicamera2
    found: dict[str, Any] = {}
    for scenario in SCENARIOS:
        try:
            found[scenario.__name__] = scenario()
        except Exception:
            found[scenario.__name__] = traceback.format_exc()
    (EXCHANGE / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
