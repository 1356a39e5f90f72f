"""Scores with stamps for a tracker, and the kinds of changes that come of them."""

from datetime import UTC, datetime, timedelta

from corrosion_edge.device.events.settings import Detection
from corrosion_edge.device.events.stamp import Stamp

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BAND = Detection.for_model(0.5, (0.2, 0.8))


def stamp(seconds, wall=None, boot="a", recording=False):
    offset = timedelta(seconds=seconds if wall is None else wall)
    return Stamp(START + offset, seconds, boot, recording)


def told(tracker, scores, begin=0.0, step=1.0):
    changes = []
    for number, score in enumerate(scores):
        changes += tracker.verdict(stamp(begin + step * number), score)
    return changes


def kinds(changes):
    return [change.kind for change in changes]
