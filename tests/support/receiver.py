"""An HTTP server that takes webhooks, and answers, hangs or closes as a test says."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Receiver"]


class Receiver:
    """Takes POSTs. ``script`` says how to answer the next ones: a status, or "hang", "close",
    "trickle", "take and close"; those after it get ``otherwise``. Of events it took, ``taken`` are
    the uuids."""

    def __init__(self, port=0):
        self.script, self.headers_of, self.otherwise = [], {}, 200
        self.taken, self.seen = [], []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append((self.path, dict(self.headers), body))
                step = receiver.script.pop(0) if receiver.script else receiver.otherwise
                receiver.answer(self, step, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler, step, body):
        if step in (200, 204, "take and close"):
            self.taken.append(json.loads(body)["uuid"])
        if step == "hang":
            self.released.wait(30)
        if step == "trickle":
            with contextlib.suppress(OSError):
                while not self.released.wait(0.05):
                    handler.wfile.write(b"H")
        if isinstance(step, str):
            handler.close_connection = True
            return
        handler.send_response(step)
        for name, value in self.headers_of.get(step, {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook/of-mine?token=geheim"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
