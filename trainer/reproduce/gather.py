"""From a ledger to a report, and from a report to its files."""

from collections.abc import Mapping
from pathlib import Path

from corrosion_edge import output
from corrosion_edge.trainer.reproduce import facts, paper, pictures
from corrosion_edge.trainer.reproduce.flow import flow_chart
from corrosion_edge.trainer.reproduce.ledger import Ledger
from corrosion_edge.trainer.reproduce.page import page
from corrosion_edge.trainer.reproduce.reproduce import Request
from corrosion_edge.trainer.reproduce.rows import Outcome, Row, Views
from corrosion_edge.trainer.reproduce.sizes import SizeResult
from corrosion_edge.trainer.reproduce.summary import Report, RowResult
from corrosion_edge.trainer.reproduce.tables import csv_files, grids, markdown

__all__ = ["gather", "write"]

_NOT_YET = "it was not reached yet"
_Key = tuple[str, Views]


def gather(request: Request, command: str, photos: Mapping[str, bytes]) -> Report:
    """All that the ledger holds, and what was asked for and is not there (DataError)."""
    ledger = Ledger.read(request.ledger)
    notes, method = ledger.notes(), ledger.identity["method"]
    epochs = (method["frozen_epochs"], *method["fine_tune_epochs"])
    comparable = epochs == paper.EPOCHS
    return Report(
        sizes=_sizes(request, ledger),
        results=_results(request, ledger, notes["not_run"], comparable),
        data=notes["data"],
        method=method,
        facts={
            "command": command,
            "made": facts.now(),
            "machine": "; ".join(notes["machines"]),
            "versions": ", ".join(f"{k} {v}" for k, v in notes["versions"].items()),
        },
        comparable=comparable,
        photos=photos,
    )


def write(report: Report, out: Path) -> None:
    """Write results.json, a CSV and a Markdown file for each table, figures and report.html."""
    output.write(out / "results.json", output.json_text(report.to_dict(outcomes=True)))
    for name, content in csv_files(report).items():
        output.write(out / name, content)
    for grid in grids(report):
        output.write(out / f"{grid.name}.md", markdown(grid))
    plots = pictures.of_report(report)
    _write_figures(out, plots, report)
    output.write(out / "report.html", page(report, plots))


def _write_figures(out: Path, plots: Mapping[str, bytes], report: Report) -> None:
    folder = output.make_folder(out / "figures")
    output.write(folder / "method.svg", flow_chart(report.data, report.method))
    for name, png in plots.items():
        output.write(folder / f"{name}.png", png)
    for title, png in report.photos.items():
        place = output.make_folder(out / "photos")
        output.write(place / f"{title.split(':')[0].lower().replace(' ', '')}.png", png)


def _sizes(request: Request, ledger: Ledger) -> list[SizeResult]:
    known = ledger.sizes()
    order = (*paper.BACKBONES, *paper.OURS)
    names = sorted({*known, *request.selection.sizes()}, key=lambda n: (n not in order, n))
    names.sort(key=lambda n: order.index(n) if n in order else len(order))
    return [SizeResult(name, known.get(name), _NOT_YET) for name in names]


def _results(
    request: Request, ledger: Ledger, reasons: Mapping[str, str], comparable: bool
) -> list[RowResult]:
    """Rows asked for and rows that are there, table after table, in the paper's order."""
    rows: dict[_Key, Row] = {}
    outcomes: dict[_Key, list[Outcome]] = {}
    for stored in ledger.outcomes():
        key = (stored.outcome.row.key, stored.outcome.views)
        rows[key] = stored.outcome.row
        outcomes.setdefault(key, []).append(stored.outcome)
    asked: dict[_Key, Row] = {(r.key, request.views): r for r in request.selection.rows()}
    made = [
        RowResult(
            row=row,
            views=key[1],
            outcomes=tuple(outcomes.get(key, ())),
            asked=request.seed_numbers if key in asked else (),
            reason=reasons.get(key[0], _NOT_YET),
            comparable=comparable,
        )
        for key, row in (rows | asked).items()
    ]
    return sorted(made, key=_order)


def _order(result: RowResult) -> tuple[int, int, str, float, bool]:
    names = (*paper.BACKBONES, *paper.OURS, result.row.backbone)
    row = result.row
    place = names.index(row.backbone)
    return row.table, place, row.pooling, row.fine_tune or 0, result.views != "shared"
