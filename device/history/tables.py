"""The tables of a store's page."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.history import d610
from corrosion_edge.device.history.downtime import AWAY, Downtime, moment
from corrosion_edge.device.store.event import Event
from corrosion_edge.report import Block, Cell, Table, Text

__all__ = ["LISTED", "away", "score", "table_of_days", "table_of_events", "table_of_models"]

LISTED: Final = 30
"""Rows of events and of downtimes that a page shows, the newest; events list has them all."""


def table_of_days(summaries: Sequence[Summary], events: Sequence[Event]) -> Table:
    """A row a day, or a week where there are more than 14 days."""
    days = {s.at.astimezone().date() for s in summaries}
    weekly = len(days) > 14

    def name(at: datetime) -> str:
        return f"{at.astimezone():%G week %V}" if weekly else f"{at.astimezone():%Y-%m-%d}"

    groups: dict[str, list[Summary]] = defaultdict(list)
    for summary in summaries:
        groups[name(summary.at)].append(summary)
    began = [name(moment(e.at)) for e in events if e.fields["kind"] == "corrosion_began"]
    head = ("week" if weekly else "day", "frames", "unsure", "unusable", "mean score", "highest",
            "map area", "D610-style grade", "began")  # fmt: skip
    rows = [[when, *_numbers(group), began.count(when)] for when, group in groups.items()]
    caption = "Grades 10 (no rust) to 0 by the map's area: a screening, not a measurement"
    return Table(head, rows, caption)


def _numbers(group: Sequence[Summary]) -> list[Cell]:
    frames = sum(s.frames for s in group)
    unusable, unsure = sum(s.unusable for s in group), sum(s.unsure for s in group)
    scored = [s for s in group if s.mean is not None and s.high is not None]
    mapped = [s for s in group if s.area is not None and s.cells]
    mean = sum((s.mean or 0) * s.frames for s in scored) / frames if scored else None
    row: list[Cell] = [frames, _share(unsure, frames), _share(unusable, frames + unusable)]
    row += (
        ["–", "–"] if mean is None else [f"{mean:.3f}", f"{max(s.high or 0 for s in scored):.3f}"]
    )
    if not mapped:
        return [*row, "–", "–"]
    area = sum((s.area or 0) * s.frames for s in mapped) / sum(s.frames for s in mapped)
    return [*row, f"{100 * area:.1f} %", d610.band(area, mapped[-1].cells or 1)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def table_of_events(events: Sequence[Event]) -> Block:
    """A row an event, the newest first; what is among the downtimes is left out there."""
    told = [e for e in events if e.fields["kind"] not in AWAY]
    if not told:
        return Text("No corrosion was seen to begin or end.")
    newest = told[: -LISTED - 1 : -1]
    rows = [[e.sequence, _when(e), e.fields["kind"], score(e, "peak"),
             score(e, "mean"), _length(e.fields.get("duration_s")), _backend(e),
             e.fields["reason"] or "–"]
            for e in newest]  # fmt: skip
    caption = "Events" if len(told) <= LISTED else f"The newest {LISTED} of {len(told)} events"
    head = ("number", "time", "event", "peak", "mean", "lasted", "made on", "reason")
    return Table(head, rows, caption)


def table_of_models(events: Sequence[Event]) -> Block:
    """A row for each model file that was put in place, the newest first, and what judged then."""
    rows = [[e.sequence, _when(e), e.fields["kind"],
             e.fields["model"] or "–", f"{e.fields['threshold']:.3g}", _backend(e),
             e.fields["reason"] or "–"]
            for e in events[: -LISTED - 1 : -1]]  # fmt: skip
    caption = "Scores of two models are not compared; the name is that of the one that judged then"
    head = ("number", "time", "event", "model", "threshold", "runs on", "reason")
    return Table(head, rows, caption)


def score(event: Event, name: str) -> str:
    """A score of an event as text, a dash for none."""
    value = event.fields.get(name)
    return "–" if value is None else f"{value:.3f}"


def _backend(event: Event) -> str:
    """What judged; a dash where nothing did, or an earlier version did not tell."""
    return event.fields.get("backend") or "–"


def _length(seconds: float | None) -> str:
    return "–" if seconds is None else str(timedelta(seconds=round(seconds)))


def away(found: Sequence[Downtime]) -> Block:
    """A row a downtime, or the good news."""
    if not found:
        return Text("No downtime in this period.", "good")
    rows = [[d.camera or "all", d.what, _local(d.start), _local(d.end) if d.end else "goes on",
             _length((d.end - d.start).total_seconds()) if d.end and d.end >= d.start else "–",
             d.reason or "–"] for d in found[: -LISTED - 1 : -1]]  # fmt: skip
    caption = "" if len(found) <= LISTED else f"The newest {LISTED} of {len(found)}"
    return Table(("camera", "what", "from", "until", "lasted", "reason"), rows, caption)


def _when(event: Event) -> str:
    mark = " (corrected)" if event.times.at else " (clock not set)" if event.doubtful else ""
    return f"{_local(moment(event.at))}{mark}"


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
