"""Videos, network streams and V4L2 devices, through PyAV."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import av.error

from corrosion_edge.device.sources import v4l2
from corrosion_edge.device.sources.address import redacted
from corrosion_edge.device.sources.scaling import Scaling
from corrosion_edge.device.sources.source import Source
from corrosion_edge.device.sources.wish import NOTHING, Wish
from corrosion_edge.errors import SourceError, SourceLost
from corrosion_edge.frame import Frame

__all__ = ["AvSource", "open_device", "open_stream", "open_video"]

OPEN_WITHIN: Final = 10.0
"""Seconds that a stream gets to answer."""

READ_WITHIN: Final = 8.0
"""Seconds that a stream gets for its next packet: less than the deadline of a live source."""

_IN_WORDS: Final = {
    errno.EIO: "the connection or device broke off",
    errno.ENODEV: "the device is gone; check its cable",
}
_SLACK = 1.0  # seconds by which a recording may end before the length its header states
_STATE_LENGTH = ("mov", "matroska")  # formats whose header states the length


def open_video(path: Path, wish: Wish = NOTHING) -> "AvSource":
    """Open a video file (SourceError)."""
    # "file:" keeps a colon in the name from being taken for a protocol.
    container = _opened(f"file:{path}", str(path))
    return AvSource(container, str(path), file=str(path), live=False, wish=wish)


def open_stream(url: str, wish: Wish = NOTHING) -> "AvSource":
    """Open an RTSP or HTTP address (SourceError); what states a length is a recording."""
    # TCP first: over UDP, packets are lost in silence and firewalls make it hang.
    options = {"rtsp_flags": "prefer_tcp"} if url.lower().startswith("rtsp") else {}
    name = redacted(url)
    container = _opened(url, name, options=options, timeout=(OPEN_WITHIN, READ_WITHIN))
    return AvSource(container, name, live=not container.duration, wish=wish)


def open_device(path: Path, wish: Wish = NOTHING) -> "AvSource":
    """Open a V4L2 camera (SourceError); the driver takes what is nearest to the wish."""
    v4l2.require_camera(path)
    options = {}
    if wish.resolution:
        options["video_size"] = "{}x{}".format(*wish.resolution)
    if wish.rate:
        options["framerate"] = f"{wish.rate:g}"
    try:
        container = _opened(str(path), str(path), format="v4l2", options=options)
    except SourceError:
        v4l2.free_buffers(path)
        raise
    return AvSource(container, str(path), live=True, is_device=True, wish=wish)


class AvSource(Source):
    """The first video track of an open container, upright, in RGB.

    A recording that is damaged delivers what can be decoded whole, then raises SourceLost. In a
    live stream frames that cannot be decoded are passed over. ``position`` of a recording's
    frames counts from its first frame. ``is_device`` is for a V4L2 camera, whose path is the name.
    """

    def __init__(
        self,
        container: Any,
        name: str,
        *,
        file: str = "",
        live: bool,
        is_device: bool = False,
        wish: Wish = NOTHING,
    ) -> None:
        self.name = name
        self.live = live
        self._container = container
        self._file = file
        self.is_video = not live
        self._is_device = is_device
        self._scaling = Scaling(wish.scaled, wish.resolution)
        self._index = 0
        self._origin: float | None = None
        self._packets = 0
        self._damaged = 0
        self._end = 0.0
        self._track = _video_track(container, name)
        if self._is_device and (granted := self._track.average_rate):
            self.period = 1 / float(granted)
        self.paced = wish.is_kept(self.period)
        self._pictures: Iterator[Any] = self._decoded()

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        try:
            picture = next(self._pictures, None)
        except av.error.FFmpegError as error:
            raise SourceLost(self._lost(_reason(error))) from None
        if picture is None:
            self._require_whole()
            return None
        whole, small = self._scaling.both(picture)
        position = self._position(picture)
        frame = Frame.now(whole, self._index, self._file, position, small)
        self._index += 1
        return frame

    def interrupt(self) -> bool:
        """See ``Source.interrupt``: a V4L2 camera bears it; a stream has a time limit anyway."""
        return self._is_device and v4l2.stop_streaming(Path(self.name))

    def close(self) -> None:
        """See ``Source.close``."""
        self._pictures = iter(())
        self._container.close()

    def _decoded(self) -> Iterator[Any]:
        for packet in self._container.demux(self._track):
            self._packets += bool(packet.size)
            pictures = self._pictures_of(packet)
            del packet  # it would outlive the container in the traceback of what fails next
            for picture in pictures:
                self._damaged += picture.is_corrupt
                if not picture.is_corrupt:
                    yield picture

    def _pictures_of(self, packet: Any) -> list[Any]:
        if packet.is_corrupt:
            self._damaged += 1
            return []
        try:
            whole = _owned(packet) if self._is_device else packet
            return list(self._track.codec_context.decode(whole))
        except av.error.FFmpegError:
            self._damaged += 1
            return []

    def _position(self, picture: Any) -> float | None:
        if self.live:
            return None
        rate = float(self._track.average_rate or 25)
        time = self._index / rate if picture.time is None else float(picture.time)
        if self._origin is None:
            self._origin = time
        self._end = max(self._end, time + 1 / rate)
        return time - self._origin

    def _require_whole(self) -> None:
        if self.live:
            raise SourceLost(self._lost("the stream ended"))
        if self._index == 0:
            raise SourceLost(f"{self.name}: holds no frame that can be decoded")
        if self._damaged or self._is_short():
            raise SourceLost(self._lost("damaged or cut short"))

    def _is_short(self) -> bool:
        """Whether less came than the file's header states."""
        kind = self._container.format.name
        if kind == "avi":
            return bool(self._packets < self._track.frames)
        return kind.startswith(_STATE_LENGTH) and self._end + _SLACK < self._stated_length()

    def _stated_length(self) -> float:
        """The track's length in seconds, 0 if unknown: a second track may be the longer one."""
        if self._track.duration is not None:
            return float(self._track.duration * self._track.time_base)
        if len(self._container.streams) > 1:
            return 0.0
        return (self._container.duration or 0) / av.time_base

    def _lost(self, reason: str) -> str:
        if self._is_device and not Path(self.name).exists():
            reason = "the device is gone; check its cable"
        count = f"{self._index} frames were read" if not self.live else "it is lost"
        return f"{self.name}: {reason}; {count}"


