"""Sustained runs on the page: curves over minutes, and what could not be read."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from latency_samples import make_report, make_second, make_sustained

from corrosion_edge.benchmarks.endurance import NOT_MEASURED
from corrosion_edge.benchmarks.page import html
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.sustained_page import _round_top, _throttled, _ticks


def test_the_page_draws_what_was_measured_and_names_what_was_not():
    seconds = [
        make_second(1.0 + n, frequency_mhz=UNAVAILABLE, watts=NOT_MEASURED) for n in range(500)
    ]
    page = html(make_report(sustained=(make_sustained(seconds=tuple(seconds)),)))
    assert "Temperature (°C) over the run" in page
    assert "Clock (GHz) over the run" not in page
    assert "energy per frame" not in page
    assert "Clock: unavailable; Power: not measured" in page


def test_flags_that_cannot_be_read_are_named_beside():
    unknown = {"throttled": UNAVAILABLE, "under_voltage": UNAVAILABLE, "swapped_pages": UNAVAILABLE}
    seconds = tuple(make_second(1.0 + n, temperature_c=UNAVAILABLE, **unknown) for n in range(9))
    page = html(make_report(sustained=(make_sustained(seconds=seconds),)))
    told = "Throttling: unavailable; Under-voltage: unavailable; Swapped pages: unavailable"
    assert f"Temperature: unavailable; {told}" in page
    assert "Throttling: " not in html(make_report(sustained=(make_sustained(),)))


@pytest.mark.parametrize(
    ("lasted", "names"),
    [
        (12.3, ["0", "0.05", "0.1", "0.15", "0.2 min"]),
        (60.4, ["0", "0.2", "0.4", "0.6", "0.8", "1 min"]),
        (600.2, ["0", "2", "4", "6", "8", "10 min"]),
        (3601.0, ["0", "20", "40", "60 min"]),
    ],
)
def test_an_axis_counts_minutes_from_the_start(lasted, names):
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    found = _ticks(began, lasted)
    assert [name for _, name in found] == names
    assert found[0][0] == began
    assert found[-1][0] <= began + timedelta(seconds=lasted)


def test_the_last_label_is_not_cut_off():
    """Ten minutes, whose last label stands at the right edge."""
    seconds = tuple(make_second(1.0 + n) for n in range(600))
    page = html(make_report(sustained=(make_sustained(seconds=seconds, minutes=10.0),)))
    drawn = [
        base64.b64decode(x).decode()
        for x in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    ]
    labels = [re.findall(r'<text x="([\d.]+)" y="238" text-anchor="(\w+)">([^<]+)<', one)
              for one in drawn if "Frame path (ms)" in one]  # fmt: skip
    assert [name for _, _, name in labels[0]] == ["0", "2", "4", "6", "8", "10 min"]
    x, anchor, _ = labels[0][-1]
    assert (anchor, float(x) <= 500) == ("end", True)


def test_seconds_of_throttling_in_a_row_are_one_stretch_on_the_page():
    seconds = [make_second(1.0 + n, throttled="0x4" if n in (3, 4, 5, 9) else "0x50000")
               for n in range(12)]  # fmt: skip
    run = make_sustained(seconds=tuple(seconds))
    began = datetime.fromisoformat(run.started_at)
    found = [((b.start - began).seconds, (b.end - began).seconds) for b in _throttled(run, began)]
    assert found == [(3, 6), (9, 10)]
    low = [replace(s, throttled=UNAVAILABLE, under_voltage="yes" if n == 4 else "no")
           for n, s in enumerate(seconds)]  # fmt: skip
    (band,) = _throttled(replace(run, seconds=tuple(low)), began)
    assert ((band.start - began).seconds, (band.end - began).seconds) == (4, 5)


@pytest.mark.parametrize(
    ("highest", "top"), [(83, 100), (20, 20), (21, 24), (1.5, 1.6), (0.31, 0.32), (0.0, 0.1)]
)
def test_an_axis_ends_a_little_above_its_curve(highest, top):
    assert _round_top(highest) == pytest.approx(top)
