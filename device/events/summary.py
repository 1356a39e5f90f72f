"""A row a minute and camera, so that weeks can be shown without storing every verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from corrosion_edge.device.events.event import Asset
from corrosion_edge.device.events.stamp import Stamp, was_set
from corrosion_edge.prediction import Prediction

__all__ = ["PERIOD", "Minutes", "Summary", "area"]

PERIOD: Final = 60.0
"""Seconds that a summary covers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Frames of one camera within ``PERIOD`` from ``at``.

    ``low``, ``mean`` and ``high`` are of the ``frames`` scores, in [0, 1], of which ``unsure``
    count as no evidence; ``unusable`` frames have no score. ``area`` and ``area_high`` are mean and
    largest share of the heat map that speaks for corrosion, in [0, 1]; ``cells`` is the number of
    its cells. None where there were none.

    ``monotonic_s`` is the monotonic clock at ``at``, None for a recording; ``clock_set`` says
    whether the wall clock was synchronised then, None if unknown. ``stamped`` is what the clock
    said where ``at`` was corrected since, see ``store.correction``. ``asset`` and ``position`` are
    what the camera looked at and from where, None in rows that do not tell.
    """

    camera: str
    at: datetime
    boot: str
    frames: int
    unsure: int
    unusable: int
    low: float | None
    mean: float | None
    high: float | None
    area: float | None
    area_high: float | None
    cells: int | None
    monotonic_s: float | None = None
    clock_set: bool | None = None
    stamped: datetime | None = None
    asset: str | None = None
    position: str | None = None


def area(prediction: Prediction) -> float | None:
    """The share of the heat map's cells with log-odds above 0, in [0, 1]; None without a map."""
    local = prediction.heatmap
    return None if local is None else float(np.mean(local > 0))


class Minutes:
    """Gathers one camera's frames; each finished minute is given back once.

    ``is_set`` tells whether the clock was set when a stamp was taken, see ``was_set``; ``asset`` is
    what the camera looks at.
    """

    def __init__(
        self,
        camera: str,
        is_set: Callable[[Stamp], bool | None] = was_set,
        asset: Asset | None = None,
    ) -> None:
        self._camera, self._is_set, self._asset = camera, is_set, asset or Asset()
        self._start: Stamp | None = None
        self._clock_set: bool | None = None
        self._clear()

    def _clear(self) -> None:
        self._scores: list[float] = []
        self._areas: list[float] = []
        self._unsure = self._unusable = 0
        self._cells: int | None = None

    def verdict(self, at: Stamp, prediction: Prediction, unsure: bool) -> Summary | None:
        """Count a verdict; the minute that it put an end to, if any."""
        done = self._turn(at)
        self._scores.append(prediction.score)
        self._unsure += unsure
        share = area(prediction)
        if share is not None and prediction.heatmap is not None:
            self._areas.append(share)
            self._cells = prediction.heatmap.size
        return done

    def unusable(self, at: Stamp) -> Summary | None:
        """Count a frame without a verdict."""
        done = self._turn(at)
        self._unusable += 1
        return done

    def finish(self) -> Summary | None:
        """The minute that was begun, if any."""
        start, self._start = self._start, None
        if start is None:
            return None
        scores, areas = self._scores, self._areas
        done = Summary(
            camera=self._camera, at=start.wall, boot=start.boot,
            frames=len(scores), unsure=self._unsure, unusable=self._unusable,
            low=min(scores, default=None), mean=_mean(scores), high=max(scores, default=None),
            area=_mean(areas), area_high=max(areas, default=None), cells=self._cells,
            monotonic_s=None if start.recording else start.seconds, clock_set=self._clock_set,
            asset=self._asset.name, position=self._asset.position,
        )  # fmt: skip
        self._clear()
        return done

    def _turn(self, at: Stamp) -> Summary | None:
        start = self._start
        done = None
        if start and not (start.boot == at.boot and 0 <= at.seconds - start.seconds < PERIOD):
            done = self.finish()
        if self._start is None:
            self._start, self._clock_set = at, self._is_set(at)
        return done


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
