"""What ``watch --mqtt`` opens: live states from the judging thread, events from the store."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.secret_file import secret
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.telling.backlog import Backlog
from corrosion_edge.device.telling.courier import NOW
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics, slug
from corrosion_edge.device.telling.mqtt.discovery import Discovery
from corrosion_edge.device.telling.mqtt.link import Link
from corrosion_edge.device.telling.mqtt.live import EVERY, Live, Running
from corrosion_edge.device.telling.mqtt.sender import MqttSender
from corrosion_edge.device.telling.options import require_login
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.tls import client_context
from corrosion_edge.errors import UsageError

__all__ = ["CONSUMER", "MqttSink", "mqtt_sink"]

CONSUMER = "mqtt"
"""The name of its place in the ledger, whatever the address: a new broker goes on there."""


class MqttSink(Sink):
    """Takes results for ``live``; while it is open, ``link`` and ``delivery`` run."""

    def __init__(self, live: Live, link: Link, delivery: Delivery | None) -> None:
        self._live, self._link, self._delivery = live, link, delivery
        self._running = False

    def __enter__(self) -> Self:
        """Begin to connect."""
        self._running = True
        self._link.start()
        if self._delivery is not None:
            self._delivery.start()
        return self

    def write(self, result: Result) -> None:
        """See ``Sink.write``."""
        self._live.take(result)

    def close(self) -> None:
        """See ``Sink.close``; waits some seconds at most."""
        if not self._running:
            return
        self._running = False
        with ExitStack() as stack:
            stack.callback(self._link.close)
            if self._delivery is not None:
                self._delivery.close()


def mqtt_sink(values: Mapping[str, Any], watched: Watched) -> MqttSink:
    """The sink that the options ask for (UsageError, KeyFileError; ExtraError without paho)."""
    broker, host = _broker(values), socket.gethostname() or "unnamed"
    topics = Topics(values["mqtt_prefix"] or f"corrosion-edge/{slug(host)}")
    _require_different(watched.cameras)
    one = watched.classifier
    following = Following(watched.cameras, watched.detection, one.threshold, one.band)
    live = Live(watched.cameras, lambda: _running(watched), following,
                values["mqtt_every"] or EVERY)  # fmt: skip
    discovery = None
    if values["mqtt_discovery"]:
        discovery = Discovery(topics, watched.cameras, host, values["mqtt_discovery"])
    saying = Saying(f"mqtt {broker}")
    link = Link(broker, topics, live, discovery, saying=saying)
    delivery = _delivery(values, watched, MqttSender(link, topics.events, saying))
    watched.backlogs.append(lambda: _backlog(saying, delivery))
    return MqttSink(live, link, delivery)


def _backlog(connection: Saying, delivery: Delivery | None) -> Backlog:
    """What holds events up, or else the connection."""
    told = delivery.backlog() if delivery else Backlog(CONSUMER, connection.name)
    error, since = connection.trouble
    return replace(told, error=error, failing_since=since) if error and not told.error else told


def _delivery(values: Mapping[str, Any], watched: Watched, sender: MqttSender) -> Delivery | None:
    if watched.store is None:
        if values["deliver_from"] is not None:
            raise UsageError("--deliver-from: needs --store DIR")
        Saying(sender.name).note("without --store no events are sent, only the live state")
        return None
    begin = values["deliver_from"] or NOW
    return Delivery(watched.store, CONSUMER, sender, begin=begin)


def _running(watched: Watched) -> Running:
    one = watched.classifier
    return Running(one.name, one.network_sha256, RunsOn.now(one))


def _require_different(cameras: tuple[str, ...]) -> None:
    if len({slug(camera) for camera in cameras}) < len(cameras):
        raise UsageError(f"--camera: two names make the same topic: {', '.join(cameras)}")


def _broker(values: Mapping[str, Any]) -> Broker:
    host, port, encrypted = Broker.address(values["mqtt"])
    require_login(values)
    file, user = values["mqtt_password_file"], values["mqtt_user"]
    context = None
    if encrypted:
        context = client_context(
            values["mqtt_ca"], "--mqtt-ca", values["mqtt_cert"], values["mqtt_key"]
        )
    password = secret(file, "--mqtt-password-file") if file is not None else None
    return Broker(host, port, user, password, context)
