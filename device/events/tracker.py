"""One camera's story: pure logic from scores and states to changes, without a clock of its own."""

from dataclasses import dataclass

from corrosion_edge.device.capture.state import STATES
from corrosion_edge.device.events.event import Scene, Span
from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.smoothing import smoother
from corrosion_edge.device.events.spacing import Spacing
from corrosion_edge.device.events.stamp import Stamp

__all__ = ["Change", "Tracker"]


@dataclass(frozen=True, slots=True)
class Change:
    """The kind of event, when, why; of a detection also its frames and the peak's picture.

    Of ``unusable`` and ``usable``, ``scene`` is the frame that made it so.
    """

    kind: str
    at: Stamp
    reason: str = ""
    span: Span | None = None
    scene: Scene | None = None


class _Case:
    """A suspicion, or corrosion that began: from its first frame, with the peak so far."""

    def __init__(self, start: Stamp) -> None:
        self.start = self._last = start
        self._seconds = self._total = self._peak = 0.0
        self._frames = self._evidence = 0
        self.scene: Scene | None = None

    def see(self, at: Stamp, seconds: float) -> None:
        """Count a frame that came ``seconds`` after the one before."""
        self._seconds += seconds if self._frames else 0.0
        self._frames += 1
        self._last = at

    def count(self, score: float, scene: Scene | None) -> None:
        """The frame just seen is evidence."""
        self._total += score
        self._evidence += 1
        if self._evidence == 1 or score > self._peak:
            self._peak, self.scene = score, scene

    def span(self) -> Span:
        mean = min(self._total / self._evidence, self._peak)  # rounding may lift it above
        return Span(
            start=self.start, end=self._last, seconds=self._seconds, peak=self._peak,
            mean=mean, frames=self._frames, evidence=self._evidence,
        )  # fmt: skip


class Tracker:
    """Scores, unusable frames and camera states in; changes out.

    Corrosion that began goes on while nothing is seen: a covered lens removes no rust. It ends
    by evidence, by ``stop`` or with another model, and the reason says which.
    """

    def __init__(self, settings: Detection) -> None:
        self._settings = settings
        self._smoother = smoother(settings)
        self._case: _Case | None = None
        self._active = self._clean = False
        self._last: Stamp | None = None
        self._since_evidence, self._fresh = 0.0, True
        self._spacing, self._was_away = Spacing(), False
        self._state = "running"
        self._usable, self._other = True, 0

    def anew(self, settings: Detection) -> "Tracker":
        """One without evidence for the same camera: what became of that is as it was."""
        made = Tracker(settings)
        made._state, made._usable, made._other = self._state, self._usable, self._other
        made._spacing = self._spacing
        return made

    @property
    def active(self) -> bool:
        """Whether corrosion began and did not end."""
        return self._active

    @property
    def began(self) -> Stamp | None:
        """The start of the corrosion that goes on, as its event has it; None without one."""
        return self._case.start if self._active and self._case else None

    @property
    def corroded(self) -> bool | None:
        """``True`` from began to ended; ``False`` where the evidence since the last gap says clean.

        None where it does not say either, as at the start, or the pictures cannot be used.
        """
        if self._active:
            return True
        tells = self._clean and self._usable and self._since_evidence <= self._limit
        return False if tells else None

    def verdict(self, at: Stamp, score: float, scene: Scene | None = None) -> list[Change]:
        """Take a frame's score in [0, 1]."""
        seconds = self._tick(at)
        changes = self._seen_usable(True, at, "the picture can be used again", scene)
        if self._case:
            self._case.see(at, seconds)
        if self._settings.is_unsure(score):
            return changes
        if self._since_evidence > self._limit:
            self._forget()
        # A frame stands for the time just before it; what was unsure meanwhile stands for nothing.
        self._smoother.add(score, 0.0 if self._fresh else min(seconds, self._limit))
        self._since_evidence, self._fresh = 0.0, False
        self._suspect(at, score)
        if self._case:
            self._case.count(score, scene)
        return changes + self._judge(at)

    def unusable(self, at: Stamp, reason: str, scene: Scene | None = None) -> list[Change]:
        """Take a frame that shows nothing: dark, blurred, covered, unreadable."""
        seconds = self._tick(at)
        if self._case:
            self._case.see(at, seconds)
        return self._seen_usable(False, at, reason, scene)

    def camera_state(self, at: Stamp, state: str, reason: str = "") -> list[Change]:
        """Take what became of the camera, a key of ``STATES`` (ValueError)."""
        if state not in STATES:
            raise ValueError(f"state: expected one of {', '.join(STATES)}, got {state!r}")
        kind, before = STATES[state], STATES[self._state]
        if not kind or kind == before:
            return []
        self._state = state
        if state != "running":
            self._was_away = True
            self._forget()
        return [Change(kind, at, reason or state)]

    def stop(self, at: Stamp, reason: str) -> list[Change]:
        """End what is open; frames after it begin anew."""
        changes = [self._ended(at, reason)] if self._active else []
        self._forget()
        return changes

    @property
    def _limit(self) -> float:
        """Seconds without evidence after which what went before is forgotten."""
        return self._spacing.limit(self._settings.gap)

    def _tick(self, at: Stamp) -> float:
        """Seconds since the last frame; 0 where time ran backwards, as in a looped video."""
        last, self._last = self._last, at
        seconds = max(0.0, at.seconds - last.seconds) if last and last.boot == at.boot else 0.0
        if seconds and not self._was_away:
            self._spacing.see(seconds)
        self._was_away = False
        self._since_evidence += seconds
        return seconds

    def _forget(self) -> None:
        """Evidence from before a gap does not count; a case that is open stays open."""
        self._smoother.forget()
        self._clean = False
        self._since_evidence, self._fresh = 0.0, True
        if not self._active:
            self._case = None

    def _suspect(self, at: Stamp, score: float) -> None:
        if self._active:
            return
        if self._smoother.quiet:
            self._case = None
        elif self._case is None and score >= self._settings.enter:
            self._case = _Case(at)
            self._case.see(at, 0.0)

    def _judge(self, at: Stamp) -> list[Change]:
        opinion = self._smoother.opinion
        self._clean = opinion is False or (self._clean and opinion is None)
        if opinion is True and not self._active and self._case:
            self._active = True
            return [Change("corrosion_began", at, "", self._case.span(), self._case.scene)]
        if opinion is False and self._active:
            return [self._ended(at, "")]
        return []

    def _ended(self, at: Stamp, reason: str) -> Change:
        assert self._case is not None
        case, self._case, self._active = self._case, None, False
        return Change("corrosion_ended", at, reason, case.span(), case.scene)

    def _seen_usable(
        self, usable: bool, at: Stamp, reason: str, scene: Scene | None
    ) -> list[Change]:
        self._other = 0 if usable == self._usable else self._other + 1
        if self._other < self._settings.steady:
            return []
        self._usable, self._other = usable, 0
        return [Change("usable" if usable else "unusable", at, reason, scene=scene)]
