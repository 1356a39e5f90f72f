"""Webhooks against a real HTTP server that answers, hangs, closes and refuses."""

import hashlib
import hmac
import http.client
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from clockless import DAY, ROUNDING, Machine
from receiver import Receiver
from storing import fill

from corrosion_edge.device.capture.patience import Backoff
from corrosion_edge.device.store import Reader, Store
from corrosion_edge.device.store.store import Entry
from corrosion_edge.device.telling.courier import BEGINNING
from corrosion_edge.device.telling.delivery import Delivery
from corrosion_edge.device.telling.ledger import Ledger
from corrosion_edge.device.telling.saying import Saying
from corrosion_edge.device.telling.sender import Held, Later, Refused
from corrosion_edge.device.telling.webhook import SIGNATURE, Target, WebhookSender
from corrosion_edge.errors import UsageError


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store") as made:
        yield made


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def noted(store):
    with Ledger(store.folder) as ledger:
        place = ledger.place("webhook")
        return (place.sequence if place else 0), ledger.set_aside("webhook")


def delivered(store, receiver, said, count, **how):
    """Deliver until so many events are noted; the sender's timeout is half a second."""
    sender = WebhookSender(Target.parse(receiver.url), timeout=2.0, **how)
    saying = Saying(sender.name, said.append)
    delivery = Delivery(store.folder, "webhook", sender, begin=BEGINNING, saying=saying,
                        backoff=Backoff(0.01, 0.05))  # fmt: skip
    delivery.start()
    try:
        until(lambda: noted(store)[0] == count)
    finally:
        delivery.close()


def test_each_event_once_and_in_order(store, receiver):
    wanted, said = fill(store, 130), []
    delivered(store, receiver, said, 130)
    assert receiver.taken == wanted
    assert said == []
    with Reader(store.folder) as reader:
        stored = [event.to_dict() for event in reader.events()]
    assert [json.loads(body) for _, _, body in receiver.seen] == stored
    path, headers, _ = receiver.seen[0]
    assert path == "/hook/of-mine?token=geheim"
    assert headers["Idempotency-Key"] == wanted[0]
    assert headers["Content-Type"] == "application/json"
    assert SIGNATURE not in headers and "Authorization" not in headers


def test_what_is_known_at_the_delivery_is_told_and_what_was_delivered_is_not_sent_again(
    store, receiver
):
    machine, said = Machine(error=-365 * DAY), []
    machine.put("started")
    store.append(Entry(machine.rows[0]))
    delivered(store, receiver, said, 1)
    machine.age = 60.0
    machine.put()
    machine.set()
    for row in machine.rows[1:]:
        store.append(Entry(row))
    delivered(store, receiver, said, 3)
    bodies = [json.loads(body) for _, _, body in receiver.seen]
    assert [body["sequence"] for body in bodies] == [1, 2, 3]
    assert [body["at"] for body in bodies] == [row["at"] for row in machine.rows]
    assert [body["corrected_at"] is None for body in bodies] == [True, False, True]
    known = datetime.fromisoformat(bodies[1]["corrected_at"])
    assert abs(known - machine.truth[1]) <= ROUNDING
    assert bodies[2]["kind"] == "clock_set"


def test_whatever_goes_wrong_for_a_while_nothing_is_lost(store, receiver):
    wanted, said = fill(store, 4), []
    receiver.script = [500, "close", 503, "hang", 429, "trickle", 408, 502, 200,
                       "take and close", 404, 401]  # fmt: skip
    delivered(store, receiver, said, 4)
    assert list(dict.fromkeys(receiver.taken)) == wanted
    assert len(receiver.taken) == 5  # the one whose acknowledgement was lost came twice
    assert noted(store)[1] == []
    assert any("answers 500 Internal Server Error; trying again" in line for line in said)
    assert any("no answer within 2 s" in line for line in said)
    assert any("answers 404 Not Found: see the address" in line for line in said)
    assert "works again" in said[-1]
    assert not any("geheim" in line or "of-mine" in line for line in said)


def test_a_deadline_is_told_as_one_however_the_threads_run(store, receiver, monkeypatch):
    class Slow(threading.Timer):
        """Its own word of the deadline comes long after what it does then."""

        def run(self):
            if not self.finished.wait(self.interval):
                self.function(*self.args)
                self.finished.wait(0.5)

    monkeypatch.setattr("corrosion_edge.device.telling.webhook.threading.Timer", Slow)
    fill(store, 1)
    said = []
    receiver.script = ["hang"]
    delivered(store, receiver, said, 1)
    assert "no answer within 2 s" in said[0]


def test_an_event_that_is_refused_is_set_aside_and_told(store, receiver):
    wanted, said = fill(store, 4), []
    receiver.script = [200, 400, 422]
    delivered(store, receiver, said, 4)
    assert receiver.taken == [wanted[0], wanted[3]]
    aside = noted(store)[1]
    assert [(each.place.uuid, each.reason) for each in aside] == [
        (wanted[1], "the webhook answers 400 Bad Request"),
        (wanted[2], f"the webhook answers 422 {http.client.responses[422]}"),
    ]
    assert "event 2 is set aside, it stays in the store: the webhook answers 400" in said[0]


