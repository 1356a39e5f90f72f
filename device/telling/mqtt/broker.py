"""Which broker, how to log in, and what the topics are called."""

import hashlib
import re
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from corrosion_edge.errors import UsageError

__all__ = ["Broker", "Topics", "require_topic", "slug"]

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_LONGEST: Final = 200


def slug(text: str) -> str:
    """The text as one level of a topic: letters, digits, ``-`` and ``_``, never empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "unnamed"


def require_topic(text: str, option: str) -> None:
    """UsageError, which names the ``option``, for what topics cannot begin with."""
    odd = any(letter in "+#" or not letter.isprintable() for letter in text)
    if odd or not all(text.split("/")) or text[0] == "$" or len(text) > _LONGEST:
        raise UsageError(f"{option} {text!r}: expected words joined by '/', without + or #")


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker's address and the login; ``context`` checks its certificate, None is no TLS."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    @staticmethod
    def address(url: str) -> tuple[str, int, bool]:
        """Host, port, and whether with TLS, of ``mqtt://host`` or ``mqtts://host`` (UsageError)."""
        try:
            parts = urlsplit(url)
        except ValueError:
            raise UsageError("--mqtt: no address; expected mqtt://host or mqtts://host") from None
        try:
            port = parts.port
        except ValueError:
            raise UsageError(
                "--mqtt: the port is none; expected a number up to 65535, as in mqtt://host:1883"
            ) from None
        if "@" in parts.netloc:
            raise UsageError(
                "--mqtt: a login in the address can be read by every user of this machine; use "
                "--mqtt-user and --mqtt-password-file"
            )
        plain = parts.scheme in _PORTS and parts.hostname
        if not plain or parts.path.strip("/") or parts.query or parts.fragment:
            raise UsageError("--mqtt: expected mqtt://host[:port] or mqtts://host[:port]")
        return str(parts.hostname), port or _PORTS[parts.scheme], parts.scheme == "mqtts"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.context else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below ``prefix`` (UsageError for one that MQTT would not take)."""

    prefix: str

    def __post_init__(self) -> None:
        require_topic(self.prefix, "--mqtt-prefix")

    @property
    def availability(self) -> str:
        """``online`` or ``offline``, retained; the last will goes there."""
        return f"{self.prefix}/availability"

    @property
    def events(self) -> str:
        """The stored events, not retained."""
        return f"{self.prefix}/events"

    @property
    def watch(self) -> str:
        """What the watch as a whole runs on, retained."""
        return f"{self.prefix}/state"

    def state(self, camera: str) -> str:
        """The camera's live state, retained."""
        return f"{self.prefix}/{slug(camera)}/state"

    @property
    def client_id(self) -> str:
        """The same at each start, so that a connection that died unseen ends when we come again.

        Its will ("offline") is then sent before our "online", not minutes after it. 23 letters
        and digits are what every MQTT 3.1.1 broker must take ([MQTT-3.1.3-5]).
        """
        return f"corrosion{hashlib.sha256(self.prefix.encode()).hexdigest()[:14]}"
