"""The page of a store: scores and map areas over weeks, events with pictures, downtimes."""

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image

from corrosion_edge.device.events.summary import PERIOD, Summary
from corrosion_edge.device.history import svg, tables
from corrosion_edge.device.history.downtime import Downtime, downtimes, moment
from corrosion_edge.device.history.listing import local
from corrosion_edge.device.history.material import Material, View
from corrosion_edge.device.store.chain import ROLES
from corrosion_edge.device.store.event import Event, Wanted
from corrosion_edge.report import Block, Figure, Page, Section, Text

__all__ = ["PICTURED", "page"]

PICTURED: Final = 6
"""Corrosion events whose pictures a page carries, the newest; its size stays within a mail's."""

_EMPTY: Final = Text(
    "Nothing was recorded in this period: whether anything was watched then is not known.",
    "warning",
)
_POINTS: Final = 240
_DAY: Final = 86400.0
_DAILY: Final = 21  # days from which a point is a day
_SCREENING: Final = (
    "A screening, not a measurement. A score is a model's opinion of a picture. The area is the "
    "share of the heat map's cells that speak for corrosion; nobody validated it as an area, so "
    "the rust grades, which follow the table of ASTM D610, only say where to look first."
)


def page(material: Material, views: Sequence[View], title: str) -> Page:
    """One page on these cameras."""
    begin, end = (moment.astimezone() for moment in material.period)
    away = [d for d in downtimes(material.events, material.summaries)
            if any(_is_away(material, view, d) for view in views)]  # fmt: skip
    sections = [Section("What this is", [Text(_SCREENING, "warning"), material.chain,
                                         *_corrected(material)])]  # fmt: skip
    several = len({view.asset for view in views}) > 1
    for view in views:
        name = f"{view.camera}: {_name(view)}" if several else view.camera
        sections.append(Section(f"Camera {name}", list(_camera(material, view, away))))
    if changes := _of_models(material, views):
        sections.append(Section("Another model", [tables.table_of_models(changes)]))
    known = material.events or material.summaries
    sections.append(Section("When nothing was watched", [tables.away(away) if known else _EMPTY]))
    subtitle = f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M %Z}; from {material.folder}"
    return Page(title, subtitle, sections)


def _name(view: View) -> str:
    return view.asset or "no asset named"


def _is_away(material: Material, view: View, away: Downtime) -> bool:
    """Whether the camera was away, alone or with all, while it looked at the asset."""
    return away.camera in ("", view.camera) and material.concerns(view, away.start)


def _of_models(material: Material, views: Sequence[View]) -> list[Event]:
    changes = Wanted(kinds=("model_changed", "model_refused"))
    return [e for e in material.events
            if changes.takes(e)
            and any(material.concerns(view, moment(e.at)) for view in views)]  # fmt: skip


def _corrected(material: Material) -> Iterable[Block]:
    events = sum(e.times.at is not None for e in material.events)
    minutes = sum(s.stamped is not None for s in material.summaries)
    if events or minutes:
        yield Text(f"{events} events and {minutes} minutes were stamped before the clock was set. "
                   "Their times are corrected by the clock that was set later, and marked in the "
                   "table; events show has both.")  # fmt: skip
    if doubtful := sum(e.doubtful for e in material.events):
        yield Text(f"{doubtful} events were stamped by a clock that was not set, and nothing "
                   "corrects their times: they may be wrong.", "warning")  # fmt: skip


def _camera(material: Material, view: View, away: Sequence[Downtime]) -> Iterable[Block]:
    events, summaries = material.events_of(view), material.summaries_of(view)
    yield Text(f"{_name(view)}; {material.position(view) or 'no position named'}")
    if summaries:
        absences = [d for d in away if _is_away(material, view, d)]
        yield from _charts(material, events, summaries, absences)
        yield tables.table_of_days(summaries, events)
    yield from _pictures(events)
    yield tables.table_of_events(events)


