"""Starts the RTSP camera of this folder, which shows rendered pictures."""

import subprocess
from pathlib import Path

import rig
from PIL import Image

from corrosion_edge.render import clip

__all__ = ["rendered", "rtsp_camera"]


def rendered(folder: Path, size: tuple[int, int]) -> list[Path]:
    """The rusted end of the clip as JPEGs, for it has colour."""
    for number, pixels in enumerate(list(clip(frames=30, size=size))[20:]):
        Image.fromarray(pixels).save(folder / f"{number:03d}.jpg", quality=95)
    return sorted(folder.iterdir())


def rtsp_camera(
    folder: Path, codec: str = "mjpeg", *login: str, port: int | None = 0
) -> tuple[str, "subprocess.Popen[str]"]:
    """A camera that shows the folder's pictures: its address, and its process."""
    command: list[str | Path] = [rig.HERE / "rtsp_camera.py", folder, codec, *login]
    server = subprocess.Popen(
        ["/usr/bin/python3", *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**rig.clean_environment(), "RTSP_PORT": str(port)},
    )
    address = server.stdout.readline().strip() if server.stdout else ""
    if not address.startswith("rtsp://127.0.0.1:"):
        server.kill()
        raise AssertionError("the RTSP server does not start")
    return address, server
