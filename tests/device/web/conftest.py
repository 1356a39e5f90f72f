"""A live state without a camera, and its page over real sockets."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the extra web is not installed")

from corrosion_edge.device.capture.quality import Quality
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.verdict import Unusable, Verdict
from corrosion_edge.device.web.address import Address
from corrosion_edge.device.web.live import Live
from corrosion_edge.device.web.server import Place, WebSink
from corrosion_edge.device.web.smoothed import Smoothed
from corrosion_edge.device.web.token import Token
from corrosion_edge.device.web.view import View
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction


class Clock:
    """A monotonic clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def frame() -> Callable[..., Frame]:
    def made(camera: str = "", index: int = 0, size: tuple[int, int] = (64, 48)) -> Frame:
        noise = np.random.default_rng(index).integers(0, 256, (*size[::-1], 3), np.uint8)
        return Frame(noise, index, datetime.now(UTC), camera=camera)

    return made


@pytest.fixture
def verdict(frame: Callable[..., Frame]) -> Callable[..., Verdict]:
    """A verdict of a score, with a map; in the band 0.4 to 0.6 it is unsure."""

    def made(score: float = 0.9, camera: str = "", ms: float = 5.0, **how: Any) -> Verdict:
        said = Prediction(score, 0.5, np.full((7, 7), 9, np.float32), (0.4, 0.6))
        return Verdict(frame(camera, **how), said, ms)

    return made


@pytest.fixture
def dark(frame: Callable[..., Frame]) -> Unusable:
    return Unusable(frame(), Quality("dark", 9.0, 48.0))


class Served:
    """A page, and questions to it."""

    def __init__(self, sink: WebSink, live: Live) -> None:
        self.sink, self.live = sink, live
        self.app = sink.apps[0]
        self.port = sink.ports[0]

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        if "multipart" not in answer.headers.get("content-type", ""):
            answer.content = answer.read()  # type: ignore[attr-defined]
            connection.close()
        return answer


@pytest.fixture
def serve(classifier: Any) -> Iterator[Callable[..., Served]]:
    with ExitStack() as stack:

        def started(
            cameras: tuple[str, ...] = ("deck",), token: str = "", store: Any = None, **how: Any
        ) -> Served:
            settings = how.pop("settings", Detection.for_model)
            smoothed = Smoothed(Following(cameras, settings, 0.5, (0.4, 0.6)))
            live = Live(cameras, how.pop("clock", time.monotonic), smoothed)
            if (backend := how.pop("backend", None)) is not None:
                classifier.backend = backend
            runs = SimpleNamespace(classifier=classifier)
            watched = Watched(runs, cameras, store, lambda: {"": 3})
            watched.backlogs.extend(how.pop("backlogs", ()))
            place = Place("--web", Address("127.0.0.1", 0), **how)
            made = WebSink(View.of(watched, live), [place], Token(token) if token else None)
            return Served(stack.enter_context(made), live)

        yield started
