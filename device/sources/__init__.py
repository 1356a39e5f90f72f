"""Cameras, streams, recordings and folders behind one seam."""

import re
from pathlib import Path

from corrosion_edge.device.sources.address import is_readable, redacted
from corrosion_edge.device.sources.source import PhotoError, Source
from corrosion_edge.device.sources.wish import NOTHING, Wish
from corrosion_edge.errors import NoSuchSource, SourceError
from corrosion_edge.photos import passed_over_because

__all__ = [
    "PhotoError",
    "Source",
    "Wish",
    "is_live_kind",
    "open_directly",
    "open_source",
    "require_known",
]

_EXAMPLES = "--camera /dev/video0, video.mp4, rtsp://…, a folder, or demo"
_PICAMERA2 = r"picamera2(?::(\d{1,3}))?"


def open_source(spec: str) -> Source:
    """Open what ``--camera`` names; a live source delivers its newest frame, and is lost once.

    See ``open_directly``, and ``capture.open_camera`` for one that comes back.
    """
    from corrosion_edge.device.capture import open_camera

    return open_camera(spec, reconnect=False)


def is_live_kind(spec: str) -> bool:
    """Whether it names a camera or a stream, which may be live, and not a file or the demo."""
    if spec == "auto" or "://" in spec or re.fullmatch(_PICAMERA2, spec):
        return True
    try:
        return Path(spec).is_relative_to("/dev") or Path(spec).is_char_device()
    except (OSError, ValueError):
        return False


def require_known(spec: str) -> None:
    """NoSuchSource for a network address of a kind that is not read."""
    if "://" in spec and not is_readable(spec):
        only = "only rtsp, rtsps, http and https addresses are read"
        raise NoSuchSource(f"{redacted(spec)}: {only}")


def open_directly(spec: str, wish: Wish = NOTHING) -> Source:
    """Open a source as its driver has it; a read of a live one may hang.

    ``auto`` is the first Raspberry Pi camera, or else the first V4L2 camera. Others: ``demo``,
    ``picamera2`` or ``picamera2:N``, an RTSP or HTTP address, a device, a folder, a picture or a
    video file. A camera is asked for the ``wish``; what cannot be asked passes it over. Raises
    SourceError with what to do (NoSuchSource where waiting is no use), DataError for a folder
    without photos.
    """
    if spec == "auto":
        return _first_camera(wish)
    if spec == "demo":
        from corrosion_edge.device.sources.demo import DemoSource

        return DemoSource()
    if number := re.fullmatch(_PICAMERA2, spec):
        return _picamera2(int(number[1] or 0), wish)
    if "://" in spec:
        return _stream(spec, wish)
    try:
        return _path(Path(spec), wish)
    except OSError as error:  # a folder that may not be entered, a name that is too long
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{spec}: cannot be opened ({error.strerror})") from None


def _first_camera(wish: Wish) -> Source:
    from corrosion_edge.device.sources import picamera2_source, v4l2

    if numbers := picamera2_source.attached():
        return _picamera2(numbers[0], wish)
    if devices := v4l2.cameras():
        return _device(devices[0], wish)
    raise SourceError(
        f"no camera found (no picamera2, no /dev/video*): name one with --camera, e.g. {_EXAMPLES}"
    )


def _picamera2(number: int, wish: Wish) -> Source:
    from corrosion_edge.device.sources.picamera2_source import Picamera2Source

    return Picamera2Source(number, wish)


def _stream(url: str, wish: Wish) -> Source:
    require_known(url)
    from corrosion_edge.device.sources.av_source import open_stream

    return open_stream(url, wish)


def _device(path: Path, wish: Wish) -> Source:
    from corrosion_edge.device.sources.av_source import open_device

    return open_device(path, wish)


def _path(path: Path, wish: Wish) -> Source:
    if path.is_relative_to("/dev") or path.is_char_device():
        return _device(path, wish)
    if not path.exists():
        raise SourceError(f"{path}: no such camera, file or folder; name one, e.g. {_EXAMPLES}")
    if path.is_dir() or passed_over_because(path) is None:
        from corrosion_edge.device.sources.folder import FolderSource

        return FolderSource(path)
    from corrosion_edge.device.sources.av_source import open_video

    return open_video(path, wish)
