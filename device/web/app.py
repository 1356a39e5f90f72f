"""The page's paths: what is asked for, and what is answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from corrosion_edge.device.web.assets import TYPES, asset, page
from corrosion_edge.device.web.guard import Guard, client
from corrosion_edge.device.web.limits import Busy, Rate, Slots
from corrosion_edge.device.web.listing import Listing
from corrosion_edge.device.web.metrics import CONTENT_TYPE, Metrics
from corrosion_edge.device.web.pictures import KINDS, Encoder
from corrosion_edge.device.web.series import HOURS
from corrosion_edge.device.web.stored import MOST
from corrosion_edge.device.web.token import Token
from corrosion_edge.device.web.view import View

__all__ = ["BOUNDARY", "STREAM_EVERY", "App"]

T = TypeVar("T")

STREAM_EVERY: Final = 0.5
"""Seconds between two pictures of a stream: what a client gets at most."""

BOUNDARY: Final = "corrosion-edge-frame"
_LARGEST: Final = 2**53  # what JavaScript counts to
_KEPT: Final = {"Cache-Control": "private, max-age=86400, immutable"}


class App:
    """The whole page, or the metrics alone (``metrics_only``), behind a guard.

    ``streams`` and ``pictures`` are the slots for streams and single pictures; a request beyond
    them gets 503 with Retry-After. Set ``ending`` to let streams end.
    """

    def __init__(
        self,
        view: View,
        executor: Executor,
        token: Token | None = None,
        *,
        metrics_only: bool = False,
        streams: Slots | None = None,
        pictures: Slots | None = None,
        rate: Rate | None = None,
    ) -> None:
        self.view = view
        self.ending = False
        self.streams = streams or Slots(per_client=4, total=16)
        self.pictures = pictures or Slots(per_client=8, total=32, retry=1)
        self.encoder = Encoder(view.live, executor)
        self._rate = rate or Rate(burst=40, per_second=10)
        self._executor = executor
        self._metrics = Metrics(view)
        routes = self._for_programs() if metrics_only else self._for_people()
        self.asgi: ASGIApp = Guard(
            Starlette(routes=routes, exception_handlers={Busy: _busy}), token
        )

    def _for_programs(self) -> list[Route]:
        return [Route("/metrics", self._tell_metrics), Route("/healthz", self._healthz),
                Route("/login", _login), Route("/assets/{name}", _asset)]  # fmt: skip

    def _for_people(self) -> list[Route]:
        return [
            *self._for_programs(),
            Route("/", self._page),
            Route("/api/state", self._state),
            Route("/api/scores", self._scores),
            Route("/api/events", self._events),
            Route("/events", self._listed),
            Route("/events/{sequence:int}/{role}.jpg", self._event_picture),
            Route("/cameras/{name:path}/snapshot.jpg", self._snapshot),
            Route("/cameras/{name:path}/stream.mjpg", self._stream),
        ]

    async def _page(self, request: Request) -> Response:
        text = page("page.html", cameras=self.view.live.cameras, about=self.view.about(),
                    stored=self.view.stored.folder is not None)  # fmt: skip
        return Response(text, media_type="text/html")

    async def _state(self, request: Request) -> Response:
        return JSONResponse(await self._away(self.view.state))

    async def _scores(self, request: Request) -> Response:
        camera = request.query_params.get("camera", self.view.live.cameras[0])
        self._known(camera)
        seconds = _number(request, "seconds", 3600, 60, HOURS * 3600)
        return JSONResponse(self.view.scores(camera, seconds))

    async def _events(self, request: Request) -> Response:
        count = _number(request, "count", MOST, 1, MOST)
        stored, (after, before) = self.view.stored, _place(request)
        if after is not None:
            found = await self._away(partial(stored.after, after, count))
        else:
            found = await self._away(partial(stored.before, before, count))
        return JSONResponse({"stored": stored.folder is not None, "events": found,
                             "last": await self._away(stored.last),
                             "chain": await self._away(stored.chain)})  # fmt: skip

    async def _listed(self, request: Request) -> Response:
        stored = self.view.stored
        found = await self._away(partial(Listing.of, stored, *_place(request)))
        text = page("events.html", listing=found, stored=stored.folder is not None)
        return Response(text, media_type="text/html")

    async def _event_picture(self, request: Request) -> Response:
        sequence, role = request.path_params["sequence"], request.path_params["role"]
        with self.pictures.held(client(request)):
            found = await self._away(partial(self.view.stored.picture, sequence, role))
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="image/jpeg", headers=_KEPT)

    async def _snapshot(self, request: Request) -> Response:
        camera, kind = self._wanted(request)
        asking = client(request)
        self._rate.take(asking)
        with self.pictures.held(asking):
            made = await self.encoder.newest(camera, kind)
        if made is None:
            return PlainTextResponse("no frame yet\n", 503, {"Retry-After": "1"})
        return Response(made[1], media_type="image/jpeg", headers={"X-Serial": str(made[0])})

    async def _stream(self, request: Request) -> Response:
        camera, kind = self._wanted(request)
        held = self.streams.held(client(request))
        held.__enter__()
        kind_of = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return _Freeing(partial(held.__exit__, None, None, None), self._parts(camera, kind),
                        media_type=kind_of)  # fmt: skip

    async def _parts(self, camera: str, kind: str) -> AsyncIterator[bytes]:
        """Each new picture, at most one in ``STREAM_EVERY``; a slow reader misses those between."""
        seen = 0
        while not self.ending:
            made = await self.encoder.newest(camera, kind)
            if made is not None and made[0] != seen:
                seen = made[0]
                yield _part(made[1])
            await asyncio.sleep(STREAM_EVERY)

    async def _healthz(self, request: Request) -> Response:
        view, runs = self.view, self.view.runs_on
        if trouble := view.trouble():
            return PlainTextResponse(f"{trouble}\n", 503)
        words = f"the newest frame was judged {view.live.quiet():.0f} s ago\n"
        if runs.stand_in:
            words += f"the CPU answers in place of the {runs.accelerator}: {runs.reason}\n"
        for each in await self._away(view.deliveries):
            words += f"{each.sentence}\n" if each.sentence else ""
        return PlainTextResponse(words)

    async def _tell_metrics(self, request: Request) -> Response:
        text = await self._away(self._metrics.text)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    def _wanted(self, request: Request) -> tuple[str, str]:
        camera = request.path_params["name"]
        kind = request.query_params.get("kind", KINDS[0])
        self._known(camera)
        if kind not in KINDS:
            raise HTTPException(400, f"kind: expected one of {', '.join(KINDS)}")
        return camera, kind

    def _known(self, camera: str) -> None:
        if camera not in self.view.live.cameras:
            raise HTTPException(404, "no camera of that name")

    async def _away(self, work: Callable[[], T]) -> T:
        """Work that may wait for a disk, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


