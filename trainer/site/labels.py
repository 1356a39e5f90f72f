"""Labels from a file: the lines of ``classify --json``, corrected by hand, or a CSV table."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.errors import DataError
from corrosion_edge.prediction import CORROSION, LABELS, NO_CORROSION
from corrosion_edge.trainer.data import Photo

__all__ = ["Labels", "read_labels"]

_COLUMNS: Final = ("path", "label")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Labels:
    """What a file says: each photo once, in the file's order.

    ``skipped`` lines were of photos that ``classify`` could not read, ``repeated`` ones named a
    photo again with the same label. ``corrected`` counts the labels that are not the verdict of
    the line's own score and threshold; None where no line carries both.
    """

    photos: tuple[Photo, ...]
    skipped: int = 0
    repeated: int = 0
    corrected: int | None = None

    def __str__(self) -> str:
        parts = [f"{len(self.photos)} labelled photos"]
        parts += [f"{self.corrected} labels corrected"] if self.corrected is not None else []
        parts += [f"{self.skipped} lines of unreadable photos"] if self.skipped else []
        parts += [f"{self.repeated} repeated lines"] if self.repeated else []
        return ", ".join(parts)


def read_labels(file: Path, folder: Path) -> Labels:
    """Read labels ``corrosion`` and ``no-corrosion``: JSON lines, or CSV with path and label.

    A file whose first line starts with ``{`` is JSON lines. A path is absolute, or relative to
    ``folder``, or, as ``classify`` printed it, to the current folder. Lines with ``error`` are
    skipped. Raises DataError that names the file and the line.
    """
    found: dict[Path, tuple[int, int]] = {}
    skipped = repeated = 0
    verdicts: list[bool] = []
    for number, fields in _lines(file):
        where = f"{file}, line {number}"
        if "error" in fields:
            skipped += 1
            continue
        path, label = _path(where, fields, folder), _label(where, fields)
        first = found.setdefault(path, (number, label))
        if first[1] != label:
            raise DataError(
                f"{where}: {path} is {LABELS[label]!r} here and {LABELS[first[1]]!r} in line "
                f"{first[0]}; leave one of the two"
            )
        if first[0] != number:
            repeated += 1
        elif (verdict := _verdict(where, fields)) is not None:
            verdicts.append(verdict != label)
    if not found:
        raise DataError(f"{file}: no labelled photo in it")
    photos = tuple(Photo(path, label) for path, (_, label) in found.items())
    return Labels(photos, skipped, repeated, sum(verdicts) if verdicts else None)


def _lines(file: Path) -> Iterator[tuple[int, Fields]]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise DataError(f"--labels: {file}: cannot be read ({reason})") from None
    yield from _json(file, text) if text.lstrip().startswith("{") else _csv(file, text)


def _json(file: Path, text: str) -> Iterator[tuple[int, Fields]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number}: not JSON ({error})") from None
        if not isinstance(fields, dict):
            raise DataError(f"{file}, line {number}: expected an object with path and label")
        yield number, fields


def _csv(file: Path, text: str) -> Iterator[tuple[int, Fields]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise DataError(
            f"{file}, line 1: expected the lines of 'classify --json', or a CSV table with the "
            "columns path and label"
        )
    for row in reader:
        yield reader.line_num, row


def _path(where: str, fields: Fields, folder: Path) -> Path:
    name = fields.get("path")
    if not isinstance(name, str) or not name:
        raise DataError(f"{where}: expected the path of a photo, got {name!r}")
    for path in (folder / name, Path(name)):  # an absolute path is itself in both
        if path.is_file():
            return path.resolve()
    raise DataError(f"{where}: no photo {name} below {folder}, nor in the current folder")


def _label(where: str, fields: Fields) -> int:
    label = fields.get("label")
    bare = label.strip().lower() if isinstance(label, str) else label
    if bare not in LABELS:
        raise DataError(f"{where}: expected the label {CORROSION} or {NO_CORROSION}, got {label!r}")
    return LABELS.index(bare)


def _verdict(where: str, fields: Fields) -> bool | None:
    """What the model had said of the photo."""
    try:
        return float(fields["score"]) >= float(fields["threshold"])
    except KeyError:
        return None
    except (TypeError, ValueError):
        raise DataError(f"{where}: score and threshold: expected numbers") from None