def _opened(address: str, name: str, **how: Any) -> Any:
    try:
        return av.open(address, **how)
    except av.error.FFmpegError as error:
        if error.errno == errno.EBUSY:
            raise SourceError(v4l2.busy(name, Path(address))) from None
        # Only the reason: the error's own text repeats the address, with its password.
        raise SourceError(f"{name}: cannot be opened ({_reason(error)})") from None


def _owned(packet: Any) -> Any:
    """The packet in memory of its own, or None for the one that only asks for what is left.

    FFmpeg's V4L2 reader hands out the driver's buffers, and a packet or raw picture that is freed
    after the container was closed writes into what is no longer there (mmap_release_buffer() of
    libavdevice/v4l2.c).
    """
    if not packet.size:
        return None
    own = av.Packet(bytes(packet))
    own.pts, own.dts, own.time_base = packet.pts, packet.dts, packet.time_base
    return own


def _video_track(container: Any, name: str) -> Any:
    for track in container.streams.video:
        if track.codec_context is not None:
            return track
    container.close()
    raise SourceError(f"{name}: holds no video that can be decoded")


def _reason(error: Any) -> str:
    if isinstance(error, av.error.ExitError | av.error.TimeoutError):
        return f"no answer for {READ_WITHIN:g} s or more"
    if isinstance(error, av.error.InvalidDataError):
        return "not a video, or damaged"
    if isinstance(error, av.error.HTTPUnauthorizedError):
        return "user and password are wrong or missing; write them as scheme://user:password@host"
    return _IN_WORDS.get(error.errno) or error.strerror or type(error).__name__
