import base64
import re
from dataclasses import fields
from html.parser import HTMLParser
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from corrosion_edge.report import Figure, Page, Section, Table, Text, render

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>'
NASTY = "<script>alert(1)</script> & \"q\" 'a' {{ 7*7 }}"


def png() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (3, 2), "red").save(stream, "PNG")
    return stream.getvalue()


def page(*blocks):
    return Page("A title", "its subtitle", [Section("One", list(blocks))])


class Seen(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


FULL = page(
    Text("hello"),
    Text("beware", "warning"),
    Table(("name", "value"), [("a", 1.23456), ("b", 2)], "numbers"),
    Figure(png(), "a png", "red"),
    Figure(SVG, "an svg", "empty"),
)


def test_everything_given_is_there():
    seen = Seen(render(FULL))
    for text in ("A title", "its subtitle", "One", "hello", "beware", "numbers", "1.235", "a png"):
        assert text in seen.text
    assert sum(tag == "img" for tag, _ in seen.tags) == 2


def test_a_page_fetches_nothing_and_runs_nothing():
    document = render(FULL)
    seen = Seen(document)
    for tag, attributes in seen.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "srcset", "data", "action"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "http" not in re.sub(r'http-equiv="|base64,[^"]+', "", document)
    assert "url(" not in document
    assert "@import" not in document


def test_pictures_are_inside():
    sources = [attributes["src"] for tag, attributes in Seen(render(FULL)).tags if tag == "img"]
    kinds, data = zip(*(source.split(";base64,") for source in sources), strict=True)
    assert kinds == ("data:image/png", "data:image/svg+xml")
    assert base64.b64decode(data[0]) == png()
    assert base64.b64decode(data[1]).decode() == SVG


PLACES = ("title", "subtitle", "section", "text", "cell", "head", "caption", "alt")


@pytest.mark.parametrize("place", PLACES)
def test_every_text_is_escaped(place):
    put = dict.fromkeys(PLACES, "x")
    put[place] = NASTY
    blocks = [
        Text(put["text"]),
        Table((put["head"],), [(put["cell"],)], put["caption"]),
        Figure(SVG, put["caption"], put["alt"]),
    ]
    document = render(Page(put["title"], put["subtitle"], [Section(put["section"], blocks)]))
    assert "<script" not in document
    seen = Seen(document)
    assert NASTY in seen.text or any(NASTY in attributes.values() for _, attributes in seen.tags)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_cell_comes_back_as_it_was(text):
    assert text in Seen(render(page(Table(("x",), [(text,)])))).text


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ([1, 2.5], "number"),
        (["1.20 ms", "12.0 ms"], "number"),
        (["98.1 %", "–"], "number"),
        (["-3", "+4", "≤ 5"], "number"),
        (["unavailable", "unavailable"], "short"),
        (["1 ms", "steel"], "short"),
        (["3 of 4"], "short"),
        (["x" * 25], "long"),
        ([], "short"),
    ],
)
def test_columns_of_numbers_are_recognised(column, kind):
    assert Table(("x",), [(cell,) for cell in column]).kinds == (kind,)


def test_numbers_are_aligned_to_the_right():
    document = render(page(Table(("name", "value"), [("a", "1.0 ms")])))
    assert '<td class="number">1.0 ms</td>' in document
    assert '<th scope="col" class="number">value</th>' in document
    assert re.search(r"td\.number \{[^}]*text-align: right", document)


@pytest.mark.parametrize(("columns", "dense"), [(9, False), (10, True)])
def test_tables_of_many_columns_are_set_smaller(columns, dense):
    head = tuple(f"column {n}" for n in range(columns))
    seen = Seen(render(page(Table(head, [tuple(range(columns))]))))
    (attributes,) = (attributes for tag, attributes in seen.tags if tag == "table")
    assert (attributes.get("class") == "dense") is dense


def test_light_dark_phone_and_print_have_rules():
    document = render(FULL)
    assert "prefers-color-scheme: dark" in document
    assert "@media print" in document
    assert 'name="viewport"' in document


def test_rows_must_fit_the_head():
    with pytest.raises(ValueError, match="expected 2 cells, got 1"):
        Table(("a", "b"), [("x",)])


@pytest.mark.parametrize("image", [b"GIF89a", b"", "<html>", ""])
def test_only_png_and_svg_are_pictures(image):
    with pytest.raises(ValueError, match="PNG"):
        Figure(image, "c", "a")


def test_an_unknown_tone_is_refused():
    with pytest.raises(ValueError, match="tone"):
        Text("x", "loud")


def test_the_blocks_are_frozen():
    for block in FULL.sections[0].blocks:
        with pytest.raises(AttributeError):
            setattr(block, fields(block)[0].name, "other")
