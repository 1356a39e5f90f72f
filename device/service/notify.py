"""Telling systemd what a service is up to: the protocol of sd_notify(3)."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["Notifier"]


class Notifier:
    """Sends to the socket that the environment names; without one it sends nothing.

    ``watchdog`` is the time in seconds after which systemd ends a service that has not pinged,
    None where it does not watch this process (sd_watchdog_enabled(3)).
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        self._address = _address(given.get("NOTIFY_SOCKET", ""))
        self.watchdog = _watchdog(given) if self._address else None

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._address)

    def send(self, **fields: str) -> None:
        """Send assignments such as ``READY="1"``; a socket that is gone is no reason to stop."""
        if not self._address:
            return
        lines = (f"{name}={' '.join(value.split())}" for name, value in fields.items())
        message = "\n".join(lines).encode("utf-8", "replace")
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message, self._address)


def _address(name: str) -> str:
    """The socket's address: a path, or with an @ in front a name in the abstract space."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def _watchdog(given: Mapping[str, str]) -> float | None:
    duration, process = given.get("WATCHDOG_USEC", ""), given.get("WATCHDOG_PID", "")
    if not duration.isdigit() or int(duration) == 0:
        return None
    if process and process != str(os.getpid()):
        return None
    return int(duration) / 1e6
