"""Cameras that die, hang, freeze, shrink or come late, before a real ``watch --store``."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import rig
from http_camera import HttpCamera, jpeg
from injecting import Fault, Found, Way, through
from serving import rendered, rtsp_camera

from corrosion_edge.render import clip

__all__ = ["CAMERAS", "pictures"]

SIZE = (640, 480)


def pictures(size: tuple[int, int] = SIZE) -> list[bytes]:
    """JPEGs of the clip's rusted end, for ``HttpCamera``."""
    return [jpeg(pixels) for pixels in list(clip(frames=30, size=size))[20:]]


def rtsp_killed(folder: Path, draw: Random) -> Found:
    """The RTSP server is killed, and started anew on its port."""
    return _rtsp(folder, draw, lambda server: server.kill())


def rtsp_stopped(folder: Path, draw: Random) -> Found:
    """The RTSP server hangs (SIGSTOP), so that the read does, and is started anew on its port."""
    return _rtsp(folder, draw, lambda server: server.send_signal(19))


def _rtsp(folder: Path, draw: Random, blow: Callable[["subprocess.Popen[str]"], object]) -> Found:
    rig.require("rtsp")
    shown = folder / "shown"
    shown.mkdir()
    rendered(shown, SIZE)
    address, server = rtsp_camera(shown)
    started = [server]

    def anew() -> None:
        server.kill()
        server.wait()
        started.append(rtsp_camera(shown, port=urlsplit(address).port)[1])

    try:
        return through(
            Way(address=address, options=("--hung-after", "3"), blow=lambda: blow(server),
                mend=anew, gone="camera_lost", back="camera_recovered"),
            folder, draw,
        )  # fmt: skip
    finally:
        for each in started:
            each.kill()
            each.communicate()


def http_absent(folder: Path, draw: Random) -> Found:
    """An HTTP camera is not there at the start, and comes later."""
    with HttpCamera(pictures()) as camera:
        address = camera.address  # of a port that is free again
    later: list[HttpCamera] = []
    try:
        return through(
            Way(address=address, options=("--await-cameras",), blow=lambda: None,
                mend=lambda: later.append(HttpCamera(pictures(), urlsplit(address).port or 0)),
                gone="camera_lost", back="camera_recovered"),
            folder, draw,
        )  # fmt: skip
    finally:
        for each in later:
            each.close()


def http_silent(folder: Path, draw: Random) -> Found:
    """An HTTP camera takes connections and says nothing; the read hangs, as do new openings."""
    with HttpCamera(pictures()) as camera:
        return through(
            Way(address=camera.address, options=("--hung-after", "3"),
                blow=lambda: setattr(camera, "silent", True),
                mend=lambda: setattr(camera, "silent", False),
                gone="camera_lost", back="camera_recovered"),
            folder, draw,
        )  # fmt: skip


def frozen(folder: Path, draw: Random) -> Found:
    """A camera gives the same picture, over and over."""
    return _shows(folder, draw, pictures()[:1], ("--frozen-after", "3"),
                  "camera_degraded", "camera_recovered")  # fmt: skip


def misfit(folder: Path, draw: Random) -> Found:
    """A camera's pictures become smaller than --roi, in the same stream."""
    return _shows(folder, draw, pictures((320, 240)), ("--roi", "0,0,600,400"),
                  "unusable", "usable")  # fmt: skip


def _shows(
    folder: Path, draw: Random, bad: list[bytes], options: tuple[str, ...], gone: str, back: str
) -> Found:
    good = pictures()
    with HttpCamera(good) as camera:
        return through(
            Way(address=camera.address, options=options,
                blow=lambda: setattr(camera, "shown", bad),
                mend=lambda: setattr(camera, "shown", good), gone=gone, back=back),
            folder, draw,
        )  # fmt: skip


CAMERAS: tuple[Fault, ...] = (
    rtsp_killed, rtsp_stopped, http_absent, http_silent, frozen, misfit,
)  # fmt: skip
