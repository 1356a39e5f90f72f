"""What ``watch --webhook`` opens: events go by HTTP, the sink itself has nothing to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.secret_file import secret
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.telling.courier import NOW
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.tls import client_context
from corrosion_edge.device.telling.webhook import Target, WebhookSender
from corrosion_edge.errors import UsageError

__all__ = ["CONSUMER", "WebhookSink", "webhook_sink"]

CONSUMER = "webhook"
"""The name of its place in the ledger, whatever the address: a new address goes on there."""


class WebhookSink(Sink):
    """Lets a delivery run while it is open; what it is written it passes over."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._closed = False

    def __enter__(self) -> Self:
        """Begin to deliver."""
        self._delivery.start()
        return self

    def write(self, result: Result) -> None:
        """See ``Sink.write``: events are read from the store, not from here."""

    def close(self) -> None:
        """See ``Sink.close``; waits some seconds at most."""
        if not self._closed:
            self._closed = True
            self._delivery.close()


def webhook_sink(values: Mapping[str, Any], watched: Watched) -> WebhookSink:
    """The sink that the options ask for (UsageError, KeyFileError)."""
    if watched.store is None:
        raise UsageError("--webhook: needs --store DIR, as what it sends are stored events")
    return WebhookSink(
        Delivery(watched.store, CONSUMER, _sender(values), begin=values["deliver_from"] or NOW)
    )


def _sender(values: Mapping[str, Any]) -> WebhookSender:
    target = _target(values["webhook"], values["webhook_url_file"])
    ca: Path | None = values["webhook_ca"]
    if ca is not None and target.scheme != "https":
        raise UsageError("--webhook-ca: needs an address that begins with https://")
    authorization = _content(values, "webhook_auth_file")
    if not authorization.isascii():
        raise UsageError("--webhook-auth-file: expected letters, digits and signs in ASCII")
    context = client_context(ca, "--webhook-ca") if target.scheme == "https" else None
    return WebhookSender(
        target,
        key=_content(values, "webhook_secret_file"),
        authorization=authorization,
        context=context,
    )


def _target(url: str | None, file: Path | None) -> Target:
    if file is None:
        return Target.parse(url or "")
    if url is not None:
        raise UsageError("--webhook, --webhook-url-file: give one of them")
    return Target.parse(secret(file, "--webhook-url-file").strip())


def _content(values: Mapping[str, Any], name: str) -> str:
    path: Path | None = values[name]
    return secret(path, f"--{name.replace('_', '-')}") if path else ""
