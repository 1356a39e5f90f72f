"""Where the page listens: ``HOST:PORT``, and whether that is this machine alone."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Self

from corrosion_edge.errors import OutputError, UsageError

__all__ = ["Address", "is_loopback", "require_safe"]

_PATIENCE = 20_000  # milliseconds that sent data may wait for a client's system
_FORM = r"(?:\[(?P<six>[0-9a-fA-F:.%\w]+)\]|(?P<host>[^:\[\]\s/]*)):(?P<port>\d{1,5})"


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name or an address of version 4 or 6) and a port, 0 for any free one."""

    host: str
    port: int

    def __post_init__(self) -> None:
        if not self.host or not 0 <= self.port <= 65535:
            raise ValueError(f"expected a host and a port up to 65535, got {self}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read HOST:PORT or [ADDRESS]:PORT (ValueError); an empty host is 0.0.0.0."""
        found = re.fullmatch(_FORM, text)
        if not found or int(found["port"]) > 65535:
            raise ValueError(f"expected HOST:PORT such as 127.0.0.1:8080, got {text!r}")
        return cls(found["six"] or found["host"] or "0.0.0.0", int(found["port"]))

    @property
    def loopback(self) -> bool:
        """Whether only programs of this machine reach it; a name other than localhost never."""
        return is_loopback(self.host)

    def listen(self, option: str) -> socket.socket:
        """A listening socket (OutputError that names the ``option``)."""
        try:
            family, *_, place = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            made = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise OutputError(f"{option} {self}: no address of this machine ({error})") from None
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Inherited by each connection: one that takes nothing any more is given up.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _PATIENCE)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**17)
            made.bind(place)
            made.listen(64)
        except OSError as error:
            made.close()
            raise OutputError(
                f"{option} {self}: cannot listen there ({error.strerror}); is the port taken? "
                f"Name another with {option} {self._host}:PORT"
            ) from None
        return made

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        return f"{self._host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a name or an address stands for this machine itself."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(address: Address, token: bool, option: str) -> None:
    """Refuse to show pictures to a network without a token (UsageError)."""
    if not address.loopback and not token:
        raise UsageError(
            f"{option} {address}: others than this machine can reach it, so it needs a token: "
            "--web-token-file FILE"
        )
