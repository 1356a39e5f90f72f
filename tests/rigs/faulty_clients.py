"""Webhooks that fail, and browsers by the dozen, at a real ``watch``."""

import http.client
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from faulty_cameras import pictures
from http_camera import HttpCamera
from injecting import BASE, PATIENCE, Fault, Found, lost_of
from receiver import Receiver
from watching import Watch, verdict, watching

from corrosion_edge.device.store import Reader

__all__ = ["CLIENTS"]

ANSWERS = (500, 503, 429, 408, "hang", "trickle", "close", "take and close")
BROWSERS = 90


def webhook_fails(folder: Path, draw: Random) -> Found:
    """A webhook answers with an error, hangs, trickles or closes, for up to 10 s."""
    answer, receiver = draw.choice(ANSWERS), Receiver()
    receiver.otherwise = answer
    try:
        with HttpCamera(pictures()) as camera, watching(
            "--camera", camera.address, "--store", folder / "store", *BASE,
            "--webhook", receiver.url,
        ) as watch:  # fmt: skip
            watch.until(1, verdict, PATIENCE)
            _until(lambda: receiver.seen)
            time.sleep(draw.uniform(0, 10))
            before, receiver.otherwise = len(receiver.taken), 200
            begin = time.monotonic()
            _until(lambda: len(receiver.taken) > before)
            seconds = time.monotonic() - begin
            told = watch.end()
        with Reader(folder / "store") as reader:
            wanted = {each.fields["uuid"] for each in reader.events()}
        # What came after the watch began to end is delivered at the next start.
        missing = _missing(receiver, folder / "store", wanted)
        said = [line.split(": ")[2] for line in told.splitlines() if "warning: webhook" in line]
        return Found(seconds, f"{answer}: {said}", lost_of(folder / "store", told) + missing)
    finally:
        receiver.close()


def _missing(receiver: Receiver, store: Path, wanted: set[str]) -> int:
    with watching("--camera", "demo", "--store", store, *BASE, "--webhook", receiver.url) as watch:
        watch.until(1, verdict, PATIENCE)
        _until(lambda: wanted <= set(receiver.taken), quietly=True)
    return len(wanted - set(receiver.taken))


def _until(holds: object, quietly: bool = False) -> None:
    assert callable(holds)
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end and quietly:
            return
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def many_browsers(folder: Path, draw: Random) -> Found:
    """So many clients at once, each of which begins a request and does not end it."""
    words = ("--camera", "demo", "--store", folder / "store", *BASE, "--web", "127.0.0.1:0")
    with watching(*words) as watch, ExitStack() as clients:
        watch.until(1, verdict, PATIENCE)
        port = _port(watch)
        for _ in range(BROWSERS):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", port)))
            with suppress(OSError):  # it was turned away
                client.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(draw.uniform(0, 5))
        refused = _asked(port)
        assert refused != "200"
        watch.until(sum(map(verdict, watch.lines)), verdict, PATIENCE)  # a new one too
        clients.close()
        begin = time.monotonic()
        _until(lambda: _asked(port) == "200")
        seconds = time.monotonic() - begin
        told = watch.end()
    return Found(seconds, f"{refused} for one more", lost_of(folder / "store", told))


def _port(watch: Watch) -> int:
    assert watch.process.stderr
    for line in watch.process.stderr:
        if line.startswith("page at "):
            return urlsplit(line.split()[2]).port or 0
    raise AssertionError("no page")


def _asked(port: int) -> str:
    """The status of the page, or that the connection was closed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/healthz")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return "a closed connection"
    finally:
        connection.close()


CLIENTS: tuple[Fault, ...] = (webhook_fails, many_browsers)
