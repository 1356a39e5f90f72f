"""Who comes first at the interpreter: whoever had least of its time of late."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corrosion_edge.device.capture.shares import MEMORY, Shares


class Rig:
    """Cameras with pictures of different cost, in a time of its own."""

    def __init__(self, **cost):
        self.now = 0.0
        self.cost = cost
        self.had = dict.fromkeys(cost, 0.0)
        self.shares = Shares(tuple(cost), lambda: self.now)

    def work(self, seconds, waiting=None):
        """Let those that wait, all the time, be judged for so long."""
        end, seen = self.now + seconds, []
        while self.now < end:
            name = next(n for n in self.shares.order() if n in (waiting or self.cost))
            self.shares.begin(name)
            self.now += self.cost[name]
            self.had[name] += self.cost[name]
            self.shares.end()
            seen.append(name)
        return seen


def test_those_that_cost_as_much_take_turns_strictly():
    rig = Rig(a=0.125, b=0.125, c=0.125)
    assert rig.work(1.0) == list("abcabcab")


@pytest.mark.parametrize(("tiles", "plain"), [(3.0, 0.05), (0.5, 0.12), (1.0, 1.0)])
def test_the_time_is_shared_and_not_the_turns(tiles, plain):
    rig = Rig(tiled=tiles, plain=plain)
    rig.work(300)
    assert 0.6 < rig.had["plain"] / rig.had["tiled"] < 1.6


def test_one_that_was_away_catches_up_for_no_longer_than_a_few_seconds():
    rig = Rig(here=0.1, away=0.1)
    rig.work(600, waiting=["here"])
    seen = rig.work(10)
    alone = seen.index("here")
    assert 0 < alone * 0.1 <= MEMORY * math.log(2) + 0.2
    assert abs(seen[alone:].count("here") - seen[alone:].count("away")) <= 2


@settings(deadline=None)
@given(st.lists(st.floats(0.05, 3), min_size=2, max_size=5))
@example([3, 3, 3, 3, 0.05])
@example([2, 2, 2, 3, 0.1484375])
def test_none_that_waits_is_kept_from_it(costs):
    """Least has one that costs little beside many whose pictures last as long as what it had is
    remembered: a third of an equal part."""
    rig = Rig(**dict(zip("abcde", costs, strict=False)))
    rig.work(120)
    equal = 120 / len(costs)
    assert equal / 4 < min(rig.had.values())
    assert max(rig.had.values()) < 2 * equal
