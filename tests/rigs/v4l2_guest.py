"""Runs inside the virtual machine: what the product does with the kernel's camera, as JSON.

``v4l2_guest.py [FILE SCENARIO...]``: all of them into found.json, or those into that file.

Each scenario is one function; what it returns is stored under its name, an exception as text.
"""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from guest import play

from corrosion_edge.device.sources import Wish, open_directly, open_source, v4l2
from corrosion_edge.errors import SourceError

CAMERA = "/dev/video0"
DRIVER = Path("/sys/bus/platform/drivers/vivid")
EXCHANGE = Path("/exchange")
PATIENCE = 60.0
"""Seconds for anything that must end; emulation is slow."""

PATTERNS = {"red": 7, "green": 8, "blue": 9}
"""Numbers of the driver's full-frame colours in the menu of its control test_pattern."""


def control(name: str, value: int) -> None:
    """Set one of the driver's controls."""
    subprocess.run(
        ["v4l2-ctl", "-d", CAMERA, "-c", f"{name}={value}"], check=True, timeout=PATIENCE
    )


def watch(*options: str) -> "subprocess.Popen[str]":
    """Start ``corrosion-edge watch --json``."""
    model = ["--model", str(EXCHANGE / "model.tflite")]
    return subprocess.Popen(
        [sys.executable, "-m", "corrosion_edge", "watch", "--json", *model, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]", out: str = "") -> dict[str, Any]:
    """What a command left; it gets PATIENCE to end."""
    start = time.monotonic()
    try:
        rest, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        rest, err = process.communicate()
    seconds = time.monotonic() - start
    return {"code": process.returncode, "out": out + rest, "err": err, "seconds": seconds}


def capture() -> dict[str, Any]:
    """Frames of each full-frame colour: their shape, mean and indices."""
    control("osd_text_mode", 2)
    found = {}
    for name, number in PATTERNS.items():
        control("test_pattern", number)
        with open_source(CAMERA) as source:
            frames = [frame for _ in range(3) if (frame := source.read())]
        pixels = frames[-1].pixels
        found[name] = {
            "shape": pixels.shape,
            "mean": pixels.reshape(-1, 3).mean(0).tolist(),
            "indices": [frame.index for frame in frames],
        }
    control("test_pattern", 0)
    return found


def asked() -> dict[str, Any]:
    """The size and rate that are asked of the camera."""
    with open_directly(CAMERA, Wish((320, 180), 10.0)) as source:
        frame = source.read()
        return {"shape": frame.pixels.shape if frame else (), "paced": source.paced}


def listed() -> list[str]:
    """The cameras that are found."""
    return [str(path) for path in v4l2.cameras()]


def automatic() -> str:
    """The camera that ``auto`` takes."""
    with open_source("auto") as source:
        return source.name


def in_use() -> dict[str, Any]:
    """What is said while another program streams from the camera."""
    other = subprocess.Popen(
        ["v4l2-ctl", "-d", CAMERA, "--stream-mmap", "--stream-to=/dev/null"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(2)
        return {"said": _refusal(), "process": other.pid}
    finally:
        other.kill()
        other.wait()


def _refusal() -> str:
    try:
        with open_source(CAMERA) as source:
            source.read()
    except SourceError as error:
        return str(error)
    return ""


def watched() -> dict[str, Any]:
    """Three verdicts of the camera that is found by itself."""
    return ended(watch("--frames", "3"))


def _lost_by(blow: Callable[[], object]) -> dict[str, Any]:
    process = watch("--camera", CAMERA, "--no-reconnect")
    lines = [process.stdout.readline() for _ in range(2)] if process.stdout else []
    blow()
    return ended(process, "".join(lines))


def streaming_error() -> dict[str, Any]:
    """A fatal error of the stream while watching."""
    return _lost_by(lambda: control("inject_fatal_streaming_error", 1))


def disconnect() -> dict[str, Any]:
    """The driver tells every program that its camera is gone."""
    with _plugged_in_again():
        return _lost_by(lambda: control("disconnect", 1))


def unplug() -> dict[str, Any]:
    """The camera is pulled out while watching; its node disappears."""
    with _plugged_in_again():
        result = _lost_by(lambda: (DRIVER / "unbind").write_text("vivid.0"))
        return {**result, "node": Path(CAMERA).exists(), "then": _refusal()}


@contextlib.contextmanager
def _plugged_in_again() -> Iterator[None]:
    yield
    with contextlib.suppress(OSError):
        (DRIVER / "unbind").write_text("vivid.0")
    (DRIVER / "bind").write_text("vivid.0")
    time.sleep(1)


def errors_and_back() -> dict[str, Any]:
    """Plugged in again, the camera is watched as before; its stream breaks off, and the next two
    openings fail, each in another request."""
    return _back_by(_break_off, lambda: None)


def _break_off() -> None:
    control("inject_vidioc_reqbufs_error", 1)
    control("inject_vidioc_streamon_error", 1)
    control("inject_fatal_streaming_error", 1)


def _back_by(blow: Callable[[], object], mend: Callable[[], object]) -> dict[str, Any]:
    """Hurt the camera, wait until that is told, mend it, and wait for its recovery."""
    process = watch("--camera", CAMERA, "--hung-after", "6")
    limit = threading.Timer(3 * PATIENCE, process.kill)
    limit.daemon = True  # or the machine would run until it is over
    limit.start()
    lines: list[str] = []
    _until(process, lines, '"label"')
    blow()
    _until(process, lines, '"camera_lost"')
    mend()
    begin = time.monotonic()
    _until(process, lines, '"camera_recovered"')
    _until(process, lines, '"label"')
    back = time.monotonic() - begin
    process.send_signal(signal.SIGINT)
    return {**ended(process, "".join(lines)), "back": [back]}


def _until(process: "subprocess.Popen[str]", lines: list[str], word: str) -> None:
    for line in process.stdout or ():
        lines.append(line)
        if word in line:
            return


def hang_and_back() -> dict[str, Any]:
    """The camera streams, but every frame is dropped, for a while."""
    try:
        return _back_by(
            lambda: control("percentage_of_dropped_buffers", 100),
            lambda: control("percentage_of_dropped_buffers", 0),
        )
    finally:
        control("percentage_of_dropped_buffers", 0)


def unplug_and_back() -> dict[str, Any]:
    """The camera is pulled out and plugged in again while watching."""
    return _back_by(
        lambda: (DRIVER / "unbind").write_text("vivid.0"),
        lambda: (DRIVER / "bind").write_text("vivid.0"),
    )


def error_and_back() -> dict[str, Any]:
    """The stream breaks off while watching."""
    return _back_by(lambda: control("inject_fatal_streaming_error", 1), lambda: None)


SCENARIOS: list[Callable[[], Any]] = [
    capture, asked, listed, automatic, in_use, watched, streaming_error, disconnect, unplug,
    errors_and_back, hang_and_back, unplug_and_back,
]  # fmt: skip
FURTHER: list[Callable[[], Any]] = [error_and_back]
"""Those that run when they are named alone."""


if __name__ == "__main__":
    file, *names = sys.argv[1:] or ["found.json"]
    named = [each for each in SCENARIOS + FURTHER if each.__name__ in names]
    play(named or SCENARIOS, EXCHANGE / file)
