"""What telling others costs: ``python tests/rigs/telling_cost.py [EVENTS [SECONDS]]``.

Prints the time that a verdict takes of the judging thread, the processor time of a broker's
connection that has nothing to do, and how many events a second a backlog leaves with, by MQTT (to
mosquitto) and by webhook (to a server here), whose work is on the same machine.
"""

import sys
import tempfile
import threading
import time
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from broker import Mosquitto, fill, until

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.store.store import Store
from corrosion_edge.device.telling.courier import BEGINNING
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics
from corrosion_edge.device.telling.mqtt.link import Link
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.device.telling.mqtt.sender import MqttSender
from corrosion_edge.device.telling.sender import Sender
from corrosion_edge.device.telling.webhook import Target, WebhookSender
from corrosion_edge.device.verdict import Verdict
from corrosion_edge.frame import Frame
from corrosion_edge.prediction import Prediction

TOPICS = Topics("site/pi")
TAKES = 20_000
LONG = 600.0


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def live() -> Live:
    running = Running("a model", "ab" * 32, RunsOn("cpu", "a processor"))
    return Live(("deck",), lambda: running, Following(("deck",), Detection.for_model, 0.5, None))


def verdict_us() -> float:
    """Microseconds of the judging thread for a verdict."""
    taker = live()
    frame = Frame(np.zeros((8, 8, 3), np.uint8), 0, datetime.now(UTC), camera="deck")
    verdict = Verdict(frame, Prediction(0.9, 0.5), 3.0)
    return 1e6 * timeit.timeit(lambda: taker.take(verdict), number=TAKES) / TAKES


def idle_percent(link: Link, seconds: float) -> float:
    """Of one core, connected and with nothing to say."""
    until(lambda: link.session, "the connection")
    time.sleep(1)
    before, start = time.process_time(), time.monotonic()
    time.sleep(seconds)
    return 100 * (time.process_time() - before) / (time.monotonic() - start)


def pace(folder: Path, count: int, sender: Sender) -> float:
    """Events a second of a backlog of so many, from the first to the last acknowledgement."""
    delivery = Delivery(folder, sender.name, sender, begin=BEGINNING)

    def done() -> int:
        with Ledger(folder) as ledger:
            place = ledger.place(sender.name)
        return place.sequence if place else 0

    delivery.start()
    until(done, "the first event", LONG)
    first, start = done(), time.monotonic()
    until(lambda: done() >= count, "the backlog", LONG)
    taken = time.monotonic() - start
    delivery.close()
    return (count - first) / taken


def by_mqtt(folder: Path, store: Path, count: int, seconds: float) -> tuple[float, float]:
    """The idle connection's percent of a core, and a backlog's events a second."""
    with Mosquitto(folder / "broker") as broker:
        link = Link(Broker("127.0.0.1", broker.port), TOPICS, live())
        link.start()
        idle = idle_percent(link, seconds)
        found = pace(store, count, MqttSender(link, TOPICS.events, link.saying))
        link.close()
    return idle, found


def by_webhook(store: Path, count: int) -> float:
    """A backlog's events a second."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    serve: Callable[[], None] = server.serve_forever
    threading.Thread(target=serve, daemon=True).start()
    target = Target.parse(f"http://127.0.0.1:{server.server_port}/hook")
    found = pace(store, count, WebhookSender(target))
    server.shutdown()
    server.server_close()
    return found


def main(count: int, seconds: float) -> None:
    """Print all of them."""
    print(f"a verdict: {verdict_us():.1f} µs of the judging thread")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder / "store") as store:
            fill(store, count)
        idle, mqtt = by_mqtt(folder, folder / "store", count, seconds)
        print(f"connected and idle: {idle:.2f} % of a core")
        print(f"a backlog of {count}: {mqtt:.0f} events a second by MQTT", flush=True)
        print(f"a backlog of {count}: {by_webhook(folder / 'store', count):.0f} by webhook")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000,
         float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)  # fmt: skip
