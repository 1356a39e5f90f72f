"""picamera2 as a Pi has it, on libcamera's virtual cameras.

picamera2 and libcamera are the real ones of Debian 13. The virtual camera has neither modes of a
sensor nor RGB: ``libcamera_camera.py`` supplies both, and shared buffers are plain
memory. So this tests how the product speaks with picamera2, not what a Pi's camera answers.

What this leaves untested: a real Pi's sensors and image processor (vc4, pisp) with their formats,
exposure and white balance, a camera taken by another process, one whose ribbon comes loose, and
every figure of latency.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rig
from PIL import Image

from corrosion_edge.device.capture.parity import LIMIT

SHOWN = (200, 40, 30)
"""What the camera Virtual1 sees on average, as red, green, blue; Virtual0 sees colour bars."""

WITHIN = 180.0

Found = dict[str, Any]

ENTER = """\
set -e
mount --bind "$CHECKOUT" "$ROOT/checkout"
mount --bind "$EXCHANGE" "$ROOT/exchange"
mount --bind "$SHOWN" "$ROOT/shown"
mount --bind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
libraries=/usr/lib/$(uname -m)-linux-gnu rigs=/checkout/tests/rigs
exec chroot "$ROOT" /usr/bin/env \\
    PYTHONPATH=/checkout:/site:$rigs:$rigs/stand_ins PYTHONPYCACHEPREFIX=/bytecode \\
    LD_LIBRARY_PATH=$libraries/blas:$libraries/lapack LD_PRELOAD=/shim.so HOME=/tmp \\
    LIBCAMERA_PIPELINES_MATCH_LIST=virtual LIBCAMERA_LOG_LEVELS=*:ERROR \\
    /usr/bin/python3 /checkout/tests/rigs/libcamera_guest.py
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What the scenarios found; the mounts end with the name space of the process."""
    folder = rig.require("libcamera")
    if os.geteuid() != 0:
        pytest.skip("entering this rig needs root")
    exchange, shown = tmp_path_factory.mktemp("exchange"), tmp_path_factory.mktemp("shown")
    shutil.copyfile(rig.model_file(), exchange / "model.tflite")
    _picture().save(shown / "0.jpg", quality=95)
    places = {"ROOT": folder / "root", "EXCHANGE": exchange, "SHOWN": shown}
    done = rig.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER],
        within=WITHIN,
        environment={
            "CHECKOUT": str(rig.CHECKOUT),
            **{name: str(path) for name, path in places.items()},
        },
    )
    return _result(done, exchange / "found.json")


def _picture() -> Image.Image:
    """``SHOWN`` on average, in waves that look different wherever a side is cut off or turned."""
    across, down = np.linspace(0, 1, 1024), np.linspace(0, 1, 768)[:, None]
    waves = np.sin(20 * across**2 + 5 * down) * np.sin(15 * down**2)
    return Image.fromarray((np.array(SHOWN) + 25 * waves[..., None]).round().astype(np.uint8))


def _result(done: Any, path: Path) -> Found:
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-3000:]}"
    return json.loads(path.read_text())


def _shows_the_picture(seen: Found) -> bool:
    return all(abs(mean - known) < 12 for mean, known in zip(seen["mean"], SHOWN, strict=True))


def test_both_cameras_are_there(found):
    assert sorted(found["listed"]) == ["Virtual0", "Virtual1"]


def test_another_format_than_asked_for_is_refused_and_the_camera_given_back(found):
    sentence = (
        "picamera2:0: the camera delivers NV12 where BGR888 was asked for; use another camera"
    )
    assert found["silent_format"] == [sentence, sentence]


def test_a_camera_that_is_not_there_is_refused(found):
    assert found["absent"] == "picamera2:7: no such camera, 2 found; check the ribbon cable"


def test_a_camera_in_use_is_said_to_be_in_use(found):
    assert found["in_use"].startswith("picamera2:0: the camera is in use by this program itself")


def test_numbers_are_those_of_picamera2_and_red_is_red(found):
    number = found["listed"].index("Virtual1")
    assert found["pictures"][f"picamera2:{number}"]["shape"] == [768, 1024, 3]
    assert _shows_the_picture(found["pictures"][f"picamera2:{number}"])
    assert not _shows_the_picture(found["pictures"][f"picamera2:{1 - number}"])


def test_the_low_resolution_stream_shows_what_the_main_one_shows(found):
    assert isinstance(found["scaled"], dict), found["scaled"]
    # Not of the bars, which libcamera draws anew, and elsewhere, for each size.
    seen = found["scaled"][str(found["listed"].index("Virtual1"))]
    assert seen["shapes"] == [[224, 224, 3], [192, 192, 3]]
    assert seen["difference"] < LIMIT  # 2.2: libcamera's scaled copy has other colours by itself
    assert _shows_the_picture(seen)


def test_auto_is_the_first_camera(found):
    automatic = found["pictures"]["auto"]
    assert automatic["name"] == found["pictures"]["picamera2"]["name"] == "picamera2:0"
    assert _shows_the_picture(automatic) == (found["listed"][0] == "Virtual1")


def test_a_camera_without_a_pace_does_not_take_the_whole_processor(found):
    assert 5 < found["pace"] <= 61


def test_a_camera_without_a_pace_is_not_believed_to_keep_a_rate(found):
    assert found["rate"] == [False, 0.2]


def test_a_camera_that_hangs_is_closed_and_opened_again(found):
    events = [event for event, _, _ in found["hung"]]
    assert events[:3] == ["running", "degraded", "lost"], found["hung"]
    assert found["hung"][2][1] == "no frame for 2 s; check the camera's cable or network"
    assert not any("in use" in reason for _, reason, _ in found["hung"])
    assert events[-2:] == ["recovered", "ended"]
    assert found["hung"][-1][2] == 0


def test_watch_gives_verdicts_and_ends(found):
    result = found["watched"]
    assert result["code"] == 0, result["err"]
    assert len([json.loads(line) for line in result["out"].splitlines()]) == 3
    assert "watching picamera2:0" in result["err"]
