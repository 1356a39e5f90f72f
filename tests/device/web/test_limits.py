"""Addresses, tokens and limits."""

import socket

import pytest

from corrosion_edge.device.web.address import Address, is_loopback, require_safe
from corrosion_edge.device.web.limits import Busy, Rate, Slots, client_of
from corrosion_edge.device.web.token import SESSION, Token, read_token
from corrosion_edge.errors import KeyFileError, OutputError, UsageError


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [("127.0.0.1:8080", "127.0.0.1", 8080, True), ("[::1]:1", "::1", 1, True),
     ("localhost:0", "localhost", 0, True), (":80", "0.0.0.0", 80, False),
     ("0.0.0.0:80", "0.0.0.0", 80, False), ("[::]:80", "::", 80, False),
     ("127.0.0.1.evil.com:80", "127.0.0.1.evil.com", 80, False), ("pi:80", "pi", 80, False)],
)  # fmt: skip
def test_addresses(text, host, port, loopback):
    address = Address.parse(text)
    assert (address.host, address.port, address.loopback) == (host, port, loopback)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize("text", ["8080", "a:b", "a:99999", "::1:80", "http://a:1", "a/b:1", ""])
def test_no_addresses(text):
    with pytest.raises(ValueError, match=r"expected HOST:PORT such as 127\.0\.0\.1:8080"):
        Address.parse(text)


def test_a_network_needs_a_token():
    with pytest.raises(UsageError, match="--web-token-file FILE"):
        require_safe(Address("0.0.0.0", 80), False, "--web")
    require_safe(Address("0.0.0.0", 80), True, "--web")
    require_safe(Address("::1", 80), False, "--web")


def test_a_port_in_use_is_an_error_that_names_the_option():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match=r"--web 127.0.0.1:\d+: .*Address already in use"):
            Address("127.0.0.1", taken.getsockname()[1]).listen("--web")


def test_an_address_of_another_machine():
    with pytest.raises(OutputError, match=r"--metrics 192\.0\.2\.1:80"):
        Address("192.0.2.1", 80).listen("--metrics")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.9.9.9", "::1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.fixture
def token_file(tmp_path):
    def written(content, mode=0o600):
        path = tmp_path / "token"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return written


def test_a_token(token_file):
    assert read_token(token_file(b"  0123456789abcdef\n")) == "0123456789abcdef"


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [(b"0123456789abcdef", 0o640, "run: chmod 600"), (b"0123456789abcdef", 0o604, "chmod 600"),
     (b"short", 0o600, "16 characters or more"), (b"two words of some length", 0o600, "one word"),
     ("0123456789abcdefü".encode(), 0o600, "ASCII"), (b"", 0o600, "one word")],
)  # fmt: skip
def test_no_tokens(token_file, content, mode, told):
    file = token_file(content, mode)
    with pytest.raises(KeyFileError) as error:
        read_token(file)
    said = str(error.value).replace(str(file), "FILE")
    assert told in said
    assert "0123456789" not in said


def test_a_missing_token_file(tmp_path):
    with pytest.raises(KeyFileError, match="No such file"):
        read_token(tmp_path / "none")


def test_sessions(clock):
    token = Token("0123456789abcdef", clock)
    assert token.matches("0123456789abcdef")
    assert not token.matches("0123456789abcdeg")
    assert not token.matches("ü")
    session = token.session()
    assert token.knows(session)
    assert not Token("0123456789abcdeg", clock).knows(session)
    for wrong in ("", ".", "..", session[:-1], session.replace("6", "7", 1), f"9{session}"):
        assert not token.knows(wrong)
    clock.now += SESSION + 1
    assert not token.knows(session)


def test_a_rate(clock):
    rate = Rate(2, 0.5, clock)
    rate.take("a")
    rate.take("a")
    with pytest.raises(Busy) as busy:
        rate.take("a")
    assert busy.value.seconds == 2
    rate.take("b")
    clock.now += 2
    rate.take("a")


def test_a_rate_forgets_the_quiet_ones(clock):
    rate = Rate(1, 1, clock)
    for number in range(5000):
        rate.take(str(number))
    assert len(rate) == 1024


def test_slots():
    slots = Slots(2, 3)
    with slots.held("a"), slots.held("a"):
        with pytest.raises(Busy), slots.held("a"):
            raise AssertionError
        with slots.held("b"):
            assert slots.taken == 3
            with pytest.raises(Busy), slots.held("c"):
                raise AssertionError
    assert slots.taken == 0
    assert slots.most == 3


def test_clients():
    assert client_of("192.0.2.7") == "192.0.2.7"
    assert client_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert client_of("2001:db8::1") == client_of("2001:db8::2:3") != client_of("2001:db8:1::1")
    assert client_of("a socket") == "a socket"