def test_a_redirect_is_not_followed(store, receiver):
    other = Receiver()
    fill(store, 1)
    receiver.script = [302, 307]
    receiver.headers_of = {302: {"Location": other.url}, 307: {"Location": other.url}}
    said = []
    delivered(store, receiver, said, 1)
    assert other.seen == []
    assert len(receiver.taken) == 1
    assert "it sends elsewhere, which is not followed; give the final address" in said[0]
    other.close()


def one_answer(store, receiver, status, **headers):
    fill(store, 1)
    receiver.script, receiver.headers_of = [status], {status: headers}
    with Reader(store.folder) as reader:
        WebhookSender(Target.parse(receiver.url), timeout=5).send(reader.after(0, 1)[0])


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_statuses_that_acknowledge(store, receiver, status):
    one_answer(store, receiver, status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Later), (503, Later), (599, Later), (408, Later), (425, Later), (429, Later),
     (301, Held), (308, Held), (401, Held), (403, Held), (404, Held), (405, Held), (410, Held),
     (400, Refused), (409, Refused), (413, Refused), (415, Refused), (422, Refused)],
)  # fmt: skip
def test_statuses_that_do_not(store, receiver, status, kind):
    with pytest.raises(kind) as caught:
        one_answer(store, receiver, status)
    assert type(caught.value) is kind
    assert str(status) in str(caught.value)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("7", 7, 7), ("0", 1, 1), ("86400", 3600, 3600), ("soon", None, None), ("-3", None, None),
     (timedelta(minutes=30), 1500, 1800), (timedelta(days=-3), 1, 1)],
)  # fmt: skip
def test_retry_after_is_honoured_within_reason(store, receiver, header, least, most):
    if isinstance(header, timedelta):  # from now, not from when tests were gathered
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    with pytest.raises(Later) as caught:
        one_answer(store, receiver, 429, **{"Retry-After": header})
    if least is None:
        assert caught.value.after is None
    else:
        assert least <= caught.value.after <= most


def test_a_signature_that_the_receiver_can_check(store, receiver):
    fill(store, 1)
    delivered(store, receiver, [], 1, key="a key", authorization="Bearer a-token")
    _, headers, body = receiver.seen[0]
    assert headers[SIGNATURE] == "sha256=" + hmac.new(b"a key", body, hashlib.sha256).hexdigest()
    assert headers["Authorization"] == "Bearer a-token"


def test_closing_frees_a_post_that_hangs(store, receiver):
    fill(store, 1)
    receiver.script = ["hang"]
    sender = WebhookSender(Target.parse(receiver.url), timeout=60)
    said = []
    saying = Saying(sender.name, said.append)
    delivery = Delivery(store.folder, "webhook", sender, begin=BEGINNING, saying=saying)
    delivery.start()
    until(lambda: receiver.seen)
    delivery.close()
    assert not delivery._thread.is_alive()
    assert noted(store)[0] == 0
    assert [": no answer before the end; " in line for line in said] == [True]


def test_nobody_there(store):
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    fill(store, 1)
    sender = WebhookSender(Target.parse(f"http://127.0.0.1:{port}/"))
    with Reader(store.folder) as reader, pytest.raises(Later, match="nobody answers there"):
        sender.send(reader.after(0, 1)[0])


def test_what_speaks_no_http(store):
    server = socket.create_server(("127.0.0.1", 0))

    def babble():
        other, _ = server.accept()
        other.recv(65536)
        other.sendall(b"220 mail.example ESMTP\r\n")
        other.close()

    threading.Thread(target=babble, daemon=True).start()
    fill(store, 1)
    sender = WebhookSender(Target.parse(f"http://127.0.0.1:{server.getsockname()[1]}/"))
    with Reader(store.folder) as reader, pytest.raises(Later, match="cannot be understood"):
        sender.send(reader.after(0, 1)[0])
    server.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [("ftp://host/a", "expected an address"), ("host/a", "expected an address"), ("", "expected"),
     ("http://", "expected an address"), ("http://host:port/", "the port is none"),
     ("http://[::1/", "no address"), ("https://me:geheim@host/a", "--webhook-auth-file"),
     ("https://host/a b", "%-encoded"), ("https://host/ä", "%-encoded")],
)  # fmt: skip
def test_addresses_that_cannot_be(url, why):
    with pytest.raises(UsageError, match=why) as caught:
        Target.parse(url)
    assert "geheim" not in str(caught.value)


def test_an_address_is_told_without_its_secrets():
    target = Target.parse("https://[::1]/hook/geheim?token=geheim")
    assert str(target) == "https://[::1]:443"
    assert "geheim" not in repr(target)
    assert target.path == "/hook/geheim?token=geheim"
