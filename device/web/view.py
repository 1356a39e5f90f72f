"""What the page and programs are told, as plain values for JSON."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corrosion_edge import __version__
from corrosion_edge.device.accelerator.runs_on import RunsOn
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.outlets import Watched
from corrosion_edge.device.web.health import Machine
from corrosion_edge.device.web.live import Live, Shot, Status
from corrosion_edge.device.web.stored import Stored
from corrosion_edge.device.web.waiting import Waiting, waiting

__all__ = ["View"]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that is known of a running watch."""

    live: Live
    watched: Watched
    stored: Stored
    machine: Machine

    @property
    def classifier(self) -> Classifier:
        """The one that judges now."""
        return self.watched.classifier

    @classmethod
    def of(cls, watched: Watched, live: Live) -> "View":
        """The view of what an outlet may know."""
        folder = watched.store or Path.cwd()
        return cls(live, watched, Stored(watched.store), Machine(folder))

    @property
    def runs_on(self) -> RunsOn:
        """What it judges on."""
        return RunsOn.now(self.classifier)

    def trouble(self) -> str:
        """Why no verdicts come, in a few words; empty where they do.

        An accelerator that is away is known at once; a silence has to last to be told from a
        slow interval, see ``Live.healthy``.
        """
        runs = self.runs_on
        if runs.lost:
            return f"the {runs.accelerator} is away: {runs.reason}"
        if not self.live.healthy:
            return f"no frame was judged for {self.live.quiet():.0f} s"
        return ""

    def about(self) -> dict[str, Any]:
        """What runs: version, model with hash, backend, threshold, abstain band."""
        classifier = self.classifier
        band = classifier.band
        return {
            "version": __version__,
            "model": classifier.name,
            "model_sha256": classifier.network_sha256,
            "backend": classifier.backend.name,
            "threshold": classifier.threshold,
            "band": list(band) if band else None,
        }

    def state(self) -> dict[str, Any]:
        """Everything but scores and events; times are UTC in ISO 8601."""
        live, trouble, runs = self.live, self.trouble(), self.runs_on
        return {
            "time": _iso(datetime.now(UTC)),
            "uptime_s": round(live.clock() - live.started, 3),
            "quiet_s": round(live.quiet(), 3),
            "healthy": not trouble,
            "trouble": trouble,
            "runs": {"word": runs.word, **runs.to_dict()},
            "about": self.about(),
            "cameras": [self._camera(live.status(name)) for name in live.cameras],
            "machine": self._machine(),
            "events": self.stored.last(),
            "chain": self.stored.chain(),
            "deliveries": [each.to_dict() for each in self.deliveries()],
        }

    def deliveries(self) -> list[Waiting]:
        """How far each consumer of events or states is behind; reads the store."""
        return waiting(self.watched.backlogs, self.stored)

    def scores(self, camera: str, seconds: float) -> dict[str, Any]:
        """Columns of the scores of the last seconds; ``at`` in seconds since 1970 (KeyError)."""
        offset = datetime.now(UTC).timestamp() - self.live.clock()
        found = self.live.scores(camera, seconds)
        return {
            "camera": camera,
            "now": round(offset + self.live.clock(), 1),
            "seconds": seconds,
            "threshold": self.classifier.threshold,
            "at": [round(offset + each.at, 1) for each in found],
            "low": [round(each.low, 4) for each in found],
            "mean": [round(each.mean, 4) for each in found],
            "high": [round(each.high, 4) for each in found],
        }

    def dropped(self, camera: str) -> int:
        """Frames of the camera that nobody took in time."""
        told = self.watched.dropped()
        return told.get(camera, told.get("", 0) if len(self.live.cameras) == 1 else 0)

    def _camera(self, status: Status) -> dict[str, Any]:
        latency = status.latency
        looked, smoothed = status.looked, status.smoothed
        return {
            "name": status.name,
            "word": status.word,
            "since": _iso(status.since),
            "reason": status.reason,
            "state": status.state,
            "corrosion": smoothed.corrosion if smoothed else None,
            "corrosion_since": _iso(smoothed.since) if smoothed else None,
            "up": status.up,
            "age_s": None if looked is None else round(self.live.clock() - looked, 3),
            "outcomes": dict(status.outcomes),
            "dropped": self.dropped(status.name),
            "failures": status.failures,
            "latency_s": {"p50": latency[0], "p95": latency[1]} if latency else None,
            "shot": _shot(status.shot) if status.shot else None,
        }

    def _machine(self) -> dict[str, Any]:
        health = self.machine.look()
        return {
            "temperature_c": health.temperature,
            "throttled": None if health.throttled is None else health.throttle_reasons,
            "disk_free_bytes": health.disk_free,
            "disk_total_bytes": health.disk_total,
            "clock_set": health.clock_set,
            "memory_bytes": health.memory,
        }


def _shot(shot: Shot) -> dict[str, Any]:
    frame = shot.frame
    told: dict[str, Any] = {
        "serial": shot.serial,
        "index": frame.index,
        "time": _iso(frame.taken_at),
        "size": list(frame.size),
        "map": shot.prediction is not None and shot.prediction.heatmap is not None,
    }
    if shot.prediction is not None:
        told |= shot.prediction.to_dict()
    if shot.quality is not None:
        told |= shot.quality.to_dict()
    return told


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
