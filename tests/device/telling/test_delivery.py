"""The thread that delivers: it waits for what is not there yet, drains at the end, gives up."""

import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from storing import fill

from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.telling.courier import BEGINNING, NOW
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.ledger import DELIVERIES, Ledger
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.sender import Later, NotYet, Refused, Sender
from corrosion_edge.device.telling.tls import client_context
from corrosion_edge.device.telling.webhook import Target, WebhookSender
from corrosion_edge.errors import KeyFileError, UsageError


class Post(Sender):
    """Takes events in memory; ``script`` holds what it raises first."""

    name = "a post"

    def __init__(self, *script):
        self.script, self.taken, self.closed = list(script), [], False

    def send(self, event):
        if self.script and (error := self.script.pop(0)):
            raise error
        self.taken.append(event.fields["uuid"])

    def close(self):
        self.closed = True


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def running(folder, post, said, begin=BEGINNING, consumer="c"):
    made = Delivery(folder, consumer, post, begin=begin, saying=Saying(post.name, said.append),
                    backoff=Backoff(0.01, 0.05))  # fmt: skip
    made.start()
    return made


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store") as made:
        yield made


def test_it_delivers_what_comes_and_at_the_end_the_last_of_it(store):
    post, said = Post(), []
    wanted = fill(store, 3)
    delivery = running(store.folder, post, said)
    until(lambda: len(post.taken) == 3)
    wanted += fill(store, 60)
    delivery.close()
    assert post.taken == wanted
    assert post.closed and said == []


def test_a_store_that_is_not_there_yet(tmp_path):
    post, said = Post(), []
    delivery = running(tmp_path / "store", post, said)
    until(lambda: said)
    with Store(tmp_path / "store") as store:
        wanted = fill(store, 2)
        until(lambda: len(post.taken) == 2)
        delivery.close()
    assert post.taken == wanted
    assert "no event store" in said[0] or "cannot be opened" in said[0]


def test_failures_are_said_once_each_and_their_end(store):
    post, said = Post(Later("busy"), Later("busy"), Later("busy"), Later("away")), []
    fill(store, 1)
    delivery = running(store.folder, post, said)
    until(lambda: len(said) == 3)
    delivery.close()
    assert said[:2] == [
        "warning: a post: busy; trying again",
        "warning: a post: away; trying again",
    ]
    assert said[2].startswith("a post: works again after ")


def test_at_the_end_a_connection_that_is_being_made_is_waited_for(store):
    waiting = [NotYet("", 0.02)] * 5
    post, said = Post(*waiting), []
    wanted = fill(store, 2)
    running(store.folder, post, said).close()
    assert post.taken == wanted


def test_at_the_end_what_fails_is_left_for_the_next_start(store):
    post, said = Post(*[Later("away")] * 1000), []
    wanted = fill(store, 2)
    delivery = running(store.folder, post, said)
    until(lambda: said)
    delivery.close()
    assert post.taken == [] and len(post.script) > 900
    later = Post()
    running(store.folder, later, said).close()
    assert later.taken == wanted


def test_a_disk_that_refuses_the_note_of_a_refusal_makes_nothing_be_sent_twice(store, monkeypatch):
    post, said = Post(None, Refused("no"), Refused("no"), Refused("no")), []
    wanted = fill(store, 3)
    note, calls = Ledger.note, []

    def full(self, consumer, place, refused=()):
        calls.append(place.sequence)
        if 2 <= len(calls) <= 4:  # after the place of a new consumer
            self._database.execute("PRAGMA query_only = ON")
        try:
            note(self, consumer, place, refused)
        finally:
            self._database.execute("PRAGMA query_only = OFF")

    monkeypatch.setattr(Ledger, "note", full)
    delivery = running(store.folder, post, said)
    until(lambda: len(post.taken) == 2)
    delivery.close()
    assert post.taken == [wanted[0], wanted[2]]
    with Ledger(store.folder) as ledger:
        assert [each.place.uuid for each in ledger.set_aside("c")] == [wanted[1]]
        assert ledger.place("c").sequence == 3
    assert any("cannot be used" in line for line in said)


def test_what_nobody_foresaw_is_said_without_its_text_and_tried_again(store):
    post, said = Post(KeyError("geheim"), KeyError("geheim")), []
    wanted = fill(store, 1)
    delivery = running(store.folder, post, said)
    until(lambda: post.taken)
    delivery.close()
    assert post.taken == wanted
    assert "unexpected KeyError in test_delivery.py, line" in said[0]
    assert not any("geheim" in line for line in said)


def test_two_consumers_of_one_store(store):
    posts = [Post(), Post(Later("away"), Later("away"))]
    wanted = fill(store, 80)
    both = [running(store.folder, post, [], consumer=str(n)) for n, post in enumerate(posts)]
    for delivery in both:
        until(lambda: all(len(post.taken) == 80 for post in posts))
        delivery.close()
    assert [post.taken for post in posts] == [wanted, wanted]


def test_a_new_consumer_gets_what_comes_from_this_start_on(store):
    fill(store, 3)
    wanted = fill(store, 1, "started") + fill(store, 1)
    post = Post()
    running(store.folder, post, [], begin=NOW).close()
    assert post.taken == wanted
    assert (store.folder / DELIVERIES).exists()


def test_the_store_can_be_merged_while_a_delivery_waits(tmp_path):
    with Store(tmp_path) as store:
        fill(store, 2)
        post = Post()
        delivery = running(tmp_path, post, [])
        until(lambda: len(post.taken) == 2)
        time.sleep(0.1)
    assert not (tmp_path / "events.sqlite-wal").exists()
    delivery.close()


def test_closing_one_that_was_never_started(store):
    post = Post()
    Delivery(store.folder, "c", post).close()
    assert post.closed


class Taking(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def encrypted(tmp_path, certificates):
    """An HTTPS server, and the file of the CA that signed its certificate."""
    ca, certificate, key = certificates(tmp_path / "tls")
    server = HTTPServer(("127.0.0.1", 0), Taking)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port, ca
    server.shutdown()
    server.server_close()


def test_https_with_a_ca_of_ones_own(store, encrypted):
    port, ca = encrypted
    fill(store, 1)
    with Reader(store.folder) as reader:
        (event,) = reader.after(0, 1)
    target = Target.parse(f"https://127.0.0.1:{port}/hook")
    WebhookSender(target, context=client_context(ca, "--webhook-ca")).send(event)
    with pytest.raises(Later, match="name the CA that signed it with --webhook-ca"):
        WebhookSender(target, context=client_context(None, "--webhook-ca")).send(event)
    plain = Target.parse(f"http://127.0.0.1:{port}/hook")
    with pytest.raises(Later):
        WebhookSender(plain).send(event)


def test_files_that_are_no_certificates(tmp_path, certificates):
    ca, certificate, _ = certificates(tmp_path / "tls")
    (tmp_path / "junk").write_text("junk")
    with pytest.raises(UsageError, match="no CA's certificate in PEM"):
        client_context(tmp_path / "junk", "--mqtt-ca")
    with pytest.raises(KeyFileError, match="no certificate and unencrypted key in PEM"):
        client_context(ca, "--mqtt-ca", certificate, tmp_path / "junk")
    with pytest.raises(KeyFileError, match="no key file"):
        client_context(ca, "--mqtt-ca", certificate)
