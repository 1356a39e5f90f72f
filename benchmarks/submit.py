"""Making a report fit to be published, or saying why it is not."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from corrosion_edge.benchmarks.delivered import PIXEL_FORMATS
from corrosion_edge.benchmarks.layout import plain
from corrosion_edge.benchmarks.published import Published, slug_of
from corrosion_edge.benchmarks.samples import UNAVAILABLE
from corrosion_edge.benchmarks.schema import LatencyReport
from corrosion_edge.benchmarks.void import machine_reasons, result_reasons, sustained_reasons
from corrosion_edge.errors import GateError, UsageError

__all__ = ["renamed", "submission"]

_PATH: Final = re.compile(r"(?:^|[\s,;:'\"(=])~?/(?!dev/)[\w.-]+")


def submission(
    path: Path, report: LatencyReport, *, by: str, note: str, board: str | None, virtual: bool
) -> Published:
    """What is published of the report in the file ``path``: all of it, but models by name alone.

    Raises GateError for void figures, and UsageError for a report whose reasons do not follow from
    its figures, that is of no real board (unless ``virtual``), was not made on the default frames,
    or holds a path.
    """
    _require_valid(path, report)
    if not virtual:
        _require_board(path, report)
    if report.pictures.kind != "rendered":
        raise UsageError(
            f"{path}: measured on {report.pictures}, which nobody else has; measure without "
            "--pictures"
        )
    if report.pixel_format != PIXEL_FORMATS[0]:
        raise UsageError(
            f"{path}: measured on frames in {report.pixel_format}, not {PIXEL_FORMATS[0]} as the "
            "other results; measure without --pixel-format"
        )
    try:
        made = Published(board or slug_of(report), by, note, _with_names(report))
    except ValueError as error:
        raise UsageError(f"--{error}") from None
    for place, text in _texts(plain(made)):
        if _PATH.search(text):
            raise UsageError(f"{path}: {place} holds a path, {text!r}; it is not published")
    return made


def renamed(report: LatencyReport) -> dict[str, str]:
    """Models given by their path, and what they are called when published."""
    models = [*(one.model for one in report.results), *(run.model for run in report.sustained)]
    return {model: name for model in models if (name := _name(model)) != model}


def _require_valid(path: Path, report: LatencyReport) -> None:
    state = machine_reasons(report.before, report.after, report.others_cores, report.swapped_pages)
    runs = [sustained_reasons(run.seconds, paced=run.paced) for run in report.sustained]
    found = [state, *(result_reasons(result.rounds) for result in report.results), *runs]
    said = [report.void, *(result.void for result in report.results),
            *(run.void for run in report.sustained)]  # fmt: skip
    if reasons := [reason for part in (*said, *found) for reason in part]:
        raise GateError(f"{path}: figures in it are void ({reasons[0]}); measure again")


def _require_board(path: Path, report: LatencyReport) -> None:
    machine = report.machine
    if machine.board == UNAVAILABLE or machine.virtual != "no":
        seen = "a virtual machine" if machine.virtual == "yes" else f"the board {machine.board}"
        raise UsageError(
            f"{path}: expected a real board, that names itself and is no virtual machine, got "
            f"{seen} (virtual machine: {machine.virtual}); --virtual lets it pass"
        )


def _with_names(report: LatencyReport) -> LatencyReport:
    results = (replace(one, model=_name(one.model)) for one in report.results)
    sustained = (replace(run, model=_name(run.model)) for run in report.sustained)
    return replace(report, results=tuple(results), sustained=tuple(sustained))


def _name(model: str) -> str:
    return Path(model).name


def _texts(content: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in values of JSON, and where it stands."""
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, dict):
        for name, value in content.items():
            yield from _texts(value, f"{place}.{name}" if place else name)
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _texts(value, f"{place}[{number}]")
