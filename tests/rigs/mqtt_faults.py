"""Faults of brokers and watches, often, with an account of what was lost and what came twice.

``python mqtt_faults.py restart|kill FOLDER TRIES SEED [AWAY]`` prints the account; the tests
run a few tries, the figures in docs/telling.md are of more. ``python mqtt_faults.py away FOLDER
SECONDS`` keeps broker and webhook away once, for so long.
"""

import random
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import fault_paths  # noqa: F401 - before what it finds
from broker import Listener, Mosquitto, account, fill, free_port, until, watch
from receiver import Receiver

from corrosion_edge.benchmarks.soak.station import Station, own_server
from corrosion_edge.benchmarks.soak.video import loop_video
from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.store.reader import Reader
from corrosion_edge.device.store.store import Store
from corrosion_edge.device.telling.courier import BEGINNING
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics
from corrosion_edge.device.telling.mqtt.link import Link
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.device.telling.mqtt.sender import MqttSender

TOPICS = Topics("site/pi")


@dataclass
class Account:
    """Faults, events stored, and what became of those; seconds from a restart to the first."""

    tries: int = 0
    wanted: int = 0
    lost: int = 0
    twice: int = 0
    disorder: int = 0
    recovered: list[float] = field(default_factory=list)

    def compare(self, wanted: list[str], got: list[str]) -> "Account":
        counted = account(wanted, got)
        self.wanted, self.lost = counted["wanted"], counted["lost"]
        self.twice, self.disorder = counted["twice"], counted["out of order"]
        return self

    def __str__(self) -> str:
        told = (f"{self.tries} tries, {self.wanted} events, {self.lost} lost, {self.twice} twice, "
                f"{self.disorder} out of order")  # fmt: skip
        if self.recovered:
            middle, most = statistics.median(self.recovered), max(self.recovered)
            told += f"; recovered after {middle:.2f} s (median), {most:.2f} s (most)"
        return told


