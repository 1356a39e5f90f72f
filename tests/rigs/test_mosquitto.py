"""Telling others by MQTT, with a real broker that is stopped, restarted, frozen, and says no."""

import json
import signal
import ssl
import subprocess

import pytest
from broker import Listener, Mosquitto, OldBroker, account, fill, free_port, until, watch
from mqtt_faults import kill_often, restart_often

from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.events.following import Following
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.store.store import Store
from corrosion_edge.device.telling.courier import BEGINNING
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.mqtt.broker import Broker, Topics
from corrosion_edge.device.telling.mqtt.discovery import Discovery
from corrosion_edge.device.telling.mqtt.link import Link
from corrosion_edge.device.telling.mqtt.live import Live, Running
from corrosion_edge.device.telling.mqtt.sender import MqttSender
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.tls import client_context

TOPICS = Topics("site/pi")


@pytest.fixture
def said():
    return []


class Told:
    """A link and a delivery over a store, without a watch."""

    def __init__(self, folder, broker, said, *, discovery=None, within=30.0, cameras=("deck",)):
        saying = Saying(f"mqtt {broker}", said.append)
        running = Running("a model", "ab" * 32, RunsOn("cpu", "a processor"))
        following = Following(cameras, Detection.for_model, 0.5, None)
        self.live = Live(cameras, lambda: running, following)
        self.link = Link(broker, TOPICS, self.live, discovery, saying=saying,
                         backoff=Backoff(0.05, 0.2))  # fmt: skip
        sender = MqttSender(self.link, TOPICS.events, saying, within)
        own = Saying(sender.name, said.append)
        self.delivery = Delivery(folder, "mqtt", sender, begin=BEGINNING, saying=own,
                                 backoff=Backoff(0.05, 0.2))  # fmt: skip

    def __enter__(self):
        self.link.start()
        self.delivery.start()
        return self

    def __exit__(self, *_):
        self.delivery.close()
        self.link.close()


def here(port, **how):
    return Broker("127.0.0.1", port, **how)


def place(folder):
    with Ledger(folder) as ledger:
        found = ledger.place("mqtt")
        return found.sequence if found else 0


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def test_events_are_those_of_the_store_and_not_retained(store, broker, said):
    wanted = fill(store, 120)
    with Listener(broker.port) as listener:
        with Told(store.folder, here(broker.port), said):
            until(lambda: len(listener.at(TOPICS.events)) == 120)
            wanted += fill(store, 3)
            until(lambda: len(listener.at(TOPICS.events)) == 123)
        until(lambda: len(listener.at(TOPICS.availability)) == 2)
    got = listener.events(TOPICS.events)
    assert [event["uuid"] for event in got] == wanted
    assert [event["sequence"] for event in got] == list(range(1, 124))
    assert got[-1]["hash"] == store.head[1]
    assert not any(retained for topic, _, retained in listener.heard if topic == TOPICS.events)
    assert listener.at(TOPICS.availability) == [b"online", b"offline"]
    assert place(store.folder) == 123
    assert said == []


def test_a_broker_that_stops_and_comes_back(tmp_path):
    account = restart_often(tmp_path, tries=3, seed=5, longest=1.0)
    assert account.wanted > 0
    assert (account.lost, account.disorder) == (0, 0)
    assert account.twice <= account.tries


@pytest.mark.slow
def test_a_broker_that_is_stopped_twenty_times(tmp_path):
    account = restart_often(tmp_path, tries=20, seed=11)
    assert account.tries == 20
    assert (account.lost, account.disorder) == (0, 0)
    assert account.twice <= account.tries


@pytest.mark.slow
def test_a_watch_that_is_killed_twenty_times_in_the_middle_of_a_backlog(tmp_path):
    account = kill_often(tmp_path, tries=20, backlog=1000, seed=11)
    assert account.tries == 20
    assert (account.lost, account.disorder) == (0, 0)
    assert account.twice <= account.tries


def test_a_watch_that_is_killed_in_the_middle_of_a_backlog(tmp_path):
    account = kill_often(tmp_path, tries=3, backlog=600, seed=3)
    assert account.wanted > 600
    assert (account.lost, account.disorder) == (0, 0)
    assert account.twice <= account.tries


def test_a_broker_that_freezes_loses_the_connection_and_nothing_else(store, broker, said):
    with Listener(broker.port) as listener, Told(store.folder, here(broker.port), said, within=0.5):
        fill(store, 1)
        until(lambda: len(listener.at(TOPICS.events)) == 1)
        broker.send(signal.SIGSTOP)
        wanted = fill(store, 5)
        until(lambda: any("no acknowledgement within 0.5 s" in line for line in said), str(said))
        broker.send(signal.SIGCONT)
        until(lambda: place(store.folder) == 6)
        until(lambda: len({e["uuid"] for e in listener.events(TOPICS.events)}) == 6)
    got = [event["uuid"] for event in listener.events(TOPICS.events)]
    counted = account(wanted, got)
    assert (counted["lost"], counted["out of order"]) == (0, 0)
    assert any("works again" in line for line in said)


