"""The paper's tables with our figures beside them: as texts, as CSV, as Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from corrosion_edge.output import csv_text
from corrosion_edge.trainer.reproduce import paper
from corrosion_edge.trainer.reproduce.rows import EXTRA
from corrosion_edge.trainer.reproduce.sizes import SizeResult
from corrosion_edge.trainer.reproduce.statistics import Interval, prediction, wilson
from corrosion_edge.trainer.reproduce.summary import FIGURES, Report, RowResult, span

__all__ = ["TITLES", "Grid", "beside", "csv_files", "grids", "markdown"]

TITLES: Final = {
    1: "Table 1: layers and parameters without top",
    2: "Table 2: frozen backbone, test accuracy and loss",
    3: "Table 3: EfficientNetV2B0, fine-tuned",
    4: "Table 4: EfficientNetV2B1, fine-tuned",
    5: "Table 5: EfficientNetV2S, fine-tuned",
    EXTRA: "Beyond the paper: other fine-tuned rows",
}
_NONE: Final = "–"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts."""

    number: int
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """For files: ``table2``, ``extra``."""
        return "extra" if self.number == EXTRA else f"table{self.number}"


def grids(report: Report) -> list[Grid]:
    """The tables that have a row."""
    made = [_sizes(report.sizes)] if report.sizes else []
    primary = _primary(report.results)
    if frozen := [r for r in primary if r.row.table == 2]:
        made.append(_frozen(frozen))
    for table in (3, 4, 5, EXTRA):
        if rows := [r for r in primary if r.row.table == table]:
            made.append(_fine_tuned(table, rows))
    return made


def beside(results: Sequence[RowResult]) -> Grid | None:
    """Rows run with independent views beside the same with shared ones; None if there are none."""
    keys = {r.row.key for r in results if r.views == "independent" and r.outcomes}
    rows = [
        (
            r.row.title,
            r.views,
            *_cells(r, "accuracy", "loss", "auc"),
            _range(_seeds(r)),
            str(len(r.outcomes)),
        )
        for r in results
        if r.row.key in keys and r.outcomes
    ]
    head = ("row", "views", "accuracy", "loss", "AUC", "one more seed", "seeds")
    return Grid(0, head, tuple(rows)) if rows else None


def csv_files(report: Report) -> dict[str, str]:
    """File name: content; every figure in its own column."""
    files = {}
    if report.sizes:
        files["table1.csv"] = csv_text(_SIZE_HEAD, map(_size_values, report.sizes))
    for table in (2, 3, 4, 5, EXTRA):
        rows = [_values(r) for r in report.results if r.row.table == table]
        if rows:
            name = "extra" if table == EXTRA else f"table{table}"
            files[f"{name}.csv"] = csv_text(list(rows[0]), [list(row.values()) for row in rows])
    return files


def markdown(grid: Grid) -> str:
    """A table as Markdown, with its title."""
    lines = [f"### {TITLES[grid.number]}", "", _line(grid.head), _line(["---"] * len(grid.head))]
    return "\n".join([*lines, *map(_line, grid.rows)]) + "\n"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _primary(results: Sequence[RowResult]) -> list[RowResult]:
    """One result for each row: that with shared views, where it has outcomes."""
    chosen: dict[str, RowResult] = {}
    for result in results:
        held = chosen.get(result.row.key)
        if held is None or _rank(result) > _rank(held):
            chosen[result.row.key] = result
    return list(chosen.values())


def _rank(result: RowResult) -> tuple[bool, bool]:
    return bool(result.outcomes), result.views == "shared"


def _sizes(sizes: Sequence[SizeResult]) -> Grid:
    head = ("backbone", "layers, paper", "layers, ours", "MiB, paper", "MiB, ours", "verdict")
    rows = []
    for size in sizes:
        theirs, ours = size.published, size.ours
        layers = [str(s.layers) if s else _NONE for s in (theirs, ours)]
        mebibytes = [f"{s.mebibytes:.2f}" if s else _NONE for s in (theirs, ours)]
        rows.append((size.name.removesuffix(", size"), *layers, *mebibytes, size.verdict))
    return Grid(1, head, tuple(rows))


def _frozen(results: Sequence[RowResult]) -> Grid:
    head = ("backbone", "pooling", "accuracy, paper", "accuracy, ours", "verdict", "95 %, paper",
            "95 %, ours", "one more seed", "loss, paper", "loss, ours", "AUC, ours",
            "seeds")  # fmt: skip
    return Grid(2, head, tuple(_frozen_row(result) for result in results))


