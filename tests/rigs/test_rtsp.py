"""A network camera: GStreamer's RTSP server shows rendered pictures, the product reads them.

What this leaves untested: the firmware of real network cameras, packet loss, wireless networks,
H.265, and UDP.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import rig
from PIL import Image
from serving import rendered, rtsp_camera

from corrosion_edge.device.sources import open_source
from corrosion_edge.errors import SourceError, SourceLost

pytest.importorskip("av", reason="PyAV is not installed")

SIZE = (320, 240)
PATIENCE = 45.0
"""Seconds for anything that must end: the product's own deadline is 10, this machine is busy."""

Camera = tuple[str, "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the camera shows, over and over: the rusted end of the clip, for it has colour."""
    return rendered(tmp_path_factory.mktemp("shown"), SIZE)


@pytest.fixture
def camera(pictures: list[Path]) -> Iterator[Callable[..., Camera]]:
    """Start a camera: its address, and its process."""
    rig.require("rtsp")
    started = []

    def start(codec: str = "mjpeg", *login: str, port: int | None = 0) -> Camera:
        made = rtsp_camera(pictures[0].parent, codec, *login, port=port)
        started.append(made[1])
        return made

    yield start
    for server in started:
        server.kill()
        server.communicate()


@pytest.fixture
def watch() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start ``corrosion-edge watch --json`` on a camera."""
    model = rig.model_file()
    started = []

    def start(address: str, *options: str) -> "subprocess.Popen[str]":
        command = ["watch", "--json", "--camera", address, "--model", str(model), *options]
        process = subprocess.Popen(
            [sys.executable, "-m", "corrosion_edge", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=rig.CHECKOUT,
            env=rig.clean_environment(),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _nearest(pixels: np.ndarray, pictures: list[Path]) -> float:
    """The mean distance of a frame to the picture of the clip that it is nearest to, of 255."""
    shown = [np.asarray(Image.open(path), np.int16) for path in pictures]
    return min(float(np.abs(pixels - picture).mean()) for picture in shown)


@pytest.mark.parametrize("codec", ["mjpeg", "h264"])
def test_the_pictures_come_in_their_own_colours(camera, pictures, codec):
    address, _ = camera(codec)
    with open_source(address) as source:
        frames = [source.read() for _ in range(5)]
    assert source.name == address
    for frame in frames:
        assert frame.pixels.shape == (SIZE[1], SIZE[0], 3)
        assert frame.position is None
        apart = _nearest(frame.pixels, pictures)
        assert apart < 6
        assert apart < _nearest(frame.pixels[..., ::-1], pictures) / 2  # red is not blue
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})


def test_watch_gives_json_lines_and_ends_after_as_many_as_asked(camera, watch):
    address, _ = camera("h264")
    out, err = watch(address, "--frames", "5").communicate(timeout=PATIENCE)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 5, err
    assert all(0 <= line["score"] <= 1 for line in lines)
    assert [line["index"] for line in lines] == sorted({line["index"] for line in lines})
    assert f"watching {address}" in err
    assert "5 classified" in err


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_camera_that_is_lost_ends_the_watch_with_one_sentence(camera, watch, blow):
    address, server = camera()
    process = watch(address, "--no-reconnect")
    for _ in range(3):
        assert json.loads(process.stdout.readline())["label"]
    server.send_signal(blow)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith(f"Error: {address}: ")


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_camera_that_comes_back_is_watched_again(camera, watch, blow):
    address, server = camera()
    process = watch(address, "--hung-after", "3")
    assert json.loads(process.stdout.readline())["label"]
    server.send_signal(blow)
    lost = _event(process, "camera_lost")
    assert lost["camera"] == address
    server.kill()
    server.wait()
    camera("mjpeg", port=urlsplit(address).port)
    back = _event(process, "camera_recovered")
    assert back["failures"] >= 1
    assert json.loads(process.stdout.readline())["index"] >= back["frames"]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in err


def _event(process: "subprocess.Popen[str]", event: str) -> dict[str, object]:
    """The next line of that event; the fixture's end kills a watch that never says it."""
    end = time.monotonic() + PATIENCE
    for line in process.stdout or ():
        found = json.loads(line)
        if found.get("event") == event:
            return found
        assert time.monotonic() < end, f"no {event}"
    raise AssertionError(f"the watch ended without {event}")


def test_a_read_from_a_dead_camera_raises_source_lost(camera):
    address, server = camera()
    with open_source(address) as source:
        source.read()
        server.kill()
        with pytest.raises(SourceLost, match=f"^{address}: "):
            for _ in range(50):
                source.read()


def test_an_address_without_a_camera_is_refused(camera):
    address, _ = camera()
    with pytest.raises(SourceError, match=f"^{address}-2: cannot be opened "):
        open_source(f"{address}-2")


def test_a_wrong_password_is_said_and_never_shown(camera):
    address, _ = camera("mjpeg", "inspector", "right")
    with pytest.raises(SourceError, match="user and password are wrong or missing") as caught:
        open_source(address.replace("://", "://inspector:wrong@"))
    assert "wrong@" not in str(caught.value)
    with open_source(address.replace("://", "://inspector:right@")) as source:
        assert source.name == address
        assert source.read().pixels.any()
