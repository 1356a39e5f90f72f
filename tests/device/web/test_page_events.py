"""All stored events by the page, a page at a time: in order, once each, none left out."""

import html
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrosion_edge.device.events.event import KINDS, Happening
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.store import Store
from corrosion_edge.device.store.store import Entry
from corrosion_edge.device.web.listing import PAGE, Listing
from corrosion_edge.device.web.stored import TITLES, Stored

NASTY = "<script>alert('1')</script>"


def fill(store, count, **fields):
    for _ in range(count):
        happened = Happening(kind="camera_lost", at=Stamp.now(), camera="deck", **fields)
        store.append(Entry(happened.to_dict()))


def numbers(listing):
    return [event["sequence"] for event in listing.events]


def asked(query):
    return {name: int(value) for name, value in [query.split("=")]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("store")) as store:
        fill(store, 60)
        yield store


def test_every_kind_of_event_has_a_title():
    assert set(TITLES) == set(KINDS)


@settings(max_examples=20, deadline=None)
@given(seen=st.integers(0, 60), stored=st.lists(st.integers(0, 2 * PAGE), max_size=3))
def test_whoever_was_away_gets_the_rest_in_order_once_each(store, seen, stored):
    """Also what is stored while they read."""
    shown, read, more = Stored(store.folder), [], list(stored)
    listing = Listing.of(shown, after=seen)
    while True:
        read += numbers(listing)
        if more:
            fill(store, more.pop())
        query = listing.newer or (f"after={read[-1]}" if read else f"after={seen}")
        following = Listing.of(shown, **asked(query))
        if not following.events:
            break
        listing = following
    assert read == list(range(seen + 1, shown.last() + 1))


@settings(max_examples=20, deadline=None)
@given(stored=st.lists(st.integers(0, PAGE), max_size=3))
def test_older_ones_down_to_the_first(store, stored):
    shown, more = Stored(store.folder), list(stored)
    newest = shown.last()
    listing = Listing.of(shown)
    read = numbers(listing)
    while listing.older:
        if more:
            fill(store, more.pop())
        listing = Listing.of(shown, **asked(listing.older))
        read += numbers(listing)
    assert read == list(range(newest, 0, -1))


@pytest.mark.parametrize("before", [2, 25, 30, 60])
def test_back_to_the_newer_ones_leaves_none_out(store, before):
    shown = Stored(store.folder)
    listing = Listing.of(shown, before=before)
    newer = Listing.of(shown, **asked(listing.newer))
    assert min(numbers(newer)) == before
    assert set(numbers(Listing.of(shown, **asked(newer.older)))) >= set(numbers(listing))


def test_a_page_of_events_without_a_script(serve, tmp_path):
    with Store(tmp_path / "ev") as store:
        fill(store, PAGE + 6, reason=NASTY)
        served = serve(store=tmp_path / "ev")
        newest = served.ask("/events").content.decode()
        older = served.ask("/events?before=7").content.decode()
        behind = served.ask("/events?after=27").content.decode()
    assert f"Numbers 7 to {PAGE + 6} of {PAGE + 6}, newest first" in newest
    assert NASTY not in newest
    assert html.escape(NASTY, quote=False).split("'")[0] in newest
    assert 'href="/events?before=7"' in newest
    assert "Newer" not in newest
    assert re.findall(r'data-number="(\d+)"', older) == ["6", "5", "4", "3", "2", "1"]
    assert re.findall(r'data-number="(\d+)"', behind) == ["28", "29", "30"]
    assert "That was the newest" in behind


def test_without_events_or_without_a_store_the_page_says_so(serve, tmp_path):
    assert "Events are not stored" in serve().ask("/events").content.decode()
    with Store(tmp_path / "ev"):
        served = serve(store=tmp_path / "ev")
        assert "No events here" in served.ask("/events").content.decode()
    for file in (tmp_path / "ev").glob("events.sqlite*"):
        file.write_bytes(b"no database" * 100)
    assert "The store cannot be read now" in served.ask("/events").content.decode()


@pytest.mark.parametrize("path", ["/events", "/api/events"])
def test_a_place_that_is_none(serve, path):
    served = serve()
    for query in ("after=-1", "before=x", "after=1e9", "before=", "after=1&before=9"):
        answer = served.ask(f"{path}?{query}")
        assert answer.status == 400, query
        assert b"expected" in answer.content
    assert served.ask(f"{path}?before=9999999999999999").status == 200


def test_another_store_is_told_by_its_chain(serve, tmp_path):
    chains = []
    for name in ("one", "two"):
        with Store(tmp_path / name) as store:
            served = serve(store=tmp_path / name)
            assert json.loads(served.ask("/api/events").content)["chain"] is None
            fill(store, 3)
            told = json.loads(served.ask("/api/events?before=3&count=1").content)
            assert [event["sequence"] for event in told["events"]] == [2]
            assert told["last"] == 3
            assert told["chain"] == json.loads(served.ask("/api/state").content)["chain"]
            fill(store, 3)
            assert json.loads(served.ask("/api/events").content)["chain"] == told["chain"]
        chains.append(told["chain"])
    assert chains[0] != chains[1]
