"""Results of boards that somebody measured, and the table that is made of them."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.benchmarks.layout import plain, read
from corrosion_edge.benchmarks.schema import LatencyReport, Result
from corrosion_edge.benchmarks.wording import ms, told
from corrosion_edge.errors import UsageError

__all__ = ["BOARDS", "Published", "slug_of", "table"]

BOARDS: Final[Mapping[str, str]] = {
    "raspberry-pi-zero-2-w": "Raspberry Pi Zero 2 W",
    "raspberry-pi-3-model-b-plus": "Raspberry Pi 3 Model B+",
    "raspberry-pi-4-model-b": "Raspberry Pi 4 Model B",
    "raspberry-pi-4-model-b-coral": "Raspberry Pi 4 Model B, Coral USB",
    "raspberry-pi-compute-module-4": "Raspberry Pi Compute Module 4",
    "raspberry-pi-5-model-b": "Raspberry Pi 5",
    "raspberry-pi-5-model-b-coral": "Raspberry Pi 5, Coral USB",
    "coral-dev-board": "Coral Dev Board",
    "coral-dev-board-mini": "Coral Dev Board Mini",
}
"""By the name of the file: the boards whose rows stand in the table though nobody measured them."""

_OWN_NAME_IS_ANOTHER: Final = ("coral-dev-board", "coral-dev-board-mini")
"""Those of them that do not call themselves as their row does: a Coral Dev Board is a Phanbell."""

_HEAD: Final = (
    "board", "model", "on", "threads", "frame", "first verdict", "invoke p50", "p99",
    "frame path p50", "frames/s", "slowdown", "energy per frame", "measured",
)  # fmt: skip
_NOTHING: Final = "–"
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST: Final = 200  # characters of a name or a note


@dataclass(frozen=True, slots=True)
class Published:
    """A report of a ``board``, by the name of its file, with who measured it and a note.

    ValueError for a board that the report is not of, or a name or note that is too long.
    """

    board: str
    by: str
    note: str
    report: LatencyReport

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.board):
            raise ValueError(
                f"board: expected small letters, digits and single dashes, got {self.board!r}"
            )
        for name in ("by", "note"):
            value = getattr(self, name)
            if len(value) > _LONGEST or not value.isprintable():
                raise ValueError(f"{name}: expected one line of {_LONGEST} characters at most")
        if not self.by.strip():
            raise ValueError("by: expected who measured, got nothing")
        _require_own(self.board, self.report)

    @property
    def title(self) -> str:
        """What the board is called in the table."""
        return BOARDS.get(self.board, self.report.machine.board)

    def to_json(self) -> str:
        """As the file has it: one line, for the samples are many."""
        return json.dumps(plain(self), ensure_ascii=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_dict(cls, content: Any) -> "Published":
        """Read one back; ValueError says what is wrong with it."""
        if isinstance(content, dict):  # of another format, that is said and not each field
            LatencyReport.from_dict(content.get("report", {}))
        return read(cls, content)

    @classmethod
    def load(cls, path: Path) -> "Published":
        """From a file that is called after its board (UsageError)."""
        try:
            made = cls.from_dict(json.loads(path.read_bytes()))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror})") from None
        except RecursionError:
            raise UsageError(f"{path}: no published result (nested too deeply)") from None
        except ValueError as error:
            raise UsageError(f"{path}: no published result ({error})") from None
        if path.stem != made.board:
            raise UsageError(f"{path}: is of {made.board}, so expected {made.board}.json")
        return made


def slug_of(report: LatencyReport) -> str:
    """A file's name for the board: its own without revision, and with the accelerator used."""
    name = re.sub(r"\bRev\b.*", "", report.machine.board, flags=re.IGNORECASE)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    on_coral = any(result.backend_kind == "Edge TPU" for result in report.results)
    built_in = "coral" in slug
    return f"{slug}-coral" if on_coral and not built_in else slug


def _require_own(board: str, report: LatencyReport) -> None:
    """ValueError for the row of a board that the report is not of."""
    own, called, real = slug_of(report), report.machine.board, report.machine.virtual == "no"
    if own in BOARDS and board != own and (real or board in BOARDS):
        raise ValueError(f"board: the report is of {called}, so expected {own}, got {board}")
    if board in BOARDS and board not in (own, *_OWN_NAME_IS_ANOTHER):
        raise ValueError(
            f"board: the report is of {called}, not of a {BOARDS[board]}; name a row of its own, "
            f"such as {own}"
        )


def table(published: Sequence[Published]) -> str:
    """A Markdown table: the boards of ``BOARDS``, measured or not, then all others."""
    by_board = {one.board: one for one in published}
    others = sorted(by_board.keys() - BOARDS.keys())
    rows = [_HEAD, ["---"] * len(_HEAD)]
    for board in (*BOARDS, *others):
        rows += _rows(by_board[board]) if board in by_board else [_empty(BOARDS[board])]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _empty(title: str) -> Sequence[str]:
    return [title, *[_NOTHING] * (len(_HEAD) - 2), "nobody yet"]


def _rows(one: Published) -> Iterator[Sequence[str]]:
    for result in one.report.results:
        found = result.summary
        invoke, path = found.statistics.invoke, found.statistics.path
        yield [
            _cell(one.title),
            _cell(result.model_name),
            result.backend_kind,
            str(result.threads),
            result.size,
            ms(found.first_verdict_ms),
            ms(invoke.p50),
            ms(invoke.p99),
            ms(path.p50),
            f"{path.per_second:.1f}",
            *_endured(one.report, result),
            _cell(f"{one.report.finished_at[:10]}, {one.by}, {one.report.program}"),
        ]


def _endured(report: LatencyReport, result: Result) -> tuple[str, str]:
    """Slowdown and energy in the sustained run of the same configuration."""
    key = (result.model_sha256, result.threads, result.size)
    for run in report.sustained:
        if (run.model_sha256, run.threads, run.size) == key:
            found = run.summary
            return f"{found.slowdown:.2f}", told(found.joules_per_frame, "J", 3)
    return _NOTHING, _NOTHING


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
