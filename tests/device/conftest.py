"""Pictures, videos, servers and a classifier without an interpreter, for the device's tests."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from http_camera import ENDLESS, jpeg, part
from PIL import Image

from corrosion_edge.bundle import Bundle
from corrosion_edge.device import capture
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Patience, Supervised
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.clock import SYNCHRONISED_VARIABLE
from corrosion_edge.device.sources.fake import FakeCamera

Pictures = list[npt.NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def clock_to_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether this machine's clock is synchronised must not decide what tests see."""
    monkeypatch.setenv(SYNCHRONISED_VARIABLE, "trusted")


@pytest.fixture
def pictures() -> Pictures:
    """Six pictures 64 x 48, all different, coarse enough for any codec, red at the top left."""
    return [_picture(seed) for seed in range(6)]


def _picture(seed: int) -> npt.NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(40, 200, (6, 8, 3), np.uint8)
    coarse[:2, :2] = (220, 40, 20)
    return np.repeat(np.repeat(coarse, 8, 0), 8, 1)


@pytest.fixture
def write_video() -> Callable[..., Path]:
    """Write pictures as a lossless video of ``rate`` frames a second; ``turn`` sets its matrix."""
    av = pytest.importorskip("av", reason="PyAV is not installed")

    def write(
        path: Path,
        pictures: Sequence[npt.NDArray[np.uint8]],
        turn: int = 0,
        rate: Fraction = Fraction(10),
    ) -> Path:
        h264 = path.suffix == ".mp4"
        options = {"movflags": "faststart"} if h264 else {}
        with av.open(str(path), "w", options=options) as container:
            track = container.add_stream("libx264rgb" if h264 else "ffv1", rate=rate)
            track.height, track.width = pictures[0].shape[:2]
            track.pix_fmt = "rgb24" if h264 else "bgr0"
            track.options = {"qp": "0"} if h264 else {}
            if turn:
                track.set_display_rotation(turn)
            for picture in pictures:
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(track.encode())
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, pictures: Pictures) -> Path:
    """The pictures as PNG files in a folder, with junk beside them."""
    top = tmp_path / "photos"
    (top / "deeper").mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(top / ("deeper" if number > 3 else ".") / f"{number}.png")
    for number in (4, 5):
        (top / "deeper" / f"{number}.png").rename(top / f"{number}.png")
    (top / "notes.txt").write_text("no photo")
    return top


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve over HTTP on this machine, and give the address.

    A file; or JPEGs without end, or until it is to ``then`` "stall" or "leave"; or a ``status``.
    During an ``outage`` so many connections after the first get status 503. 0 is any free port.
    """
    servers = []

    def start(
        *,
        file: Path | None = None,
        jpegs: Pictures | None = None,
        then: str = "",
        status: int = 0,
        outage: int = 0,
        port: int = 0,
    ) -> str:
        handler = _camera_handler(jpegs or [], then, outage)
        if status or file:
            handler = _file_handler(file, status)
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/camera"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _file_handler(file: Path | None, status: int) -> type[BaseHTTPRequestHandler]:
    class Handler(_Quiet):
        def do_GET(self) -> None:
            content = file.read_bytes() if file else b""
            self.send_response(status or 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _camera_handler(pictures: Pictures, then: str, outage: int) -> type[BaseHTTPRequestHandler]:
    """What cheap network cameras do: one JPEG after the other in a multipart answer."""

    calls = itertools.count()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            if 1 <= next(calls) <= outage:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", ENDLESS)
            self.end_headers()
            with contextlib.suppress(OSError):
                for number in range(30 if then else 600):
                    self.wfile.write(part(jpeg(pictures[number % len(pictures)])))
                    time.sleep(0.02)
            if then == "stall":
                time.sleep(3)

    return Handler


@pytest.fixture
def bundle() -> Bundle:
    """A model file's content that no interpreter could run, with a heat map."""
    outputs = {"scores": "a", "map": "b"}
    return Bundle.seal(b"\0\0\0\0TFL3fake", {}, name="fake model", outputs=outputs)


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def classifier(bundle: Bundle, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """The real classifier over the fake backend; the commands open this one."""
    made = Classifier(bundle, backend)
    monkeypatch.setattr(Classifier, "open", lambda model=None, **_: made)
    return made


@pytest.fixture
def camera(monkeypatch, classifier):
    """Let ``--camera`` open a scripted camera, and remember what was asked for."""
    asked = []

    def script(*steps, live=True, **how):
        made = FakeCamera(steps, live=live, **how)

        def opened(spec, *, observe=None, **_):
            asked.append(spec)
            patience = Patience(hung_after=0.3)
            return Supervised(made, patience=patience, observe=observe) if live else made

        monkeypatch.setattr(capture, "open_camera", opened)
        return asked

    return script
