"""Events as lines, tables and files."""

import json
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.device.lines import printable
from corrosion_edge.device.store.event import Event
from corrosion_edge.errors import OutputError

__all__ = ["COLUMNS", "csv_of", "export_folder", "json_of", "local", "shown", "table"]

COLUMNS: Final = (
    "sequence", "uuid", "kind", "at", "clock_set", "camera", "asset", "position", "start", "end",
    "corrected_at", "corrected_start", "corrected_end", "duration_s", "clock_jump_s", "peak",
    "mean", "frames", "evidence", "threshold", "enter", "leave", "model", "model_sha256", "backend",
    "reason", "boot", "monotonic_s", "start_monotonic_s", "end_monotonic_s", "recording", "details",
    "hash", "plain", "map",
)  # fmt: skip
"""The columns of the CSV; ``plain`` and ``map`` are the pictures' file names."""


def local(text: str | None) -> str:
    """A stored time in this machine's zone, to the second, with its offset; empty for none."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone().isoformat(sep=" ", timespec="seconds")


def table(events: Iterable[Event]) -> Iterable[str]:
    """A line an event: number, local time, kind, camera, peak score, asset, reason.

    A ``c`` after the time says that it was corrected, a question mark that the clock was not set.
    """
    yield f"{'number':>6}  {'time':<27}  {'kind':<17}  {'camera':<22}  peak   what"
    for event in events:
        fields = event.fields
        peak = fields.get("peak")
        score = "     " if peak is None else f"{peak:.3f}"
        what = "; ".join(str(fields[k]) for k in ("asset", "position", "reason") if fields.get(k))
        mark = "c" if event.times.at else "?" if event.doubtful else ""
        line = f"{event.sequence:>6}  {local(event.at):<25} {mark:<1}  {fields['kind']:<17}  "
        yield printable(f"{line}{fields['camera']:<22}  {score}  {what}").rstrip()


def shown(event: Event) -> Iterable[str]:
    """One event, a line a field; times are local."""
    corrected = event.times.to_dict()
    for name, value in {**event.fields, **corrected}.items():
        text = local(value) if name in ("at", "start", "end", *corrected) else value
        if text not in (None, "", {}):
            yield printable(f"{name:<17} {text}")
    yield f"{'hash':<17} {event.hash}"
    for role, picture in event.pictures.items():
        note = f"removed {local(picture.removed)}" if picture.removed else str(picture.path)
        yield printable(f"picture {role:<9} {note}")


def json_of(events: Iterable[Event]) -> str:
    """All events as one JSON list."""
    return output.json_text([event.to_dict() for event in events])


def csv_of(events: Iterable[Event]) -> str:
    """All events as CSV with the head ``COLUMNS``; empty where there is none."""
    return output.csv_text(COLUMNS, (_row(event) for event in events))


def export_folder(events: Iterable[Event], folder: Path) -> int:
    """Write events.json, events.csv and pictures/ into a new folder; how many events.

    OutputError if the folder exists or a picture cannot be copied.
    """
    chosen = list(events)
    with output.new_folder(folder) as inside:
        output.write(inside / "events.json", json_of(chosen))
        output.write(inside / "events.csv", csv_of(chosen))
        (inside / "pictures").mkdir()
        for event in chosen:
            for picture in event.pictures.values():
                if not picture.removed:
                    _copy(picture.path, inside / "pictures" / picture.path.name)
    return len(chosen)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise OutputError(
            f"{source}: the picture is missing; see corrosion-edge events verify"
        ) from None


def _row(event: Event) -> list[Any]:
    values = {**event.fields, **event.times.to_dict(), "hash": event.hash}
    for role, picture in event.pictures.items():
        values[role] = "" if picture.removed else picture.path.name
    values["details"] = json.dumps(values.get("details") or {}, sort_keys=True)
    return [_cell(values.get(name)) for name in COLUMNS]


def _cell(value: Any) -> Any:
    """What a spreadsheet would take for a formula is written as text (OWASP: CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
