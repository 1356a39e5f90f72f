"""A store's ingredients: happenings with pictures, a clock that obeys."""

from datetime import UTC, datetime, timedelta

import numpy as np

from corrosion_edge.device.events.event import Asset, Happening, ModelName, Scene, Span
from corrosion_edge.device.events.stamp import Stamp
from corrosion_edge.device.events.summary import Summary
from corrosion_edge.prediction import Prediction

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL = ModelName("a model", "ab" * 32, 0.5)


def stamp(seconds=0.0, wall=None):
    offset = timedelta(seconds=seconds if wall is None else wall)
    return Stamp(START + offset, seconds, "boot-1")


def scene(seed=0, size=(48, 64)):
    pixels = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
    return Scene(pixels, Prediction(0.9, 0.5, np.full((7, 7), 2.0, np.float32)))


def happening(kind="corrosion_began", seconds=0.0, camera="north", pictured=True, **how):
    span = None
    if kind.startswith("corrosion"):
        span = Span(start=stamp(seconds - 5), end=stamp(seconds), seconds=5, peak=0.9, mean=0.8,
                    frames=6, evidence=5)  # fmt: skip
    how.setdefault("at", stamp(seconds))
    how.setdefault("scene", scene(int(abs(seconds))) if span and pictured else None)
    return Happening(kind=kind, camera=camera, asset=Asset("bridge", "pier 3"), span=span,
                     model=MODEL, enter=0.8, leave=0.2, **how)  # fmt: skip


def summary(seconds=0.0, camera="north", mean=0.3, area=0.1, boot="boot-1", **clocks):
    return Summary(camera=camera, at=START + timedelta(seconds=seconds), boot=boot, frames=60,
                   unsure=3, unusable=0, low=mean / 2, mean=mean, high=(1 + mean) / 2, area=area,
                   area_high=2 * area, cells=49, **clocks)  # fmt: skip


class Clock:
    """Time that the test sets."""

    def __init__(self):
        self.seconds = 0.0
        self.wall = None

    def __call__(self):
        return stamp(self.seconds, self.wall)
