"""What ``watch --webhook`` opens: events go by HTTP, the sink itself has nothing to do."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.telling.courier import NOW
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.receivers import senders
from corrosion_edge.errors import UsageError

__all__ = ["CONSUMER", "WebhookSink", "webhook_sink"]

CONSUMER = "webhook"
"""The name of its place in the ledger, whatever the address: a new address goes on there. That of
a webhook with a name has this after it."""


class WebhookSink(Sink):
    """Lets deliveries run while it is open; what it is written it passes over."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = deliveries
        self._closed = False

    def __enter__(self) -> Self:
        """Begin to deliver."""
        for each in self._deliveries:
            each.start()
        return self

    def write(self, result: Result) -> None:
        """See ``Sink.write``: events are read from the store, not from here."""

    def close(self) -> None:
        """See ``Sink.close``; waits some seconds at most, for all at once."""
        if self._closed:
            return
        self._closed = True
        for each in self._deliveries:
            each.finish()
        for each in self._deliveries:
            each.close()


def webhook_sink(values: Mapping[str, Any], watched: Watched) -> WebhookSink:
    """The sink that the options ask for (UsageError, KeyFileError)."""
    if watched.store is None:
        raise UsageError("--webhook: needs --store DIR, as what it sends are stored events")
    begin = values["deliver_from"] or NOW
    deliveries = [Delivery(watched.store, f"{CONSUMER} {name}".strip(), sender, begin=begin)
                  for name, sender in senders(values).items()]  # fmt: skip
    watched.backlogs.extend(each.backlog for each in deliveries)
    return WebhookSink(deliveries)
