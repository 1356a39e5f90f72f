"""A real broker to be stopped and started, who listens to it, and a store that grows."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from rig import CHECKOUT, require

from corrosion_edge.device.events.event import Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store.store import Entry, Store

WITHIN = 60.0
"""Seconds after which a test that waits has failed."""


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def until(holds: Callable[[], object], what: str = "", within: float = WITHIN) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"not within {within:g} s: {what or holds}"
        time.sleep(0.01)


class Mosquitto:
    """mosquitto on a port of its own, which keeps what its subscribers miss."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        self.program = require("mosquitto") / "mosquitto"
        self.folder, self.port = folder, port or free_port()
        folder.mkdir(exist_ok=True, parents=True)
        folder.chmod(0o755)
        self.config = folder / "mosquitto.conf"
        self.set(*options)
        self.process: subprocess.Popen[bytes] | None = None

    def set(self, *options: str) -> None:
        """Other options, for the next start."""
        user = "user root\n" if os.getuid() == 0 else ""
        whole = [
            "persistence true",
            f"persistence_location {self.folder}/",
            "max_queued_messages 1000000",
        ]
        per_listener = [f"listener {self.port} 127.0.0.1", *(options or ["allow_anonymous true"])]
        self.config.write_text(user + "\n".join([*whole, *per_listener]) + "\n")

    def start(self) -> "Mosquitto":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self.config, "-v"], stdout=log, stderr=log
            )
        until(self._answers, (self.folder / "log").read_text())
        return self

    def send(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def stop(self) -> None:
        """End it as the system would: it saves what it holds for others."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(WITHIN)
            self.process = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _answers(self) -> bool:
        assert self.process and self.process.poll() is None, self.log
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def __enter__(self) -> "Mosquitto":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class OldBroker:
    """In front of a broker, one that takes clients of MQTT 3.1.1 only, as the standard asks."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        connect = client.recv(65536)
        if connect[connect.index(b"MQTT") + 4] == 5:
            client.sendall(b"\x20\x02\x00\x01")  # CONNACK: unacceptable protocol version
            client.close()
            return
        broker = socket.create_connection(("127.0.0.1", self._behind))
        broker.sendall(connect)
        threading.Thread(target=_pipe, args=(broker, client), daemon=True).start()
        _pipe(client, broker)

    def __enter__(self) -> "OldBroker":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


class Listener:
    """Remembers what it hears; the broker keeps for it what it misses."""

    def __init__(
        self, port: int, topic: str = "#", *, login: tuple[str, str] | None = None, tls: Any = None
    ) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _, __, m: self.heard.append(
            (m.topic, m.payload, bool(m.retain))
        )
        if login:
            self._client.username_pw_set(*login)
        if tls:
            self._client.tls_set_context(tls)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(WITHIN)

    def at(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in self.heard if name == topic]

    def events(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.at(topic)]

    def say(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(WITHIN)

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def fill(store: Store, count: int, kind: str = "usable") -> list[str]:
    """Store so many events; their uuids."""
    fields = [Happening(kind=kind, at=Stamp.now(), camera="deck").to_dict() for _ in range(count)]
    for each in fields:
        store.append(Entry(each))
    return [str(each["uuid"]) for each in fields]


def watch(*options: object, log: Path) -> "subprocess.Popen[bytes]":
    """The real command in a process of its own, its standard error in ``log``."""
    words: Sequence[str] = [str(option) for option in options]
    code = "from corrosion_edge.cli import main; main()"
    path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-c", code, "watch", *words],
            stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip


def account(wanted: Sequence[str], got: Sequence[str]) -> dict[str, int]:
    """Losses, duplicates, and events that came first after a later one."""
    first = list(dict.fromkeys(got))
    order = {uuid: number for number, uuid in enumerate(wanted)}
    known = [order[uuid] for uuid in first if uuid in order]
    disorder = sum(one > two for one, two in pairwise(known))
    return {
        "wanted": len(wanted),
        "lost": len(set(wanted) - set(got)),
        "twice": len(got) - len(first),
        "out of order": disorder,
    }
