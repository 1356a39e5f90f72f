"""Who may come in: before anything else is done for a request."""

from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corrosion_edge.device.web.address import is_loopback
from corrosion_edge.device.web.limits import Rate, client_of
from corrosion_edge.device.web.token import SESSION, Token

__all__ = ["COOKIE", "OPEN", "Guard", "client"]

COOKIE: Final = "corrosion-edge"
OPEN: Final = frozenset({"/login", "/assets/style.css", "/assets/icon.svg"})
"""Paths that anybody may see: they say nothing of this watch."""

_MOST_FORM: Final = 4096
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """An ASGI application before another; without a token only loopback names are served.

    A browser on this machine may be led to a foreign name that points here (DNS rebinding); the
    Host header tells. Wrong tokens are limited for each client: five, then one in 12 s; the right
    one, and a session, are let in all the same, so that a program with an old token shuts nobody
    out. A token is too long to be guessed.
    """

    def __init__(self, app: ASGIApp, token: Token | None, wrong: Rate | None = None) -> None:
        self._app = app
        self._token = token
        self._wrong = wrong or Rate(5, 1 / 12)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI; only HTTP is spoken."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        answer = self._refused(request)
        if answer is None and self._token and request.url.path == "/login":
            answer = await self._login(request, self._token) if request.method == "POST" else None
        if answer is None:
            answer = self._kept_out(request)
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _refused(self, request: Request) -> Response | None:
        if self._token is None and not is_loopback(_host_of(request)):
            return PlainTextResponse("This page is for this machine alone.\n", 421)
        site = request.headers.get("sec-fetch-site", "none")
        mode = request.headers.get("sec-fetch-mode", "")
        if site not in ("none", "same-origin") and mode != "navigate":
            return PlainTextResponse("Other pages may not read this one.\n", 403)
        if request.method not in ("GET", "HEAD") and request.url.path != "/login":
            return PlainTextResponse("Nothing can be changed here.\n", 405, {"Allow": "GET, HEAD"})
        return None

    def _kept_out(self, request: Request) -> Response | None:
        """What who may not come in gets."""
        if self._token is None or request.url.path in OPEN:
            return None
        if self._token.knows(request.cookies.get(COOKIE, "")):
            return None
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            if self._token.matches(given.strip()):
                return None
            if seconds := self._one_more_wrong(request):
                return _too_many(seconds)
        return self._shown_out(request)

    def _one_more_wrong(self, request: Request) -> int:
        """Count a wrong token; seconds to wait where there were too many before."""
        asking = client(request)
        if seconds := self._wrong.wait(asking):
            return seconds
        self._wrong.take(asking)
        return 0

    def _shown_out(self, request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        how = {"WWW-Authenticate": 'Bearer realm="corrosion-edge"'}
        return PlainTextResponse("A token is needed.\n", 401, how)

    async def _login(self, request: Request, token: Token) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return PlainTextResponse("This form was sent from another page.\n", 403)
        if not token.matches(await _form_token(request)):
            if seconds := self._one_more_wrong(request):
                return _too_many(seconds)
            return RedirectResponse("/login?wrong=1", 303)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token.session(), max_age=SESSION, httponly=True,
                          samesite="strict", secure=request.url.scheme == "https")  # fmt: skip
        return answer


async def _form_token(request: Request) -> str:
    """The form's token; '' if it is too long or no text."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _MOST_FORM:
            return ""
    fields = parse_qs(content.decode("ascii", "replace"), max_num_fields=8)
    return fields.get("token", [""])[0].strip()


def _too_many(seconds: int) -> Response:
    words = f"Too many wrong tokens; try again in {seconds} s.\n"
    return PlainTextResponse(words, 429, {"Retry-After": str(seconds)})


def _host_of(request: Request) -> str:
    """The name in the Host header, without its port; '' if there is none."""
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def client(request: Request) -> str:
    """Who asks, as limits count: see ``client_of``."""
    return client_of(request.client.host if request.client else "")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