def _charts(
    material: Material,
    events: Sequence[Event],
    summaries: Sequence[Summary],
    away: Sequence[Downtime],
) -> Iterable[Block]:
    end = material.period[1]
    length = (end - material.period[0]).total_seconds()
    step = _DAY if length > _DAILY * _DAY else max(PERIOD, length / _POINTS)
    bands = [svg.Band(d.start, d.end or end, "away") for d in away]
    bands += [svg.Band(*stretch, "event") for stretch in _stretches(events, end)]
    enter = next((e.fields["enter"] for e in reversed(events) if e.fields.get("enter")), None)
    how = {"period": material.period, "gap": timedelta(seconds=3 * step), "bands": bands}
    scores = _points(summaries, step, "low", "mean", "high")
    marks = [(enter, f"enter {enter:.3g}")] if enter is not None else []
    yield Figure(
        svg.chart("Score", scores, top=1.0, marks=marks, **how),  # type: ignore[arg-type]
        "Lowest, mean, highest. Red: corrosion; grey: long not watched.",
        _alt("score", scores),
    )
    if areas := _points(summaries, step, "area", "area", "area_high"):
        top = min(1.0, max(0.1, 1.2 * max(p.high for p in areas)))
        yield Figure(
            svg.chart("Share of the heat map", areas, top=top, percent=True, **how),  # type: ignore[arg-type]
            "Mean and largest share that speaks for corrosion: a screening.",
            _alt("share of the heat map", areas),
        )


def _alt(what: str, points: Sequence[svg.Point]) -> str:
    if not points:
        return f"no {what}"
    return f"{what} over time: first {points[0].mid:.3g}, last {points[-1].mid:.3g}"


def _points(
    summaries: Sequence[Summary], step: float, low: str, mid: str, high: str
) -> list[svg.Point]:
    """The summaries in stretches of ``step`` seconds; means are weighted by frames."""
    groups: dict[int, list[Summary]] = defaultdict(list)
    for summary in summaries:
        if getattr(summary, mid) is not None:
            groups[int(summary.at.timestamp() / step)].append(summary)
    points = []
    for number, group in sorted(groups.items()):
        frames = sum(s.frames for s in group)
        mean = sum(getattr(s, mid) * s.frames for s in group) / frames
        least, most = min(getattr(s, low) for s in group), max(getattr(s, high) for s in group)
        points.append(svg.Point(datetime.fromtimestamp(number * step, UTC), least, mean, most))
    return points


def _stretches(events: Sequence[Event], end: datetime) -> list[tuple[datetime, datetime]]:
    """From each beginning of corrosion to its end."""
    found, began = [], None
    for event in events:
        if event.fields["kind"] == "corrosion_began":
            began = moment(event.start or event.at)
        elif event.fields["kind"] == "corrosion_ended":
            start = began or moment(event.start or event.at)
            found.append((start, moment(event.end or event.at)))
            began = None
    return found + ([(began, end)] if began else [])


def _pictures(events: Sequence[Event]) -> Iterable[Block]:
    pictured = [e for e in events if e.pictures and e.fields["kind"] == "corrosion_began"]
    if len(pictured) > PICTURED:
        yield Text(f"Pictures of the newest {PICTURED} of {len(pictured)} beginnings:")
    for event in reversed(pictured[-PICTURED:]):
        when, peak = local(event.at), tables.score(event, "peak")
        made_on = f", made on {event.fields['backend']}" if event.fields.get("backend") else ""
        what = f"Event {event.sequence}, {when}, peak {peak}{made_on}"
        if any(p.removed or not p.path.is_file() for p in event.pictures.values()):
            yield Text(f"{what}: its pictures were removed or are missing.")
            continue
        for role in (role for role in ROLES if role in event.pictures):
            name = "as seen" if role == "plain" else "with the heat map"
            try:
                small = _reduced(event.pictures[role].path)
            except OSError:  # Pillow's word for a file that is no picture any more
                yield Text(f"{what}, {name}: the picture is damaged.", "warning")
                continue
            yield Figure(small, f"{what}, {name}", f"{what}, {name}")


def _reduced(path: Path) -> bytes:
    """The picture as a smaller JPEG, so that the page can be mailed."""
    content = io.BytesIO()
    with Image.open(path) as picture:
        picture.thumbnail((svg.WIDTH, svg.WIDTH))
        picture.save(content, "JPEG", quality=85)
    return content.getvalue()
