"""What the broker gets of an event."""

import json
from datetime import datetime
from types import SimpleNamespace

import pytest
from clockless import DAY, ROUNDING, Machine

pytest.importorskip("paho.mqtt", reason="the extra mqtt is not installed")

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.store import Entry
from corrosion_edge.device.telling.mqtt.sender import MqttSender


class Session:
    """A connection whose broker takes everything."""

    def __init__(self):
        self.published = []

    def publish(self, topic, payload):
        self.published.append((topic, json.loads(payload)))
        return len(self.published)

    def acknowledged(self, number, within):
        return ReasonCode(PacketTypes.PUBACK, "Success")


def test_a_backlog_has_the_times_as_stored_and_as_they_are_known_now(tmp_path):
    machine, session = Machine(error=-365 * DAY), Session()
    machine.put("started")
    machine.age = 60.0
    machine.set()
    with Store(tmp_path) as store:
        for row in machine.rows:
            store.append(Entry(row))
    link = SimpleNamespace(session=session, failed=False)
    sender = MqttSender(link, "site/events", SimpleNamespace(name="a broker"))
    with Reader(tmp_path) as reader:
        for event in reader.after(0, 50):
            sender.send(event)
    topics, (started, clock) = zip(*session.published, strict=True)
    assert set(topics) == {"site/events"}
    assert started["at"] == machine.rows[0]["at"]
    assert abs(datetime.fromisoformat(started["corrected_at"]) - machine.truth[0]) <= ROUNDING
    assert (clock["kind"], clock["corrected_at"], clock["clock_set"]) == ("clock_set", None, True)
