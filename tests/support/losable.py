"""An accelerator that is lost and found again when a test says so, without one and without time."""

from contextlib import suppress

import numpy as np

from corrosion_edge.device.accelerator.probe import Outcome
from corrosion_edge.device.accelerator.recovering import Recovering
from corrosion_edge.device.backends.fake import FakeBackend
from corrosion_edge.device.capture import Backoff
from corrosion_edge.errors import BackendAway

__all__ = ["PIXELS", "WORKS", "Losable", "Named"]

PIXELS = np.zeros((1, 224, 224, 3), np.uint8)
WORKS = Outcome(True, "it works")


class Named(FakeBackend):
    def __init__(self, name, fails_at=()):
        super().__init__(fails_at=frozenset(fails_at))
        self.name = name


class Try:
    """A try whose outcome comes when the test says so."""

    def __init__(self, again):
        self.again = again
        self.outcome = None
        self.closed = False

    def poll(self):
        return self.outcome

    def close(self):
        self.closed = True


class Losable:
    """A recovering backend with a clock, tries and re-openings that the test drives."""

    def __init__(self, first, spare=None):
        self.now = 0.0
        self.tries, self.opened = [], []
        self.next = lambda: Named("tpu")
        self.backend = Recovering(
            "Edge TPU", first, reopen=self.reopen, probe=self.probe, spare=spare,
            backoff=Backoff(1.0, 60.0, jitter=0.0), clock=lambda: self.now,
        )  # fmt: skip

    def probe(self, again):
        self.tries.append(Try(again))
        return self.tries[-1]

    def reopen(self):
        self.opened.append(self.next())
        return self.opened[-1]

    def run(self):
        return self.backend.run(PIXELS)

    def news(self):
        return [(state.state, state.reason) for state in iter(self.backend.news, None)]

    def later(self, seconds, outcome=None):
        """Time passes, so that a try begins; and ends, with an outcome."""
        self.now += seconds
        begun = len(self.tries)
        self.poke()
        if outcome is not None:
            assert len(self.tries) == begun + 1, "no try was due"
            self.tries[-1].outcome = outcome
            self.poke()

    def poke(self):
        with suppress(BackendAway):
            self.run()

    def lose(self):
        """Let it fail at its next call; the states that follow."""
        active = self.backend._active
        active._fails_at = frozenset({len(active.history)})
        self.poke()
        return self.states()

    def come_back(self):
        """Let the next try succeed; the states that follow."""
        self.later(60.0, WORKS)
        return self.states()

    def states(self):
        return list(iter(self.backend.news, None))