class Growing:
    """A store that grows in a thread, an event every few milliseconds, as long as it is let."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.wanted: list[str] = []
        self._folder, self._draw = folder, random.Random(seed)
        self._ended = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(60)

    def _run(self) -> None:
        with Store(self._folder) as store:
            self._ready.set()
            while not self._ended.wait(self._draw.uniform(0, 0.02)):
                self.wanted += fill(store, 1)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def restart_often(
    folder: Path, tries: int, seed: int, longest: float = 30.0, away: float = 4.0, well: float = 1.0
) -> Account:
    """Stop the broker and start it again, while events are stored and delivered."""
    draw, counted = random.Random(seed), Account()
    broker = Mosquitto(folder / "broker")
    with broker, Listener(broker.port, TOPICS.events) as listener:
        growing = Growing(folder / "store", seed)
        running = Running("a model", "ab" * 32, RunsOn("cpu", "a processor"))
        following = Following(("deck",), Detection.for_model, 0.5, None)
        live = Live(("deck",), lambda: running, following)
        pauses = Backoff(longest=longest, jitter=0.5)
        link = Link(Broker("127.0.0.1", broker.port), TOPICS, live, backoff=pauses)
        sender = MqttSender(link, TOPICS.events, link.saying)
        delivery = Delivery(folder / "store", "mqtt", sender, begin=BEGINNING)
        link.start()
        delivery.start()
        until(lambda: listener.heard)
        for _ in range(tries):
            time.sleep(well + draw.uniform(0, 1))
            broker.stop()
            time.sleep(draw.uniform(0.1, away))
            before = _acknowledged(folder / "store")
            broker.start()
            began = time.monotonic()
            until(lambda: _acknowledged(folder / "store") > before)  # noqa: B023 - called at once
            counted.recovered.append(time.monotonic() - began)
            counted.tries += 1
        growing.end()
        until(lambda: _acknowledged(folder / "store") == len(growing.wanted), "the backlog")
        _all_there(listener, growing.wanted)
        delivery.close()
        link.close()
        return counted.compare(growing.wanted, _uuids(listener))


def kill_often(folder: Path, tries: int, backlog: int, seed: int) -> Account:
    """Kill a watch while it delivers a backlog, again and again; then let one finish."""
    draw, counted = random.Random(seed), Account()
    store = folder / "store"
    with Store(store) as made:
        fill(made, backlog)
    with Mosquitto(folder / "broker") as broker, Listener(broker.port, TOPICS.events) as listener:
        options = ("--camera", "demo", "--interval", "1", "--store", store, "--mqtt-prefix",
                   TOPICS.prefix, "--mqtt", f"mqtt://127.0.0.1:{broker.port}",
                   "--deliver-from", "beginning")  # fmt: skip
        for _ in range(tries):
            before = len(listener.heard)
            running = watch(*options, log=folder / "log")
            until(lambda: len(listener.heard) > before, _said(folder))  # noqa: B023
            time.sleep(draw.uniform(0, 0.3))
            running.kill()
            running.wait()
            counted.tries += 1
            if _acknowledged(store) >= backlog:
                with Store(store) as made:
                    fill(made, backlog)
        running = watch(*options, "--frames", "2", log=folder / "log")
        assert running.wait(120) == 0, _said(folder)
        with Reader(store) as reader:
            wanted = [str(event.fields["uuid"]) for event in reader.events()]
        running = watch(*options, log=folder / "log")
        until(lambda: _acknowledged(store) >= len(wanted), "the rest")
        running.kill()
        running.wait()
        _all_there(listener, wanted)
        return counted.compare(wanted, [uuid for uuid in _uuids(listener) if uuid in set(wanted)])


def away_once(folder: Path, seconds: float, every: float) -> tuple[Account, Account]:
    """A watch whose broker and webhook are away, both; what each got once they are back.

    The watch gives a verdict each ``every`` seconds; its camera shows rust that comes and goes.
    """
    store, asked = folder / "store", free_port()
    broker = Mosquitto(folder / "broker")
    video = loop_video(folder / "rust.ts", seconds=6, size=(640, 480))
    with (
        broker,
        Listener(broker.port, TOPICS.events) as listener,
        Station("deck", own_server("mjpeg", video)) as camera,
    ):
        hook = Receiver(asked)
        running = watch(
            "--camera", camera.address, "--interval", every, "--smooth", "1/1", "--store", store,
            "--mqtt", f"mqtt://127.0.0.1:{broker.port}", "--mqtt-prefix", TOPICS.prefix,
            "--webhook", f"http://127.0.0.1:{asked}/", log=folder / "log",
        )  # fmt: skip
        until(lambda: listener.heard and hook.taken, _said(folder))
        hook.close()
        broker.stop()
        time.sleep(seconds)
        assert running.poll() is None, _said(folder)
        broker.start()
        began, heard = time.monotonic(), len(listener.heard)
        until(lambda: len(listener.heard) > heard, _said(folder), within=120)
        by_broker = Account(tries=1, recovered=[time.monotonic() - began])
        before, hook = hook.taken, Receiver(asked)
        began = time.monotonic()
        until(lambda: hook.taken, _said(folder), within=600)
        by_hook = Account(tries=1, recovered=[time.monotonic() - began])
        with Reader(store) as reader:
            wanted = [str(event.fields["uuid"]) for event in reader.events()]
        until(lambda: wanted[-1] in hook.taken and wanted[-1] in _uuids(listener), "the backlog")
        running.terminate()
        assert running.wait(60) == 0, _said(folder)
        known = set(wanted)
        by_broker.compare(wanted, [uuid for uuid in _uuids(listener) if uuid in known])
        by_hook.compare(wanted, [uuid for uuid in before + hook.taken if uuid in known])
        hook.close()
        return by_broker, by_hook


def _all_there(listener: Listener, wanted: list[str]) -> None:
    """Wait for what the broker acknowledged to reach the listener too."""
    end = time.monotonic() + 10
    while set(wanted) - set(_uuids(listener)) and time.monotonic() < end:
        time.sleep(0.05)


def _uuids(listener: Listener) -> list[str]:
    return [str(event["uuid"]) for event in listener.events(TOPICS.events)]


def _acknowledged(store: Path) -> int:
    with Ledger(store) as ledger:
        place = ledger.place("mqtt")
    return place.sequence if place else 0


def _said(folder: Path) -> str:
    log = folder / "log"
    return log.read_text()[-2000:] if log.exists() else ""


if __name__ == "__main__":
    what, where, times, *rest = sys.argv[1:]
    into = Path(where)
    if what == "away":
        into.mkdir(parents=True, exist_ok=True)
        of_broker, of_hook = away_once(into, float(times), every=0.25)
        print(f"broker: {of_broker}\nwebhook: {of_hook}")
    elif what == "restart":
        away = float(rest[1]) if rest[1:] else 4.0
        print(restart_often(into, int(times), int(rest[0]), away=away, well=11))
    else:
        print(kill_often(into, int(times), 1000, int(rest[0])))
