"""One connection to a broker, from CONNECT to its end; nothing of it outlives it.

The client of paho keeps what was not acknowledged and sends it again after it has connected anew.
Here each connection has a client of its own instead: what is sent again, and in which order, is
decided in one place, by the notes of what was acknowledged.
"""

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from corrosion_edge.closing import Closing
from corrosion_edge.device.telling.mqtt.broker import Broker
from corrosion_edge.device.telling.words import plain

__all__ = ["KEEPALIVE", "NoConnection", "OldBroker", "Session"]

KEEPALIVE: Final = 30
"""Seconds of silence after which the two ask each other; after half as much more the will goes."""

_CONNECT_WITHIN: Final = 10.0
_MOST_OPEN: Final = 10  # messages without acknowledgement, before states are held back
_KEPT: Final = 1024
_LOGIN: Final = frozenset({"Not authorized", "Bad user name or password", "Banned"})
_LOGIN_WORDS: Final = "see --mqtt-user and --mqtt-password-file"
_OLD: Final = "Unsupported protocol version"
_TAKEN: Final = "Session taken over"


class NoConnection(Exception):  # noqa: N818 - what is the matter with a broker, no fault of ours
    """The broker cannot be reached, or does not want us; the message is a plain sentence."""


class OldBroker(NoConnection):
    """The broker speaks MQTT 3.1.1 only."""


class Session(Closing):
    """A connection with a last will.

    ``open`` connects. Thereafter any thread may publish. ``heard`` is called in a thread of the
    client's with topic and payload of what was subscribed to.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        will: tuple[str, str],
        *,
        old: bool = False,
        within: float = _CONNECT_WITHIN,
        heard: Callable[[str, bytes], None] = lambda topic, payload: None,
    ) -> None:
        self._broker, self._old, self._heard, self._within = broker, old, heard, within
        self._changed = threading.Condition()
        self._answer: str | None = None
        self._ended: str | None = None
        self._codes: OrderedDict[int, ReasonCode] = OrderedDict()
        self._open = 0
        self._client = self._made(client_id, will)

    @property
    def alive(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._answer == "Success" and self._ended is None

    @property
    def why(self) -> str:
        """Why it ended, as a sentence."""
        if self._ended == _TAKEN:
            return "another client took our name; give each watch its own --mqtt-prefix"
        if self._ended in (None, "Unspecified error", "Normal disconnection"):
            return "the connection was lost"
        return f"the connection was lost ({self._ended})"

    @property
    def busy(self) -> bool:
        """Whether so much waits for acknowledgement that more had better wait."""
        return self._open >= _MOST_OPEN

    def open(self) -> None:
        """Connect and log in (NoConnection; OldBroker where it helps to come as an old client)."""
        try:
            self._client.connect(self._broker.host, self._broker.port, KEEPALIVE)
        except (OSError, ValueError) as error:
            raise NoConnection(self._plain(error)) from None
        self._client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._answer or self._ended, self._within)
        if not self.alive:
            raise self._refusal()

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> int:
        """Send with QoS 1, and wait for nothing; the number of the message."""
        with self._changed:
            self._open += 1
        return self._client.publish(topic, payload, qos=1, retain=retain).mid

    def acknowledged(self, number: int, within: float) -> ReasonCode | None:
        """What the broker answered to a message; None if nothing came, for whatever reason."""
        end = time.monotonic() + within
        with self._changed:
            while number not in self._codes and self.alive:
                if not self._changed.wait(end - time.monotonic()) and time.monotonic() >= end:
                    break
            return self._codes.pop(number, None)

    def subscribe(self, topic: str) -> None:
        """Be told what is said at a topic."""
        self._client.subscribe(topic, qos=1)

    def drop(self, reason: str) -> None:
        """End it without a goodbye: who does not answer may not have heard us."""
        with self._changed:
            self._ended = self._ended or reason
            self._changed.notify_all()

    def close(self) -> None:
        """Say goodbye where the connection stands, and end the client's thread."""
        if self._ended is None:
            self._client.disconnect()
        else:
            self._cut()
        self._client.loop_stop()

    def _cut(self) -> None:
        """End the client's loop as the other side would; under TLS too without a goodbye."""
        if (sock := self._client.socket()) is not None:
            with suppress(OSError, ValueError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _made(self, client_id: str, will: tuple[str, str]) -> Client:
        version = MQTTProtocolVersion.MQTTv311 if self._old else MQTTProtocolVersion.MQTTv5
        client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=version, reconnect_on_failure=False,
            clean_session=True if self._old else None,
        )  # fmt: skip
        client.will_set(will[0], will[1], qos=1, retain=True)
        if self._broker.user is not None:
            client.username_pw_set(self._broker.user, self._broker.password)
        if self._broker.context is not None:
            client.tls_set_context(self._broker.context)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_publish, client.on_message = self._published, self._message
        return client

    def _plain(self, error: Exception) -> str:
        said = plain(error, self._broker.host, "--mqtt-ca")
        broken_off = isinstance(error, ConnectionResetError | BrokenPipeError)
        return (
            f"{said}; is TLS spoken on that port?" if self._broker.context and broken_off else said
        )

    def _refusal(self) -> NoConnection:
        """Why there is no connection, after CONNECT was sent."""
        answer = self._answer
        if answer == _OLD and not self._old:
            return OldBroker("it speaks MQTT 3.1.1 only")
        if answer in _LOGIN:
            return NoConnection(f"the broker refuses the login ({answer}): {_LOGIN_WORDS}")
        if answer not in (None, "Success"):
            return NoConnection(f"the broker refuses the connection ({answer})")
        if self._ended is None:
            return NoConnection(f"no answer to the login within {self._within:g} s")
        hint = "; does it demand a certificate of ours (--mqtt-cert)?"
        return NoConnection(
            "the connection was closed before the login was answered"
            + (hint if self._broker.context else "; is MQTT spoken on that port, without TLS?")
        )

    def _connected(
        self, client: Client, data: Any, flags: ConnectFlags, code: ReasonCode, more: Any
    ) -> None:
        with self._changed:
            self._answer = str(code)
            self._changed.notify_all()

    def _disconnected(
        self, client: Client, data: Any, flags: DisconnectFlags, code: ReasonCode, more: Any
    ) -> None:
        with self._changed:
            self._ended = self._ended or str(code)
            self._changed.notify_all()

    def _published(
        self, client: Client, data: Any, number: int, code: ReasonCode, more: Properties | None
    ) -> None:
        with self._changed:
            self._open -= 1
            self._codes[number] = code
            while len(self._codes) > _KEPT:
                self._codes.popitem(last=False)
            self._changed.notify_all()

    def _message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        self._heard(message.topic, message.payload)
