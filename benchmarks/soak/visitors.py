"""People who look at the page and go, and a scraper of the metrics."""

import http.client
import json
import random
import re
import threading
import urllib.request
from collections import Counter
from typing import Final
from urllib.parse import quote

from corrosion_edge.benchmarks.web_cost import Client
from corrosion_edge.closing import Closing

__all__ = ["Visitors"]

_PAUSE: Final = 20.0  # seconds between two visits, at most
_STAY: Final = 20.0
_SCRAPE: Final = 15.0


class Visitors(Closing):
    """One at a time: asks as the page's script does, or takes a stream and leaves in its middle.

    ``came`` counts visits by what they did, ``failed`` those that met an error. ``heap_kb`` is what
    the metrics said last of the heap in use, in units of 1024 bytes, 0 where they do not tell.
    """

    def __init__(self, page: str, metrics: str, seed: int) -> None:
        self.came: Counter[str] = Counter()
        self.heap_kb = 0.0
        self._page, self._metrics = page, metrics
        self._draw = random.Random(seed)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=part, daemon=True)
                         for part in (self._visit, self._scrape)]  # fmt: skip
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Send them home."""
        self._ended.set()
        for thread in self._threads:
            thread.join(2 * _STAY)

    def _visit(self) -> None:
        while not self._ended.wait(self._draw.uniform(0, _PAUSE)):
            what = self._draw.choice(("looked", "streamed", "stood still"))
            seconds = self._draw.uniform(1, _STAY)
            try:
                if what == "looked":
                    self._look(seconds)
                else:
                    self._stream(seconds, reads=what == "streamed")
                self.came[what] += 1
            except (OSError, ValueError, http.client.HTTPException):
                self.came["failed"] += 1

    def _look(self, seconds: float) -> None:
        client = Client(self._page)
        for _ in range(max(1, round(seconds))):
            client.look()
            if self._ended.wait(1):
                return

    def _stream(self, seconds: float, *, reads: bool) -> None:
        cameras = json.loads(self._get(f"{self._page}api/state"))["cameras"]
        name = quote(self._draw.choice(cameras)["name"], safe="")
        address = f"{self._page}cameras/{name}/stream.mjpg?kind=map"
        with urllib.request.urlopen(address, timeout=30) as stream:
            for _ in range(max(1, round(seconds))):
                if reads:
                    stream.read1(1 << 20)
                if self._ended.wait(1):
                    return

    def _scrape(self) -> None:
        while not self._ended.wait(_SCRAPE):
            try:
                self.heap_kb = _heap_kb(self._get(self._metrics))
                self.came["scraped"] += 1
            except (OSError, http.client.HTTPException):
                self.came["failed"] += 1

    def _get(self, address: str) -> bytes:
        with urllib.request.urlopen(address, timeout=30) as answer:
            content: bytes = answer.read()
        return content


def _heap_kb(metrics: bytes) -> float:
    """Bytes in use in the heap's arenas and mapped, of metrics in Prometheus' text format."""
    found = re.findall(r'^corrosion_edge_heap_bytes\{state="(used|mapped)"\} (\S+)$',
                       metrics.decode(), re.MULTILINE)  # fmt: skip
    return sum(float(size) for _, size in found) / 1024
