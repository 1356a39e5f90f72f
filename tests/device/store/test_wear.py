"""What a watch writes to its disk keeps to the budget that docs/events.md states."""

import re
from pathlib import Path

import pytest
from days import wear
from test_power_cut import needs_disks

EVENTS = Path(__file__).parents[3] / "docs" / "events.md"


def budget():
    """Bytes a day and camera, as the page says."""
    (stated,) = re.findall(r"Budget: (\d+) MB a day and camera", EVENTS.read_text())
    return 1e6 * int(stated)


def test_the_budget_is_stated():
    assert budget() == 10e6


@pytest.mark.slow
@needs_disks
def test_a_day_of_a_frame_a_second_keeps_to_the_budget():
    found = wear(1)
    assert found["events"] >= 8
    assert found["process"] < found["device"] < budget()
