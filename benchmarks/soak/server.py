"""A network camera that misbehaves on order: ``python -m …soak.server KIND VIDEO``.

``mjpeg`` sends JPEGs in a multipart answer, ``mpegts`` H.264 in an MPEG transport stream, both over
HTTP and without end. Its port is CAMERA_PORT of the environment, it prints its address. Orders
come by standard input, one a line, ``WORD SECONDS``: see ``TROUBLES``. It ends when standard input
does, or when its parent is gone.
"""

import ctypes
import io
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import av
import numpy as np
from PIL import Image

from corrosion_edge.benchmarks.soak.station import PORT
from corrosion_edge.benchmarks.soak.video import RATE, jpeg, jpegs

__all__ = ["TROUBLES", "Trouble", "main", "mjpeg", "mpegts"]

TROUBLES: Final = ("freeze", "late", "close", "garbage", "dark")
"""``freeze``: the same picture over and over. ``late``: nothing comes, and then it goes on.
``close``: connections end, new ones get 503. ``garbage``: bytes that are no pictures. ``dark``:
the lens is covered (JPEG only)."""

BOUNDARY: Final = "picture"
_PATIENCE: Final = 20.0  # seconds for which a client may take nothing
_TS_PACKET: Final = 188
_PR_SET_PDEATHSIG: Final = 1

Pump = Callable[[BinaryIO], None]


class Trouble:
    """What is wrong now, for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._order = ("", 0.0)

    def order(self, line: str) -> None:
        """Take ``WORD SECONDS``; ValueError for anything else."""
        word, seconds = line.split()
        if word not in TROUBLES:
            raise ValueError(f"order: expected one of {', '.join(TROUBLES)}, got {word!r}")
        self._order = (word, self._clock() + float(seconds))

    @property
    def now(self) -> str:
        """The trouble of the moment, '' for none."""
        word, until = self._order
        return word if self._clock() < until else ""


def mjpeg(video: Path, trouble: Trouble) -> Pump:
    """What sends a video's pictures as a multipart stream."""
    pictures = jpegs(video)
    dark = _dark(pictures[0])
    state = {"shown": pictures[0]}

    def pump(out: BinaryIO) -> None:
        for number in _paced():
            wrong = trouble.now
            if wrong == "close":
                return
            if wrong == "garbage":
                out.write(os.urandom(4096))
            if wrong != "freeze":
                shown = dark if wrong == "dark" else pictures
                state["shown"] = shown[number % len(shown)]
            if wrong not in ("garbage", "late"):
                out.write(_part(state["shown"]))

    return pump


class _Looped:
    """A video's packets over and over, each with where it lies; a client begins at a key frame."""

    def __init__(self, video: Path) -> None:
        self._video = str(video)
        with av.open(self._video) as container:
            track = container.streams.video[0]
            packets = [packet for packet in container.demux(track) if packet.size]
            self.parts = [(bytes(packet), packet.is_keyframe) for packet in packets]
            self._base, self._step = track.time_base, round(1 / (RATE * track.time_base))
        self.key = next(part for part in self.parts if part[1])

    def taker(self, out: BinaryIO) -> Callable[[int, tuple[bytes, bool]], None]:
        """What sends a packet under the number to a client."""
        with av.open(self._video) as source:
            to = av.open(_Unseekable(out), "w", format="mpegts", options={"flush_packets": "1"})
            stream = to.add_stream_from_template(source.streams.video[0])

        def take(number: int, part: tuple[bytes, bool]) -> None:
            packet = av.Packet(part[0])
            packet.pts = packet.dts = self._step * number
            packet.time_base, packet.stream, packet.is_keyframe = self._base, stream, part[1]
            to.mux(packet)

        return take


def mpegts(video: Path, trouble: Trouble) -> Pump:
    """What sends a video's packets with times that go on."""
    looped = _Looped(video)

    def pump(out: BinaryIO) -> None:
        take, behind = looped.taker(out), True
        for number in _paced():
            part = looped.parts[number % len(looped.parts)]
            wrong = trouble.now
            if wrong == "close":
                return
            if wrong == "garbage":
                out.write(os.urandom(40 * _TS_PACKET))
            elif wrong == "freeze":
                take(number, looped.key)
            elif wrong == "" and (part[1] or not behind):
                take(number, part)
            behind = bool(wrong) or (behind and not part[1])

    return pump


class _Unseekable(io.RawIOBase):
    """A client's connection as a file that only takes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._out.write(content)
        return len(content)


def _paced() -> Iterator[int]:
    """Numbers at the video's rate, the same for all clients."""
    for number in itertools.count(int(time.monotonic() * RATE)):
        time.sleep(max(0.0, number / RATE - time.monotonic()))
        yield number


def _dark(picture: bytes) -> list[bytes]:
    """Nothing but a sensor's noise, which is never the same."""
    width, height = Image.open(io.BytesIO(picture)).size
    draw = np.random.default_rng(1)
    return [jpeg(draw.integers(0, 12, (height, width, 3), np.uint8)) for _ in range(RATE)]


def _part(jpeg: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


def _handler(pump: Pump, trouble: Trouble, content_type: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            if trouble.now == "close":
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            with suppress(OSError):
                pump(cast(BinaryIO, self.wfile))

        def log_message(self, *_: object) -> None:
            pass

    return Handler


KINDS: Final = {
    "mjpeg": (mjpeg, f"multipart/x-mixed-replace; boundary={BOUNDARY}"),
    "mpegts": (mpegts, "video/mp2t"),
}


def main(kind: str, video: str) -> None:
    """Serve on this machine; obey until standard input ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    trouble = Trouble()
    make, content_type = KINDS[kind]
    handler = _handler(make(Path(video), trouble), trouble, content_type)
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get(PORT, "0"))), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}/{kind}", flush=True)
    for line in sys.stdin:
        trouble.order(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
