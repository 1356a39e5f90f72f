"""A connection to the broker that is made again whenever it ends, and what goes out by itself."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from corrosion_edge.closing import Closing
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics
from corrosion_edge.device.telling.mqtt.discovery import BIRTH, Discovery
from corrosion_edge.device.telling.mqtt.live import Live
from corrosion_edge.device.telling.mqtt.session import NoConnection, OldBroker, Session
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.words import unexpected

__all__ = ["Link"]

_LOOK: Final = 0.25  # seconds between two looks for a state that is due
_STEADY: Final = 10.0  # seconds after which a connection counts as a good one
_GOODBYE: Final = 1.0
_GIVE_UP: Final = 3.0


class Link(Closing):
    """Keeps a session open from a thread of its own, and sends availability, states, discovery.

    The pauses between tries grow from 1 s to 30 s, varied by half. Nobody waits for it.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        live: Live,
        discovery: Discovery | None = None,
        *,
        saying: Saying | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._broker, self._topics = broker, topics
        self._live, self._discovery = live, discovery
        self.saying = saying or Saying(f"mqtt {broker}")
        self._backoff = backoff or Backoff(longest=30.0, jitter=0.5)
        self._ending = threading.Event()
        self._born = threading.Event()
        self._old = self._told_old = False
        self._session: Session | None = None
        self._sent: dict[int, str] = {}
        self._refused: set[str] = set()
        self.failed = False
        """Whether a try failed since a connection last stood."""
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    @property
    def session(self) -> Session | None:
        """The session that stands now, None between two."""
        return self._session

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def close(self) -> None:
        """Say that we are offline, and end; waits some seconds at most."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(_GIVE_UP)

    def _run(self) -> None:
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                reason = self._one()
            except OldBroker:
                self._old = True
                continue
            except NoConnection as error:
                reason = str(error)
            except Exception as error:  # the thread outlives what nobody foresaw, and says it
                reason = unexpected(error)
            self._session = None
            if self._ending.is_set():
                return
            self.failed = True
            self.saying.failed(reason)
            if time.monotonic() - began > _STEADY:
                self._backoff.reset()
            self._ending.wait(self._backoff.pause())

    def _one(self) -> str:
        """A session from beginning to end; why it ended."""
        will = self._topics.availability, "offline"
        session = Session(
            self._broker, self._topics.client_id, will, old=self._old, heard=self._heard
        )
        with session:
            session.open()
            self._began(session)
            while session.alive and not self._ending.wait(_LOOK):
                self._tell(session)
            self._session = None
            if session.alive:
                self._goodbye(session)
            return session.why

    def _began(self, session: Session) -> None:
        self.saying.well()
        self.failed = False
        if self._old and not self._told_old:
            self._told_old = True
            self.saying.note(
                "the broker speaks MQTT 3.1.1 only, which does not tell whether we may publish: "
                "what its access rules forbid is lost unseen"
            )
        self._sent.clear()
        self._say(session, self._topics.availability, "online")
        if self._discovery is not None:
            session.subscribe(self._discovery.birth)
        self._announce(session)
        self._session = session

    def _heard(self, topic: str, payload: bytes) -> None:
        if payload == BIRTH.encode():
            self._born.set()

    def _announce(self, session: Session) -> None:
        """Tell Home Assistant of the cameras, and say every state anew."""
        self._born.clear()
        if self._discovery is not None:
            for topic, config in self._discovery.messages(self._live.running().model):
                self._say(session, topic, config)
        self._live.again()
        self._tell(session)

    def _tell(self, session: Session) -> None:
        if self._born.is_set():
            self._announce(session)
            return
        self._look_at_answers(session)
        if session.busy:
            return
        for topic, state in self._due():
            self._say(session, topic, json.dumps(state))

    def _due(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Topics and states of which there is news."""
        if (watch := self._live.watch_due()) is not None:
            yield self._topics.watch, watch
        for camera, state in self._live.due():
            yield self._topics.state(camera), state

    def _say(self, session: Session, topic: str, payload: str) -> None:
        self._sent[session.publish(topic, payload, retain=True)] = topic

    def _look_at_answers(self, session: Session) -> None:
        """Say once of each topic that the broker does not let us publish there."""
        for number, topic in list(self._sent.items()):
            code = session.acknowledged(number, 0)
            if code is None:
                continue
            del self._sent[number]
            if code.is_failure and topic not in self._refused:
                self._refused.add(topic)
                self.saying.note(f"the broker refuses what is sent to {topic} ({code})")

    def _goodbye(self, session: Session) -> None:
        self._live.again()
        for topic, state in self._due():
            session.publish(topic, json.dumps(state), retain=True)
        number = session.publish(self._topics.availability, "offline", retain=True)
        session.acknowledged(number, _GOODBYE)
