"""Who gets the events by webhook, and is away for a while now and then."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from corrosion_edge.closing import Closing

__all__ = ["Receiver"]


class Receiver(Closing):
    """Takes POSTs on a port of this machine and counts them by uuid; while ``away`` it says 503."""

    def __init__(self) -> None:
        self.away = False
        self.got: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/events"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not receiver.away:
                    receiver.got[json.loads(body)["uuid"]] += 1
                self.send_response(503 if receiver.away else 204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
