"""Lets things go wrong one after the other, and keeps an eye on what becomes of each."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.benchmarks.soak.faults import KINDS, Kind, Target
from corrosion_edge.benchmarks.soak.watched import Stored

__all__ = ["RECOVER_WITHIN", "Director", "Trial"]

RECOVER_WITHIN: Final = 150.0
"""Seconds from a fault's end: the longest pause of ``capture.Backoff`` (72 s), an opening that
takes as long as it may (20 s), and some for a slow machine."""


@dataclass(slots=True)
class Trial:
    """A fault under way; times of one clock, None for what did not happen yet."""

    name: str
    target: Target
    began: float
    seconds: float
    over: float | None = None
    seen: float | None = None
    back: float | None = None

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[self.name]

    def hear(self, event: Stored) -> None:
        """Take an event that was stored."""
        if event.camera != self.target.camera or event.at < self.began:
            return
        if event.kind in self.kind.signs:
            self.seen = self.seen or event.at
            self.back = None
        elif event.kind == self.kind.back:
            self.back = event.at

    def outcome(self, now: float) -> str:
        """``recovered``, ``unnoticed``, ``not recovered``; '' while that is open."""
        if self.over is None:
            return ""
        noticed = self.seen is not None or not self.kind.signs
        if noticed and (self.back is not None or not self.kind.back):
            return "recovered"
        if now < self.over + RECOVER_WITHIN:
            return ""
        return "not recovered" if noticed else "unnoticed"

    def to_dict(self) -> dict[str, Any]:
        """What is recorded; ``noticed_s`` from its beginning, ``back_s`` from its end on."""
        over = self.began if self.over is None else self.over
        back = over if self.back is None else max(over, self.back)
        noticed = None if self.seen is None else round(self.seen - self.began, 2)
        lasted = round(over - self.began, 2)
        return {"what": self.name, "target": self.target.name, "lasted_s": lasted,
                "noticed_s": noticed, "back_s": round(back - over, 2)}  # fmt: skip


class Director:
    """Begins a fault each ``interval`` seconds, varied by half, one at a time and target.

    The kinds come in random order, each as often as the others. ``hung`` and ``frozen`` are the
    watch's patience in seconds. ``tell(kind, fields)`` is told of each fault's beginning
    (``injected``) and of what became of it (``fault``). Kinds that are not among ``only`` are left
    out, () for all.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        interval: float,
        hung: float,
        frozen: float,
        seed: int,
        tell: Callable[[str, dict[str, Any]], None],
        start: float,
        only: Collection[str] = (),
    ) -> None:
        self._only = only or KINDS
        self._targets, self._interval, self._tell = targets, interval, tell
        self._units = {"hung": hung, "frozen": frozen, "seconds": 1.0}
        self._draw = random.Random(seed)
        self._bag: list[tuple[Target, str]] = []
        self._open: list[Trial] = []
        self._free: dict[str, float] = {}
        self._next = start + interval * self._draw.uniform(0, 0.5)

    @property
    def open(self) -> int:
        """How many faults are under way, or not recovered from."""
        return len(self._open)

    def step(self, now: float, stored: Sequence[Stored], *, more: bool) -> None:
        """Take what was stored, end what is due, and begin another fault if ``more`` are wanted."""
        for trial in tuple(self._open):
            for event in stored:
                trial.hear(event)
            if trial.over is None and now >= trial.began + trial.seconds:
                trial.target.end(trial.name)
                trial.over = now
            self._settle(trial, now)
        if more and now >= self._next:
            self._begin(now)

    def end(self) -> None:
        """Let everything be well again, whatever became of it."""
        for trial in self._open:
            if trial.over is None:
                trial.target.end(trial.name)

    def _settle(self, trial: Trial, now: float) -> None:
        if outcome := trial.outcome(now):
            self._open.remove(trial)
            self._free[trial.target.name] = now + trial.target.rest
            self._tell("fault", {**trial.to_dict(), "outcome": outcome})

    def _begin(self, now: float) -> None:
        busy = {trial.target.name for trial in self._open}
        busy |= {name for name, at in self._free.items() if at > now}
        if not (drawn := self._drawn(busy)):
            return
        target, name = drawn
        kind = KINDS[name]
        seconds = self._units[kind.unit] * self._draw.uniform(kind.least, kind.most)
        target.begin(name, seconds)
        self._open.append(Trial(name, target, now, seconds))
        self._next = now + self._interval * self._draw.uniform(0.5, 1.5)
        fields = {"what": name, "target": target.name, "planned_s": round(seconds, 2)}
        self._tell("injected", fields)

    def _drawn(self, busy: set[str]) -> tuple[Target, str] | None:
        """The next of the bag whose target is free; all are in it once, then once more."""
        for refilled in (False, True):
            if refilled:
                fresh = [(target, kind) for target in self._targets for kind in target.kinds
                         if kind in self._only]  # fmt: skip
                self._draw.shuffle(fresh)
                self._bag += fresh
            for pair in self._bag:
                if pair[0].name not in busy:
                    self._bag.remove(pair)
                    return pair
        return None