class _Freeing(StreamingResponse):
    """A stream that gives its slot back however it ends."""

    def __init__(self, free: Callable[[], Any], *arguments: Any, **how: Any) -> None:
        super().__init__(*arguments, **how)
        self._free = free

    async def __call__(self, *arguments: Any) -> None:
        try:
            await super().__call__(*arguments)
        finally:
            self._free()


def _part(content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n"


async def _login(request: Request) -> Response:
    text = page("login.html", wrong="wrong" in request.query_params)
    return Response(text, media_type="text/html")


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in TYPES:
        raise HTTPException(404)
    return Response(asset(name), media_type=TYPES[name], headers={"Cache-Control": "no-cache"})


async def _busy(request: Request, error: Exception) -> Response:
    seconds = error.seconds if isinstance(error, Busy) else 5
    return PlainTextResponse(f"Too much is asked for: {error}.\n", 503,
                             {"Retry-After": str(seconds)})  # fmt: skip


def _place(request: Request) -> tuple[int | None, int | None]:
    """The numbers of ``after`` and ``before``, of which one may be asked for."""
    asked = {name: _number(request, name, 0, 0, _LARGEST) if name in request.query_params else None
             for name in ("after", "before")}  # fmt: skip
    if None not in asked.values():
        raise HTTPException(400, "after, before: expected one of the two")
    return asked["after"], asked["before"]


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise HTTPException(400, f"{name}: expected a whole number")
    return min(most, max(least, int(text)))