def _frozen_row(r: RowResult) -> tuple[str, ...]:
    theirs = r.published if isinstance(r.published, paper.Frozen) else None
    accuracy, loss, auc = _cells(r, "accuracy", "loss", "auc")
    return (_backbone(r), r.row.pooling, f"{theirs.accuracy:.4f}" if theirs else _NONE, accuracy,
            r.verdict, _range(_published(r)), _range(_ours(r)), _range(_seeds(r)),
            f"{theirs.loss:.4f}" if theirs else _NONE, loss, auc, _count(r))  # fmt: skip


def _fine_tuned(table: int, results: Sequence[RowResult]) -> Grid:
    head: tuple[str, ...] = ("layers", "whose", "precision", "recall", "F1", "accuracy",
                             "verdict", "95 %", "one more seed", "AUC", "seeds")  # fmt: skip
    if table == EXTRA:
        head = ("backbone", "pooling", *head)
    rows = [
        ((_backbone(result), result.row.pooling) if table == EXTRA else ()) + row
        for result in results
        for row in _fine_tuned_rows(result)
    ]
    return Grid(table, head, tuple(rows))


def _fine_tuned_rows(r: RowResult) -> list[tuple[str, ...]]:
    """The paper's line, if it has one, then ours; precision, recall and F1 as the paper counts."""
    part = f"{100 * (r.row.fine_tune or 0):g} %"
    rows: list[tuple[str, ...]] = []
    if isinstance(t := r.published, paper.FineTuned):
        figures = [f"{x:.4f}" for x in (t.precision, t.recall, t.f1, t.accuracy)]
        auc = f"{r.published_auc:.2f}" if r.published_auc else _NONE
        rows.append((part, "paper", *figures, "", _range(_published(r)), _NONE, auc, _NONE))
    *figures, auc = _cells(r, "paper_precision", "paper_recall", "paper_f1", "accuracy", "auc")
    intervals = (_range(_ours(r)), _range(_seeds(r)))
    rows.append((part, "ours", *figures, r.verdict, *intervals, auc, _count(r)))
    return rows


def _backbone(r: RowResult) -> str:
    return (paper.BACKBONES | paper.OURS).get(r.row.backbone, r.row.backbone)


def _cells(r: RowResult, *names: str) -> list[str]:
    return [span(r.spreads[name], 3) if r.spreads else _NONE for name in names]


def _count(r: RowResult) -> str:
    own = " (own views)" if r.views == "independent" else ""
    return f"{len(r.outcomes)}{own}" if r.outcomes else _NONE


def _range(interval: Interval | None) -> str:
    return f"{interval[0]:.3f}–{interval[1]:.3f}" if interval else _NONE


def _published(r: RowResult) -> Interval | None:
    """Wilson's interval of the paper's accuracy, on its test photos."""
    if r.published is None:
        return None
    return wilson(round(r.published.accuracy * paper.TEST_PHOTOS), paper.TEST_PHOTOS)


def _ours(r: RowResult) -> Interval | None:
    """Wilson's interval of our mean accuracy, for one set of photos."""
    if not r.outcomes:
        return None
    n = r.outcomes[0].test.n
    return wilson(r.spreads["accuracy"].mean * n, n)


def _seeds(r: RowResult) -> Interval | None:
    """Where the accuracy of one more seed is expected."""
    if not r.outcomes:
        return None
    return prediction([o.test.right for o in r.outcomes], r.outcomes[0].test.n)


_SIZE_HEAD: Final = ("backbone", "paper_layers", "layers", "paper_mebibytes", "mebibytes",
                     "verdict")  # fmt: skip


def _size_values(size: SizeResult) -> tuple[Any, ...]:
    theirs, ours = size.published, size.ours
    return (size.backbone, theirs.layers if theirs else "", ours.layers if ours else "",
            theirs.mebibytes if theirs else "", ours.mebibytes if ours else "",
            size.verdict)  # fmt: skip


def _values(r: RowResult) -> dict[str, Any]:
    row = {
        "backbone": r.row.backbone,
        "pooling": r.row.pooling,
        "fine_tune": r.row.fine_tune if r.row.fine_tune is not None else "",
        "views": r.views,
        "seeds": len(r.outcomes),
    }
    for name in ("accuracy", "loss", "precision", "recall", "f1"):
        row[f"published_{name}"] = getattr(r.published, name, "")
    row |= _bounds("published_accuracy", _published(r))
    for name in FIGURES:
        spread = r.spreads.get(name)
        row[f"{name}_mean"] = spread.mean if spread else ""
        row[f"{name}_sd"] = spread.sd if spread and spread.sd is not None else ""
    row |= _bounds("accuracy", _ours(r)) | _bounds("one_more_seed", _seeds(r))
    row |= _bounds("difference", r.judgement.photos if r.judgement else None)
    return row | {"verdict": r.verdict, "seconds": round(r.seconds, 1), "sentence": r.sentence}


def _bounds(name: str, interval: Interval | None) -> dict[str, float | str]:
    low, high = interval or ("", "")
    return {f"{name}_low": low, f"{name}_high": high}
