"""Cameras, streams, recordings and folders behind one seam."""

from pathlib import Path

from corrosion_edge.device.sources.source import PhotoError, Source
from corrosion_edge.device.sources.spec import (
    is_device,
    is_folder,
    is_live_kind,
    picamera2_number,
    require_distinct,
    require_known,
)
from corrosion_edge.device.sources.wish import NOTHING, Wish
from corrosion_edge.errors import SourceError
from corrosion_edge.photos import passed_over_because

__all__ = [
    "PhotoError",
    "Source",
    "Wish",
    "is_folder",
    "is_live_kind",
    "open_directly",
    "open_source",
    "require_distinct",
    "require_known",
]

_EXAMPLES = "--camera /dev/video0, video.mp4, rtsp://…, a folder, or demo"


def open_source(spec: str) -> Source:
    """Open what ``--camera`` names; a live source delivers its newest frame, and is lost once.

    See ``open_directly``, and ``capture.open_camera`` for one that comes back.
    """
    from corrosion_edge.device.capture import open_camera

    return open_camera(spec, reconnect=False)


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
    require_known(spec)
    if (number := picamera2_number(spec)) is not None:
        return _picamera2(number, wish)
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
    from corrosion_edge.device.sources.av_source import open_stream

    return open_stream(url, wish)


def _device(path: Path, wish: Wish) -> Source:
    from corrosion_edge.device.sources.av_source import open_device

    return open_device(path, wish)


def _path(path: Path, wish: Wish) -> Source:
    if is_device(path):
        return _device(path, wish)
    if not path.exists():
        raise SourceError(f"{path}: no such camera, file or folder; name one, e.g. {_EXAMPLES}")
    if path.is_dir() or passed_over_because(path) is None:
        from corrosion_edge.device.sources.folder import FolderSource

        return FolderSource(path)
    from corrosion_edge.device.sources.av_source import open_video

    return open_video(path, wish)
