"""Faults that are quick to inject, once each; ``fault_table.py`` injects all of them, often."""

from random import Random

import fault_table
import pytest
from injecting import Found, Row

NAMES = ("clock_stepped_back", "clock_back_and_right_again", "second_watch", "full_at_the_start",
         "deadly_photo")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_loses_nothing_and_is_told(tmp_path, name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(fault_table.CHECKOUT))
    row = fault_table.injected(name, tmp_path, 1, Random(3))
    (found,) = row.found
    assert found.lost == 0
    assert found.told


def test_a_line_has_how_often_how_long_and_what_was_lost():
    row = Row("gone", [Found(1.0, "x", 2), Found(2.0, "y"), Found(9.0, "x")])
    assert str(row) == "gone: 3 times, back after 2.0 s (median), 9.0 s (most), 2 lost; x | y"