def test_the_last_will_of_a_watch_that_is_killed(tmp_path, broker):
    options = ("--camera", "demo", "--interval", "1", "--mqtt", f"mqtt://127.0.0.1:{broker.port}",
               "--mqtt-prefix", TOPICS.prefix)  # fmt: skip
    with Listener(broker.port) as listener:
        running = watch(*options, log=tmp_path / "log")
        try:
            until(lambda: len(listener.at("site/pi/demo-a-rendered-clip/state")) > 1)
            assert listener.at(TOPICS.availability) == [b"online"]
        finally:
            running.kill()
            running.wait()
        until(lambda: listener.at(TOPICS.availability) == [b"online", b"offline"])
    state = json.loads(listener.at("site/pi/demo-a-rendered-clip/state")[-1])
    assert state["state"] == "running" and state["runs_on"].startswith("ai-edge-litert")
    assert "without --store no events are sent" in (tmp_path / "log").read_text()
    with Listener(broker.port) as late:
        until(lambda: late.at(TOPICS.availability))
        assert (TOPICS.availability, b"offline", True) in late.heard


def test_a_watch_whose_broker_was_never_there_and_comes_at_last(tmp_path):
    port = free_port()
    options = ("--camera", "demo", "--interval", "0.2", "--store", tmp_path / "store",
               "--mqtt", f"mqtt://127.0.0.1:{port}", "--mqtt-prefix", "site/pi")  # fmt: skip
    log = tmp_path / "log"
    running = watch(*options, log=log)
    try:
        until(lambda: "nobody answers there; trying again" in log.read_text())
        with (
            Mosquitto(tmp_path / "broker", port=port),
            Listener(port) as listener,
        ):
            until(lambda: len(listener.at(TOPICS.events)) >= 2)
            running.send_signal(signal.SIGTERM)
            running.wait(60)
            until(lambda: listener.at(TOPICS.availability)[-1] == b"offline")
            kinds = [event["kind"] for event in listener.events(TOPICS.events)]
    finally:
        running.kill()
        running.wait()
    assert kinds == ["started", "corrosion_began", "corrosion_ended", "stopped"]
    assert log.read_text().count("nobody answers there") == 1
    assert "Traceback" not in log.read_text()


def with_password(broker, user, password):
    file = broker.folder / "passwords"
    file.touch(0o600)
    program = broker.program.with_name("mosquitto_passwd")
    subprocess.run([program, "-b", file, user, password], check=True, capture_output=True)
    broker.set("allow_anonymous false", f"password_file {file}")


def test_a_login_that_is_wrong_is_said_once_and_tried_again(tmp_path, store, said):
    broker = Mosquitto(tmp_path / "broker")
    with_password(broker, "pi", "right")
    wanted = fill(store, 2)
    with broker, Told(store.folder, here(broker.port, user="pi", password="wrong"), said):
        until(lambda: broker.log.count("not authorised") >= 3, broker.log)
    assert len(said) == 1
    assert "refuses the login (Not authorized): see --mqtt-user and --mqtt-password-file" in said[0]
    assert "wrong" not in said[0]
    with (
        broker,
        Listener(broker.port, login=("pi", "right")) as listener,
        Told(store.folder, here(broker.port, user="pi", password="right"), said),
    ):
        until(lambda: len(listener.at(TOPICS.events)) == 2)
        assert [event["uuid"] for event in listener.events(TOPICS.events)] == wanted
    assert len(said) == 1


def encrypted(folder, files, *more):
    ca, certificate, key = files
    return Mosquitto(folder, "allow_anonymous true", f"certfile {certificate}", f"keyfile {key}",
                     f"cafile {ca}", *more)  # fmt: skip


def test_tls(tmp_path, store, said, certificates):
    files = certificates(tmp_path / "tls")
    wanted = fill(store, 3)
    context = client_context(files[0], "--mqtt-ca")
    with (
        encrypted(tmp_path / "broker", files) as broker,
        Listener(broker.port, tls=ssl.create_default_context(cafile=files[0])) as listener,
        Told(store.folder, here(broker.port, context=context), said),
    ):
        until(lambda: len(listener.at(TOPICS.events)) == 3)
        assert [event["uuid"] for event in listener.events(TOPICS.events)] == wanted
    assert said == []


