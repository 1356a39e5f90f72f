"""A network camera over HTTP, as cheap ones are: one JPEG after the other in a multipart answer."""

import contextlib
import io
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["ENDLESS", "HttpCamera", "jpeg", "part"]

ENDLESS = "multipart/x-mixed-replace; boundary=picture"
"""The answer's Content-Type."""


class HttpCamera:
    """Shows its JPEGs over and over, 25 a second, on a free port of this machine or on that one.

    A test changes what is ``shown`` meanwhile. A ``silent`` one takes connections and says nothing
    more, and those of that time stay so for ever.
    """

    def __init__(self, shown: Sequence[bytes], port: int = 0) -> None:
        self.shown, self.silent = list(shown), False
        self._ended = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    camera._show(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/camera"

    def close(self) -> None:
        """End it, and its connections."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _show(self, handler: BaseHTTPRequestHandler) -> None:
        if self._hangs():
            return
        handler.send_response(200)
        handler.send_header("Content-Type", ENDLESS)
        handler.end_headers()
        number = 0
        while not (self._ended.wait(0.04) or self._hangs()):
            handler.wfile.write(part(self.shown[number % len(self.shown)]))
            number += 1

    def _hangs(self) -> bool:
        return self.silent and self._ended.wait()

    def __enter__(self) -> "HttpCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def part(picture: bytes) -> bytes:
    """A JPEG as a part of an endless answer."""
    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
    return f"{head}\r\n\r\n".encode() + picture + b"\r\n"


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, "JPEG", quality=95, subsampling=0)
    return content.getvalue()
