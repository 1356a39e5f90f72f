"""The metrics for Prometheus, made when they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from corrosion_edge.device import heap
from corrosion_edge.device.accelerator.runs_on import BACKENDS, RunsOn
from corrosion_edge.device.firmware import THROTTLE_FLAGS
from corrosion_edge.device.web.live import Status
from corrosion_edge.device.web.view import View
from corrosion_edge.device.web.waiting import Waiting

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_P: Final = "corrosion_edge"


class Metrics:
    """A registry of its own; names after https://prometheus.io/docs/practices/naming."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """All metrics in the text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Names are not known before; nothing is registered beside."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client.registry.Collector``."""
        live = self._view.live
        cameras = [live.status(name) for name in live.cameras]
        yield from self._running()
        yield from self._frames(cameras)
        yield from _corrosion(cameras)
        yield from _scores(cameras)
        yield from _camera_states(cameras)
        yield from _deliveries(self._view.deliveries())
        yield from self._machine()
        yield from _heap()

    def _running(self) -> Iterator[Metric]:
        about = {name: str(value) for name, value in self._view.about().items()
                 if name not in ("threshold", "band")}  # fmt: skip
        yield InfoMetricFamily(f"{_P}_build", "What runs: version, model, its hash, backend", about)
        threshold = self._view.classifier.threshold
        yield GaugeMetricFamily(f"{_P}_threshold", "Score from which it is corrosion", threshold)
        healthy = not self._view.trouble()
        yield GaugeMetricFamily(f"{_P}_healthy", "1 while frames are judged", healthy)
        yield from _accelerator(self._view.runs_on)
        stored = self._view.stored.last()
        if stored is not None:
            yield CounterMetricFamily(f"{_P}_events_stored", "Events in the store's chain", stored)

    def _frames(self, cameras: Iterable[Status]) -> Iterator[Metric]:
        frames = CounterMetricFamily(f"{_P}_frames", "Frames that were looked at, by outcome",
                                     labels=("camera", "outcome"))  # fmt: skip
        dropped = CounterMetricFamily(f"{_P}_frames_dropped", "Frames that nobody took in time",
                                      labels=("camera",))  # fmt: skip
        latency = HistogramMetricFamily(f"{_P}_latency_seconds", "Preparing, running and decoding",
                                        labels=("camera",))  # fmt: skip
        for status in cameras:
            for outcome, count in status.outcomes.items():
                frames.add_metric((status.name, outcome.replace("-", "_")), count)
            dropped.add_metric((status.name,), self._view.dropped(status.name))
            latency.add_metric((status.name,), list(status.buckets), status.latency_sum)
        yield from (frames, dropped, latency)

    def _machine(self) -> Iterator[Metric]:
        health = self._view.machine.look()
        yield GaugeMetricFamily(f"{_P}_disk_free_bytes", "Where results go", health.disk_free)
        if health.temperature is not None:
            yield GaugeMetricFamily(f"{_P}_temperature_celsius", "Hottest zone", health.temperature)
        if health.clock_set is not None:
            yield GaugeMetricFamily(f"{_P}_clock_synchronised", "1 if it is", health.clock_set)
        if health.throttled is not None:
            flags = GaugeMetricFamily(f"{_P}_throttled", "1 if the firmware says so",
                                      labels=("reason",))  # fmt: skip
            for words in THROTTLE_FLAGS.values():
                flags.add_metric((words,), words in health.throttle_reasons)
            yield flags


def _accelerator(runs: RunsOn) -> Iterator[Metric]:
    """Where verdicts come from; of an accelerator only where one is used."""
    backend = GaugeMetricFamily(f"{_P}_backend", "1 for what judges now", labels=("backend",))
    for each in BACKENDS:
        backend.add_metric((each,), each == runs.backend)
    yield backend
    if runs.accelerator:
        yield GaugeMetricFamily(f"{_P}_accelerator_up", "1 while it answers", runs.up)
        failed = runs.failures
        yield CounterMetricFamily(f"{_P}_accelerator_failures", "Times it failed", failed)


def _deliveries(consumers: Sequence[Waiting]) -> Iterator[Metric]:
    """What waits for brokers and webhooks; what fails is told in words on the page."""
    waiting = GaugeMetricFamily(f"{_P}_delivery_waiting_events", "Stored and not yet delivered",
                                labels=("consumer",))  # fmt: skip
    since = GaugeMetricFamily(f"{_P}_delivery_waiting_since_timestamp_seconds",
                              "When the first event that waits happened",
                              labels=("consumer",))  # fmt: skip
    failing = GaugeMetricFamily(f"{_P}_delivery_failing", "1 while tries fail",
                                labels=("consumer",))  # fmt: skip
    for each in consumers:
        if each.count is not None:
            waiting.add_metric((each.backlog.consumer,), each.count)
        if each.since is not None:
            since.add_metric((each.backlog.consumer,), each.since.timestamp())
        failing.add_metric((each.backlog.consumer,), bool(each.backlog.error))
    yield from (waiting, since, failing)


def _heap() -> Iterator[Metric]:
    """What the process was given and has not freed: a leak shows here before it does elsewhere."""
    if (found := heap.look()) is not None:
        sizes = GaugeMetricFamily(f"{_P}_heap_bytes", "The C library's heap", labels=("state",))
        for state in ("used", "free", "mapped"):
            sizes.add_metric((state,), getattr(found, state))
        yield sizes


def _corrosion(cameras: Iterable[Status]) -> Iterator[Metric]:
    """Smoothed, as the events are; nothing where nobody can tell."""
    there = GaugeMetricFamily(f"{_P}_corrosion", "1 from corrosion_began to corrosion_ended, 0 "
                              "where it is clean", labels=("camera",))  # fmt: skip
    began = GaugeMetricFamily(f"{_P}_corrosion_began_timestamp_seconds",
                              "Start of the corrosion that goes on",
                              labels=("camera",))  # fmt: skip
    for status in cameras:
        if status.smoothed is not None and status.smoothed.corrosion is not None:
            there.add_metric((status.name,), status.smoothed.corrosion)
            if status.smoothed.corrosion:
                began.add_metric((status.name,), status.smoothed.since.timestamp())
    yield from (there, began)


def _scores(cameras: Iterable[Status]) -> Iterator[Metric]:
    score = GaugeMetricFamily(f"{_P}_score", "Of the newest judged frame: see the timestamp",
                              labels=("camera",))  # fmt: skip
    at = GaugeMetricFamily(f"{_P}_last_frame_timestamp_seconds",
                           "When the newest frame was taken", labels=("camera",))  # fmt: skip
    for status in cameras:
        if (shot := status.shot) is not None:
            at.add_metric((status.name,), shot.frame.taken_at.timestamp())
            if shot.prediction is not None:
                score.add_metric((status.name,), shot.prediction.score)
    yield from (score, at)


def _camera_states(cameras: Iterable[Status]) -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{_P}_camera_up", "1 while it delivers", labels=("camera",))
    failures = CounterMetricFamily(f"{_P}_camera_failures", "Times it failed", labels=("camera",))
    for status in cameras:
        up.add_metric((status.name,), status.up)
        failures.add_metric((status.name,), status.failures)
    yield from (up, failures)