def test_a_certificate_of_our_own(tmp_path, store, said, certificates):
    files = certificates(tmp_path / "tls")
    fill(store, 1)
    with encrypted(tmp_path / "broker", files, "require_certificate true") as broker:
        without = client_context(files[0], "--mqtt-ca")
        with Told(store.folder, here(broker.port, context=without), said):
            until(lambda: said)
        assert "(--mqtt-cert)" in said[0] or "no encrypted connection" in said[0]
        context = client_context(files[0], "--mqtt-ca", files[1], files[2])
        with Told(store.folder, here(broker.port, context=context), said):
            until(lambda: place(store.folder) == 1)


def test_mistakes_with_tls_are_plain_sentences(tmp_path, store, said, certificates):
    files = certificates(tmp_path / "tls")
    others = certificates(tmp_path / "others", "elsewhere.example")
    trusting = client_context(files[0], "--mqtt-ca")

    def told(broker, context):
        said.clear()
        with broker, Told(store.folder, here(broker.port, context=context), said):
            until(lambda: said)
        return said[0]

    broker = encrypted(tmp_path / "broker", files)
    strangers = client_context(others[0], "--mqtt-ca")
    sentence = told(broker, strangers)
    assert "its certificate is not accepted" in sentence
    assert "name the CA that signed it with --mqtt-ca" in sentence
    assert "is MQTT spoken on that port, without TLS?" in told(broker, None)
    plain = Mosquitto(tmp_path / "plain")
    assert "is TLS spoken on that port?" in told(plain, trusting)
    elsewhere = encrypted(tmp_path / "elsewhere", others)
    sentence = told(elsewhere, strangers)
    assert "its certificate is not accepted (IP address mismatch" in sentence


def test_a_name_that_is_unknown(store, said):
    with Told(store.folder, Broker("no-such-host.invalid", 1883), said):
        until(lambda: said)
    assert said == ["warning: mqtt mqtt://no-such-host.invalid:1883: the name no-such-host.invalid "
                    "is not known to this network; trying again"]  # fmt: skip


def test_a_broker_that_speaks_the_old_protocol_only(tmp_path, store, said):
    wanted = fill(store, 3)
    with (
        Mosquitto(tmp_path / "broker") as broker,
        OldBroker(broker.port) as old,
        Listener(broker.port) as listener,
        Told(store.folder, here(old.port), said),
    ):
        until(lambda: len(listener.at(TOPICS.events)) == 3)
        assert [event["uuid"] for event in listener.events(TOPICS.events)] == wanted
    assert len(said) == 1 and "speaks MQTT 3.1.1 only" in said[0]


def test_topics_that_are_forbidden_hold_the_events_back(tmp_path, store, said):
    broker = Mosquitto(tmp_path / "broker")
    rules = broker.folder / "rules"
    rules.write_text("topic readwrite site/pi/availability\ntopic read #\n")
    broker.set("allow_anonymous true", f"acl_file {rules}")
    wanted = fill(store, 2)
    with (
        broker,
        Listener(broker.port) as listener,
        Told(store.folder, here(broker.port), said),
    ):
        until(lambda: len(said) == 3)
        assert "refuses what is sent to site/pi/state (Not authorized)" in "".join(said)
        assert "the broker refuses events at site/pi/events (Not authorized)" in "".join(said)
        assert "refuses what is sent to site/pi/deck/state (Not authorized)" in "".join(said)
        assert place(store.folder) == 0
        rules.write_text("topic readwrite #\n")
        broker.send(signal.SIGHUP)
        until(lambda: len(listener.at(TOPICS.events)) == 2)
        assert [event["uuid"] for event in listener.events(TOPICS.events)] == wanted


def test_that_nobody_listens_is_said_once(store, broker, said):
    fill(store, 3)
    with Told(store.folder, here(broker.port), said):
        until(lambda: place(store.folder) == 3)
    assert len(said) == 1 and "nobody is subscribed to site/pi/events" in said[0]


def test_home_assistant_is_told_again_when_it_starts(store, broker, said):
    discovery = Discovery(TOPICS, ("deck", "gate"), "pi")
    with (
        Listener(broker.port) as listener,
        Told(store.folder, here(broker.port), said, discovery=discovery, cameras=("deck", "gate")),
    ):
        topic = "homeassistant/sensor/site-pi-gate/score/config"
        until(lambda: len(listener.at(topic)) == 1 and len(listener.at(TOPICS.state("gate"))) == 1)
        listener.say("homeassistant/status", "offline")
        listener.say("homeassistant/status", "online")
        until(lambda: len(listener.at(topic)) == 2 and len(listener.at(TOPICS.state("gate"))) == 2)
    with Listener(broker.port) as late:
        until(lambda: late.at(topic))
    retained = {name for name, _, kept in late.heard if kept}
    assert topic in retained and TOPICS.state("deck") in retained
