"""The servers of a watch: one thread with one event loop, beside the judging one."""

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import click
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from corrosion_edge.device.lines import printable
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.web.address import Address
from corrosion_edge.device.web.app import App
from corrosion_edge.device.web.token import Token
from corrosion_edge.device.web.view import View

__all__ = ["CONNECTIONS", "Place", "WebSink"]

CONNECTIONS: Final = 64
"""Connections at once; further ones are closed unread."""

_QUIET: Final = 15.0  # seconds that a connection may stay without a whole request
_JOIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen for an option, for the whole page or the metrics alone."""

    option: str
    address: Address
    metrics_only: bool = False


class _Bounded(H11Protocol):
    """Uvicorn's protocol with a bound on connections, and on waiting for a request."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
            return
        self._waiting = self.loop.call_later(_QUIET, self._look, None)

    def connection_lost(self, exc: Exception | None) -> None:
        if waiting := getattr(self, "_waiting", None):
            waiting.cancel()
        super().connection_lost(exc)

    def _look(self, before: Any) -> None:
        """Give a client up that sent no whole request since the last look."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and self.cycle is before:
            self.transport.abort()
            return
        self._waiting = self.loop.call_later(_QUIET, self._look, self.cycle)


class WebSink(Sink):
    """Keeps the live state, and serves it until it is closed.

    Sockets are opened at once, so that a port in use is an error here (OutputError).
    """

    def __init__(self, view: View, places: Sequence[Place], token: Token | None = None) -> None:
        self._view = view
        self._places = places
        self._token = token
        self._sockets = _listening(places)
        self._servers: list[uvicorn.Server] = []
        self.apps: list[App] = []
        self._started = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()
        self._started.wait(_JOIN)

    @property
    def ports(self) -> list[int]:
        """The ports that are listened on, in the places' order."""
        return [int(each.getsockname()[1]) for each in self._sockets]

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        self._view.live.take(result)

    def close(self) -> None:
        """End streams and servers; a client that hangs is left after a while."""
        if self._closed:
            return
        self._closed = True
        for app in self.apps:
            app.ending = True
        for server in self._servers:
            server.should_exit = True
        self._thread.join(_JOIN)

    def _run(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        try:
            with ThreadPoolExecutor(2, "web") as executor:
                asyncio.run(self._serve(executor))
        except Exception as error:
            told = printable(f"{type(error).__name__}: {error}")
            click.echo(f"warning: the page ended ({told}); the watch goes on", err=True)

    async def _serve(self, executor: ThreadPoolExecutor) -> None:
        for place in self._places:
            app = App(self._view, executor, self._token, metrics_only=place.metrics_only)
            self.apps.append(app)
            self._servers.append(uvicorn.Server(_config(app)))
        self._started.set()
        await asyncio.gather(
            *(server.serve(sockets=[each])
              for server, each in zip(self._servers, self._sockets, strict=True))
        )  # fmt: skip


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi, loop="asyncio", http=_Bounded, ws="none", lifespan="off", log_config=None,
        access_log=False, server_header=False, proxy_headers=True, timeout_keep_alive=5,
        timeout_graceful_shutdown=1, limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=16384,
    )  # fmt: skip


def _listening(places: Sequence[Place]) -> list[socket.socket]:
    made: list[socket.socket] = []
    try:
        for place in places:
            made.append(place.address.listen(place.option))
    except BaseException:
        for each in made:
            each.close()
        raise
    return made
