"""Events by HTTP: each a POST, acknowledged by a status of 2xx.

Standard library only: http.client follows no redirect by itself, and a socket of our own can be
shut at a deadline. urllib3 and httpx were looked at; what they add (pools, retries of their own,
asynchrony) is not wanted here.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from corrosion_edge import __version__
from corrosion_edge.device.lines import json_line
from corrosion_edge.device.telling.sender import Held, Later, Refused, Sender
from corrosion_edge.device.telling.words import plain
from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.device.store.event import Event

__all__ = ["SIGNATURE", "TIMEOUT", "Target", "WebhookSender"]

TIMEOUT: Final = 20.0
"""Seconds for one POST as a whole, from the name to the end of the answer."""

SIGNATURE: Final = "X-Corrosion-Edge-Signature-256"
"""``sha256=`` and the HMAC-SHA256 of the body in hex. No time goes into it: a device without a
clock would be turned away, and what is sent twice is told by its uuid."""

_TRY_AGAIN: Final = frozenset({408, 425, 429})
_ABOUT_US: Final = frozenset({401, 402, 403, 404, 405, 407, 410, 421, 451})
_LEAST_WAIT: Final = 1.0
_MOST_WAIT: Final = 3600.0
_MOST_ANSWER: Final = 65536


@dataclass(frozen=True, slots=True)
class Target:
    """Where to POST; UsageError for what is no HTTP address, or has a login in it."""

    scheme: str
    host: str
    port: int
    path: str = field(repr=False)

    @classmethod
    def parse(cls, url: str, option: str = "--webhook") -> "Target":
        """Read ``http://host/path`` or ``https://…``; messages name the ``option``, not the
        address."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise UsageError(f"{option}: no address; expected https://host/path") from None
        try:
            port = parts.port
        except ValueError:
            raise UsageError(
                f"{option}: the port is none; expected a number up to 65535, as in https://host:8443/"
            ) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{option}: expected an address such as https://host/path")
        if "@" in parts.netloc:
            raise UsageError(
                f"{option}: a login in the address can be read by every user of this machine; "
                "put its header's value, 'Basic …', into --webhook-auth-file"
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not (path.isascii() and path.isprintable()) or " " in path:
            raise UsageError(f"{option}: the path has characters that must be %-encoded")
        return cls(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80),
                   path)  # fmt: skip

    def __str__(self) -> str:
        """Without path and query, which often are the secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class WebhookSender(Sender):
    """POSTs each event as JSON; one connection an event.

    It is ``called`` so in messages, where there are several. ``key`` signs the body,
    ``authorization`` is that header's value, ``context`` checks certificates.
    """

    def __init__(
        self,
        target: Target,
        *,
        called: str = "",
        key: str = "",
        authorization: str = "",
        context: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self.name = f"webhook {called} ({target})" if called else f"webhook {target}"
        self._target, self._key, self._authorization = target, key.encode(), authorization
        self._context, self._timeout = context, timeout
        self._closed = False
        self._sock: socket.socket | None = None

    def send(self, event: "Event") -> None:
        """See ``Sender.send``."""
        body = json_line(event.to_dict()).encode("ascii")
        status, wait = self._post(body, self._headers(event, body))
        _judge(status, wait)

    def close(self) -> None:
        """See ``Sender.close``."""
        self._closed = True
        self._shut()

    def _headers(self, event: "Event", body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"corrosion-edge/{__version__}",
            "Idempotency-Key": str(event.fields["uuid"] or event.hash),
        }
        if self._key:
            signed = hmac.new(self._key, body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={signed}"
        if self._authorization:
            headers["Authorization"] = self._authorization
        return headers

    def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        """The answer's status, and the seconds that it wants us to wait."""
        late = threading.Event()  # set before anything is shut: the timer's own comes after it
        deadline = threading.Timer(self._timeout, self._expire, (late,))
        deadline.daemon = True
        deadline.start()
        connection = self._connection()
        try:
            connection.connect()
            self._begun(connection.sock, late)
            connection.request("POST", self._target.path, body, dict(headers))
            answer = connection.getresponse()
            answer.read(_MOST_ANSWER)
            return answer.status, _wait(answer.getheader("Retry-After"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Later(self._why(error, late.is_set())) from None
        finally:
            deadline.cancel()
            self._sock = None
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._target.host, self._target.port
        if self._target.scheme == "https":
            return http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=self._context
            )
        return http.client.HTTPConnection(host, port, timeout=self._timeout)

    def _begun(self, sock: socket.socket, late: threading.Event) -> None:
        """Let the deadline and ``close`` reach the socket, unless they came already."""
        self._sock = sock
        if self._closed or late.is_set():
            raise TimeoutError

    def _expire(self, late: threading.Event) -> None:
        late.set()
        self._shut()

    def _shut(self) -> None:
        """End what is under way, from another thread: a read that waits gets an error."""
        if (sock := self._sock) is not None:
            with suppress(OSError, ValueError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # under TLS too: no goodbye

    def _why(self, error: Exception, late: bool) -> str:
        """Not the other side's fault where it was shut here."""
        if late:
            return f"no answer within {self._timeout:g} s"
        return "no answer before the end" if self._closed else self._plain(error)

    def _plain(self, error: Exception) -> str:
        if isinstance(error, http.client.RemoteDisconnected):
            return "the other side broke the connection off"
        return plain(error, self._target.host, "--webhook-ca")


def _judge(status: int, wait: float | None) -> None:
    """Nothing for a status of 2xx; what else to do with the event (``Undelivered``)."""
    if 200 <= status < 300:
        return
    if status >= 500 or status in _TRY_AGAIN:
        raise Later(f"answers {_named(status)}", wait)
    if 300 <= status < 400:
        raise Held(f"answers {_named(status)}: it sends elsewhere, which is not followed; "
                   "give the final address")  # fmt: skip
    if status in _ABOUT_US:
        raise Held(f"answers {_named(status)}: see the address and --webhook-auth-file", wait)
    raise Refused(f"the webhook answers {_named(status)}")


def _named(status: int) -> str:
    return f"{status} {http.client.responses.get(status, '')}".strip()


def _wait(header: str | None) -> float | None:
    """The seconds of Retry-After (RFC 9110, 10.2.3), 1 s to an hour; None for what is none."""
    if header is None:
        return None
    if header.strip().isdecimal() and len(header) < 12:
        return _bounded(float(header))
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded((moment - datetime.now(UTC)).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(seconds, _LEAST_WAIT), _MOST_WAIT)
