"""From source to sinks, frame by frame, with an account of every frame."""

import math
import time
from collections.abc import Callable, Sequence

from corrosion_edge.device.capture.quality import Gate
from corrosion_edge.device.clock_watch import ClockSet
from corrosion_edge.device.fitting import Fitting
from corrosion_edge.device.judging import Classifies, Judging, Sole, View
from corrosion_edge.device.pulse import NoPulse, Pulse
from corrosion_edge.device.sinks import Result, Sink
from corrosion_edge.device.sources.source import WAIT_STEP, PhotoError, Source
from corrosion_edge.device.stop import Stop
from corrosion_edge.device.verdict import Tally, Unreadable, Unusable, Verdict
from corrosion_edge.errors import BackendAway, MisfitError, UsageError
from corrosion_edge.frame import Frame

__all__ = ["Pace", "Pipeline"]

_ROUNDING = 1e-6  # seconds; positions are sums of decimal fractions


class Pace:
    """The least time between two verdicts, ``interval`` in seconds, or what tells a camera's.

    It is asked once for each camera, when that has delivered a frame, as only then it is known
    what its driver does. UsageError for what is no such time.

    In a recording the recording's own time counts, and frames between are skipped. With a live
    source the clock on the wall counts, and frames between are skipped too. Everything else,
    pictures of a folder and the demonstration, waits its turn. Each of several cameras has an
    interval of its own.
    """

    def __init__(
        self,
        interval: float | Callable[[str], float],
        *,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._told = interval if callable(interval) else _always(_checked(interval))
        self._intervals: dict[str, float] = {}
        self._live = live
        self._clock = clock
        self._sleep = sleep
        self._last: dict[str, float] = {}

    def takes(self, frame: Frame) -> bool:
        """Whether the frame gets a verdict; returns when it is due."""
        if frame.camera not in self._intervals:
            self._intervals[frame.camera] = _checked(self._told(frame.camera))
        now = self._clock() if frame.position is None else frame.position
        early = self._too_early(frame.camera, now)
        if early > 0 and frame.position is None and not self._live:
            self._sleep(early)
            now, early = self._clock(), 0.0
        if early <= 0:
            self._last[frame.camera] = now
        return early <= 0

    def forget(self, frame: Frame) -> None:
        """The frame gave nothing after all: the camera's next one is due at once."""
        self._last.pop(frame.camera, None)

    def due_in(self, frame: Frame) -> float:
        """Seconds until a frame that was too early, of a camera and no recording, is taken."""
        return self._too_early(frame.camera, self._clock())

    def _too_early(self, camera: str, now: float) -> float:
        """Seconds until the next verdict is due; time that runs backwards starts anew."""
        last = self._last.get(camera)
        if last is None or now < last:
            return 0.0
        missing = last + self._intervals[camera] - now
        return missing if missing > _ROUNDING else 0.0


def _always(interval: float) -> Callable[[str], float]:
    return lambda camera: interval


def _checked(interval: float) -> float:
    if not (math.isfinite(interval) and interval >= 0):
        raise UsageError(f"interval: expected 0 seconds or more, got {interval}")
    return interval


class Pipeline:
    """Classifies the frames of a source and hands the verdicts to every sink.

    ``frames`` ends it after so many verdicts (None: when the source ends); ``interval`` is the
    least time between two verdicts, see ``Pace``; ``look`` turns a frame into what is judged of
    it, and what does not pass the ``gate`` gets no verdict. Where these differ by camera, or the
    model may change, a ``Judging`` stands in for classifier, look and gate. ``pulse`` is told of
    its progress. ``clock`` is asked at each frame, and while none comes, whether the clock was set.
    Raises UsageError for a value out of range.
    """

    def __init__(
        self,
        source: Source,
        classifier: Classifies | Judging,
        sinks: Sequence[Sink],
        *,
        frames: int | None = None,
        interval: float | Callable[[str], float] = 0.0,
        pace: Pace | None = None,
        look: Callable[[Frame], Frame] | None = None,
        gate: Gate | None = None,
        stop: Stop | None = None,
        pulse: Pulse | None = None,
        clock: Callable[[], ClockSet | None] = lambda: None,
    ) -> None:
        if frames is not None and frames < 1:
            raise UsageError(f"frames: expected 1 or more, got {frames}")
        self._source = source
        self._judging = (
            classifier
            if isinstance(classifier, Judging)
            else Sole(View(classifier, look=look, gate=gate))
        )
        self._sinks = sinks
        self._frames = frames
        self._pulse, self._clock = pulse or NoPulse(), clock
        self._pace = pace or Pace(interval, live=source.live, sleep=self._sleep)
        self._stop = stop or Stop()
        self._fitting = Fitting(source.name)
        self._classified = self._skipped = self._unreadable = self._unusable = self._away = 0
        source.on_wait = self._wait

    @property
    def tally(self) -> Tally:
        """What became of the frames so far; right also after an error or interrupt."""
        bad = self._unreadable, self._unusable
        delivered = self._classified + self._skipped + sum(bad)
        dropped = self._source.dropped + self._away
        return Tally(delivered, self._classified, self._skipped, dropped, *bad)

    def run(self) -> Tally:
        """Work until the source ends or ``frames`` verdicts are out.

        Errors of source, classifier and sinks pass through, as does KeyboardInterrupt; a picture
        that cannot be read, or does not fit what is judged of it, does not end it, but for a
        camera's first (UsageError), see ``Fitting``. While an accelerator is away, frames of a
        live source are dropped, or put back; any other source waits.
        """
        while self._frames is None or self._classified < self._frames:
            self._renew()
            try:
                frame = self._source.read()
            except PhotoError as error:
                self._report(error)
                continue
            if frame is None:
                break
            self._handle(frame)
            self._pulse.beat()
        return self.tally

    def _handle(self, frame: Frame) -> None:
        if not self._pace.takes(frame):
            self._skipped += not self._source.put_back(frame, self._pace.due_in(frame))
            return
        while (result := self._judged(frame)) is None:
            if self._source.live:
                self._away += not self._source.put_back(frame, WAIT_STEP)
                self._pace.forget(frame)
                return
            self._sleep(WAIT_STEP)
        if not isinstance(result, Unreadable):
            self._pulse.judged(result)

    def _judged(self, frame: Frame) -> Verdict | Unusable | Unreadable | None:
        """What came of a frame, told; None while the accelerator is away."""
        with self._stop.deferred():
            try:
                result = self._result(frame)
            except BackendAway as away:
                self._tell_news()
                self._pulse.away(str(away))
                return None
            self._tell_news()  # before the first verdict of whatever stands in
            self._write(result)
            self._classified += isinstance(result, Verdict)
            self._unusable += isinstance(result, Unusable)
            self._unreadable += isinstance(result, Unreadable)
            return result

    def _result(self, frame: Frame) -> Verdict | Unusable | Unreadable:
        view = self._judging.view(frame.camera)
        try:
            result = view.judge(frame)
        except MisfitError as misfit:
            return self._fitting.result(frame, misfit, awaited=view.awaited)
        self._fitting.fits(frame)
        return result

    def _renew(self) -> None:
        """Between two frames: here alone another model takes over."""
        with self._stop.deferred():
            if change := self._judging.renewed():
                self._write(change)
            self._tell_news()

    def _tell_news(self) -> None:
        if change := self._clock():
            self._write(change)
        while news := self._judging.news():
            self._write(news)

    def _wait(self) -> None:
        self._renew()
        self._pulse.waiting(self._source.name)

    def _sleep(self, seconds: float) -> None:
        """Wait on purpose, which counts as progress."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self._renew()
            self._pulse.beat()
            time.sleep(min(rest, WAIT_STEP))

    def _report(self, error: PhotoError) -> None:
        with self._stop.deferred():
            self._write(Unreadable(error.index, error.name, str(error), error.camera))
            self._unreadable += 1

    def _write(self, result: Result) -> None:
        for sink in self._sinks:
            sink.write(result)
