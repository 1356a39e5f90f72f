"""What a broker may answer that a real one hardly says on demand; bytes as MQTT 5.0 has them."""

import socket
import threading

import pytest

from corrosion_edge.device.telling.mqtt.broker import Broker
from corrosion_edge.device.telling.mqtt.session import NoConnection, OldBroker, Session

CONNACK = b"\x20\x03\x00%c\x00"


@pytest.fixture
def answering():
    """A server that answers CONNECT with these bytes, and what comes then likewise; its broker."""
    servers = []

    def start(*answers):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            client, _ = server.accept()
            for answer in answers:
                client.recv(65536)
                client.sendall(answer)
            if answers:
                client.recv(65536)
            client.close()

        threading.Thread(target=serve, daemon=True).start()
        return Broker("127.0.0.1", server.getsockname()[1], "pi", "geheim")

    yield start
    for server in servers:
        server.close()


def opened(broker, **how):
    session = Session(broker, "me", ("a", "offline"), within=1.0, **how)
    with session:
        session.open()
        yield session


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(0x86, "refuses the login (Bad user name or password): see --mqtt-user and --mqtt-password-"),
     (0x87, "refuses the login (Not authorized)"), (0x8A, "refuses the login (Banned)"),
     (0x85, "refuses the connection (Client identifier not valid)"),
     (0x88, "refuses the connection (Server unavailable)"),
     (0x97, "refuses the connection (Quota exceeded)")],
)  # fmt: skip
def test_refusals_are_told_in_the_brokers_words(answering, code, sentence):
    with pytest.raises(NoConnection) as caught:
        next(opened(answering(CONNACK % code)))
    assert sentence in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_an_old_broker_is_recognised(answering):
    with pytest.raises(OldBroker):
        next(opened(answering(b"\x20\x02\x00\x01")))
    with pytest.raises(NoConnection, match="closed before the login"):
        next(opened(answering(b"\x20\x02\x00\x01"), old=True))


def test_one_that_hangs_up(answering):
    with pytest.raises(NoConnection, match="closed before the login was answered"):
        next(opened(answering()))


def test_one_that_speaks_something_else(answering):
    with pytest.raises(NoConnection):
        next(opened(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")))


def test_a_name_that_somebody_else_takes(answering):
    broker = answering(CONNACK % 0, b"\xe0\x02\x8e\x00")
    for session in opened(broker):
        number = session.publish("a", "b")
        assert session.acknowledged(number, 30) is None
        assert not session.alive
        assert session.why == (
            "another client took our name; give each watch its own --mqtt-prefix"
        )


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x00, "Success"), (0x10, "No matching subscribers"), (0x87, "Not authorized")],
)
def test_acknowledgements_with_their_reason(answering, code, name):
    broker = answering(CONNACK % 0, b"\x40\x03\x00\x01%c" % code)
    for session in opened(broker):
        assert str(session.acknowledged(session.publish("a", "b"), 30)) == name


def test_no_acknowledgement_in_time(answering):
    for session in opened(answering(CONNACK % 0, b"")):
        assert session.acknowledged(session.publish("a", "b"), 0.1) is None
        session.drop("no acknowledgement within 0.1 s")
        assert not session.alive
        assert session.why == "the connection was lost (no acknowledgement within 0.1 s)"
