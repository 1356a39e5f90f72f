"""Stored events by MQTT, acknowledged by the broker's PUBACK."""

from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

from corrosion_edge.device.lines import json_line
from corrosion_edge.device.store.event import Event
from corrosion_edge.device.telling.mqtt.link import Link
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.sender import Held, Later, NotYet, Refused, Sender

__all__ = ["ACKNOWLEDGED_WITHIN", "MqttSender"]

ACKNOWLEDGED_WITHIN: Final = 30.0
"""Seconds for the PUBACK; without it the connection is given up and made again."""

_LOOK: Final = 0.25
_NOBODY: Final = 0x10  # No matching subscribers (MQTT 5.0, table 3-4)
_FAILED: Final = 0x80  # and above
_THIS_ONE: Final = frozenset({0x95, 0x99})  # packet too large, payload format invalid


class MqttSender(Sender):
    """Publishes each event with QoS 1 over a link, which it leaves open."""

    def __init__(
        self,
        link: Link,
        topic: str,
        saying: Saying,
        within: float = ACKNOWLEDGED_WITHIN,
    ) -> None:
        self.name = saying.name
        self._link, self._topic, self._saying, self._within = link, topic, saying, within
        self._told_nobody = self._closed = False

    def send(self, event: Event) -> None:
        """See ``Sender.send``."""
        session = self._link.session
        if session is None:
            # The link itself says what is the matter, and how long it waits.
            raise (Later if self._link.failed else NotYet)("", _LOOK)
        number = session.publish(self._topic, json_line(event.to_dict()))
        code = session.acknowledged(number, 0.0 if self._closed else self._within)
        if code is None:
            session.drop(f"no acknowledgement within {self._within:g} s")
            raise Later("", _LOOK)
        self._judge(code)

    def close(self) -> None:
        """See ``Sender.close``."""
        self._closed = True
        if session := self._link.session:
            session.drop("ended")

    def _judge(self, code: ReasonCode) -> None:
        if code.value in _THIS_ONE:
            raise Refused(f"the broker does not take it ({code})")
        if code.value >= _FAILED:
            raise Held(f"the broker refuses events at {self._topic} ({code})")
        if code.value == _NOBODY and not self._told_nobody:
            self._told_nobody = True
            self._saying.note(
                f"nobody is subscribed to {self._topic}: the broker takes the events and drops them"
            )
