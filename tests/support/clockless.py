"""A device without a clock of its own, whose true time the test knows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from corrosion_edge.device.clock_watch import ClockWatch
from corrosion_edge.device.events.event import Happening, Span
from corrosion_edge.device.events.stamp import Stamp

TRUE = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROUNDING = timedelta(microseconds=2)  # of monotonic_s, and of the wall clock itself
DAY = 86400.0

__all__ = ["DAY", "ROUNDING", "TRUE", "Machine"]


@dataclass
class Machine:
    """A device whose wall clock is wrong by ``error`` seconds; its events, and the true times."""

    boot: int = 0
    age: float = 0.0
    booted: float = 0.0
    error: float = 0.0
    is_set: bool | None = False
    rows: list = field(default_factory=list)
    truth: list = field(default_factory=list)

    def __post_init__(self):
        self.watch = ClockWatch(self.now, lambda: self.is_set)

    def true(self, age=None):
        return TRUE + timedelta(seconds=self.booted + (self.age if age is None else age))

    def now(self):
        wall = self.true() + timedelta(seconds=self.error)
        return Stamp(wall, self.age, f"boot-{self.boot}")

    def put(self, kind="camera_lost", began=None, recording=False):
        at = self.now()
        if recording:
            at = Stamp(at.wall, self.age / 7, at.boot, recording=True)
        span = began and Span(start=began, end=at, seconds=self.age - began.seconds, peak=0.9,
                              mean=0.8, frames=2, evidence=1)  # fmt: skip
        self.rows.append(Happening(kind=kind, at=at, span=span, clock_set=self.is_set).to_dict())
        self.truth.append(self.true())

    def look(self):
        if self.watch.news():
            self.put("clock_set")

    def process(self):
        self.watch = ClockWatch(self.now, lambda: self.is_set)
        self.put("started")

    def reboot(self, error):
        self.booted += self.age + 60
        self.boot, self.age, self.error, self.is_set = self.boot + 1, 0.0, error, False
        self.process()

    def set(self):
        """The clock is set, which the watch notices."""
        self.error, self.is_set = 0.0, True
        self.look()
