"""Whether the hosts that a configuration names are known to the network, and answer."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from corrosion_edge.device.doctor.finding import OK, PROBLEM, UNKNOWN, WARNING, Finding
from corrosion_edge.device.naming import split
from corrosion_edge.device.sources.address import is_readable
from corrosion_edge.device.telling.mqtt.broker import Broker
from corrosion_edge.device.telling.receivers import targets
from corrosion_edge.device.telling.words import plain
from corrosion_edge.errors import CorrosionEdgeError

__all__ = ["Endpoint", "endpoints", "missing", "reached", "sources_of"]

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_TOPIC: Final = "names"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and port, ``what`` it is for, and whether the watch ``needs`` it to see anything."""

    what: str
    host: str
    port: int
    needs: bool = False


def endpoints(
    values: Mapping[str, Any], sources: Mapping[str, str]
) -> Iterator[Endpoint | Finding]:
    """Those of ``watch``'s parameters and of its cameras' ``sources`` by name, without secrets.

    What cannot be read is a finding.
    """
    try:
        if values["mqtt"]:
            host, port, _ = Broker.address(values["mqtt"])
            yield Endpoint("broker", host, port)
        for name, target in targets(values).items():
            yield Endpoint(f"webhook {name}".strip(), target.host, target.port)
    except CorrosionEdgeError as error:
        yield Finding(_TOPIC, UNKNOWN, str(error), "Put that right, and ask again.")
    for name, source in sources.items():
        if is_readable(source):
            yield from _camera(f"camera {name}".strip(), source)


def missing(sources: Mapping[str, str]) -> Iterator[Finding]:
    """The cameras of a configuration whose device is not there."""
    for name, source in sources.items():
        if source.startswith("/dev/") and not Path(source).exists():
            said = f"{f'camera {name}'.strip()}: {source} is not there"
            yield Finding("cameras", PROBLEM, said,
                          "Plug it in, or name another: see the cameras above.")  # fmt: skip


def reached(found: Sequence[Endpoint | Finding], seconds: float) -> Iterator[Finding]:
    """Look each name up and connect to it by TCP, all at once, each for so many seconds."""
    if not found:
        yield Finding(_TOPIC, OK, "the configuration names no host")
        return
    with ThreadPoolExecutor(len(found)) as pool:
        yield from pool.map(lambda one: _tried(one, seconds), found)


def _camera(what: str, source: str) -> Iterator[Endpoint | Finding]:
    try:
        parts = urlsplit(source)
        port = parts.port or _PORTS[parts.scheme.lower()]
    except ValueError:
        parts, port = None, 0
    if parts is None or not parts.hostname:
        yield Finding(_TOPIC, PROBLEM, f"{what}: its address has no host", "Write SCHEME://HOST/…")
        return
    yield Endpoint(what, parts.hostname, port, needs=True)


def _tried(one: Endpoint | Finding, seconds: float) -> Finding:
    if isinstance(one, Finding):
        return one
    said, end = f"{one.what}: {one.host}", time.monotonic() + seconds
    addresses = _looked_up(one, seconds)
    if addresses is None:
        advice = "See that the network and its name server answer, or raise --patience."
        return _bad(one, f"{said} was not looked up within {seconds:g} s", advice)
    if isinstance(addresses, OSError):
        return _bad(one, f"{said}: {plain(addresses, one.host, '')}",
                    f"Mend the name, or ask the network: getent hosts {one.host}")  # fmt: skip
    failed: list[OSError] = []
    for number, address in enumerate(addresses):  # as a client does: 127.0.0.1 after ::1
        left = max((end - time.monotonic()) / (len(addresses) - number), 0.1)
        try:
            with socket.create_connection((address, one.port), left):
                return Finding(_TOPIC, OK, f"{said} is {address}, and answers at port {one.port}")
        except OSError as error:
            failed.append(error)
    where = ", ".join(addresses)
    return _bad(one, f"{said} is {where}; port {one.port}: {plain(failed[0], one.host, '')}",
                "See that it runs, and that the port and the firewalls are right.")  # fmt: skip


def _bad(one: Endpoint, said: str, advice: str) -> Finding:
    """Events wait for a broker; without its picture there is nothing to judge."""
    return Finding(_TOPIC, PROBLEM if one.needs else WARNING, said, advice)


def _looked_up(one: Endpoint, seconds: float) -> list[str] | OSError | None:
    """Its addresses, or why there are none; None after the time: a resolver cannot be ended."""
    found: list[list[str] | OSError] = []

    def look() -> None:
        try:
            told = socket.getaddrinfo(one.host, one.port, type=socket.SOCK_STREAM)
            found.append(list(dict.fromkeys(str(each[4][0]) for each in told)))
        except (OSError, UnicodeError) as error:
            known = isinstance(error, OSError)
            found.append(error if known else socket.gaierror(str(error)))  # type: ignore[arg-type]

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else None


def sources_of(cameras: Sequence[str], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Each camera's source by its name: of ``--camera`` and of the tables."""
    named = dict(map(split, cameras))
    return named | {name: str(values.get("source") or "") for name, values in tables.items()}
