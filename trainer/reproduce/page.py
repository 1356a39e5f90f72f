"""The page of a reproduction: what agrees, the tables, a sentence for each row, the figures."""

from collections.abc import Mapping, Sequence
from typing import Final

from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render
from corrosion_edge.trainer.reproduce import paper
from corrosion_edge.trainer.reproduce.flow import flow_chart
from corrosion_edge.trainer.reproduce.rows import EXTRA
from corrosion_edge.trainer.reproduce.summary import Report, RowResult
from corrosion_edge.trainer.reproduce.tables import TITLES, beside, grids

__all__ = ["JUDGING", "SHARED_VIEWS", "page"]

SHARED_VIEWS: Final = (
    "Seeds with shared views are not wholly independent: they differ in the first weights of the "
    "logistic unit, in dropout and in the order of the photos, but train on the same random views "
    "of them. Their spread can be smaller than that of independent trainings, and the range of "
    "one more seed too narrow. Rows run with --independent-views show how much that is."
)
"""What a reader must know of seeds that share their views."""

JUDGING: Final = (
    "A row's accuracy differs from the paper's if both hold. First, the paper's figure lies "
    "outside the 95 % prediction interval for one more seed, mean ± t s √(1 + 1/k) over our k "
    "seeds (Student's t, k - 1 degrees of freedom; s at least 1/√12 of a photo, the rounding to "
    "whole photos). Second, the 95 % interval of the difference of the two proportions, by "
    "Newcombe's hybrid score method, excludes zero. With one seed only the second question can be "
    "asked. Otherwise the row agrees; “agrees (few photos)” means that the paper's figure is not "
    "one that our seeds would give, but that so few photos cannot tell the two apart.\n"
    "Both models are judged on the same photos, but which of them the paper's model got right is "
    "not known, so the two proportions are treated as independent. Models mostly fail on the same "
    "hard photos; the true interval is narrower, and a small real difference can pass here as "
    "agreement. “95 %” columns are Wilson's intervals for one test set; more seeds do not make "
    "more photos. Of 36 rows one or two would lie outside their prediction interval by chance "
    "alone. Only accuracy is judged; the other figures stand beside each other."
)
"""How agreement is defined."""

_LEGENDS: Final = {
    "curves": "Learning curves: lines are means over the seeds, bands go from the lowest to the "
    "highest; a dashed line is where the backbone's top layers begin to learn.",
    "verdicts": "Confusion matrices of the test photos: mean counts ± standard deviation. ROC "
    "curves: mean and, as a band, lowest to highest. Corrosion is positive.",
}
_ALTS: Final = {"curves": "accuracy and loss by epoch", "verdicts": "confusion matrix, ROC curve"}


def page(report: Report, pictures: Mapping[str, bytes]) -> str:
    """One self-contained page. ``pictures`` has the plots of ``plots`` by ``<row key>_<kind>``."""
    sections = [
        Section("In short", _short(report)),
        *(_section(report, number) for number in _numbers(report)),
        *_views(report),
        Section("Row by row", [Table(("row", "finding"), report.findings)]),
        Section("How agreement is judged", [Text(JUDGING)]),
        Section("Figure 6: the method", [_flow(report)]),
        *_photos(report),
        *_plots(report, pictures),
        Section("To run it again", [_facts(report)]),
    ]
    title = "Reproduction: corrosion classification with EfficientNetV2"
    return render(Page(title, f"{paper.CITATION}. Made {report.facts['made']}.", sections))


def _short(report: Report) -> list[Block]:
    tally = "; ".join(f"{word}: {n}" for word, n in report.tally.items()) or "none"
    blocks: list[Block] = [Text(f"Rows of the paper's Tables 2 to 5 by verdict: {tally}.")]
    blocks += [Text(words, "warning") for words in _warnings(report)]
    return blocks


def _warnings(report: Report) -> list[str]:
    found = []
    if not report.comparable:
        found.append("A trial: the number of epochs is not the paper's. Nothing here is "
                     "comparable with the paper, and no row is judged.")  # fmt: skip
    for name, theirs in paper.SPLIT.items():
        counts = report.data["photos"].get(name, {"corrosion": 0, "no-corrosion": 0})
        ours = (counts["corrosion"], counts["no-corrosion"])
        if ours != theirs:
            found.append(_other_photos(name, ours, theirs))
    if any(r.views == "shared" and len(r.outcomes) > 1 for r in report.results):
        found.append(SHARED_VIEWS)
    return found


def _other_photos(name: str, ours: tuple[int, int], theirs: tuple[int, int]) -> str:
    kind = "training" if name == "train" else name
    text = (
        f"The {kind} photos are not the paper's: {ours[0]} with and {ours[1]} without corrosion, "
        f"the paper has {theirs[0]} and {theirs[1]}."
    )
    if name == "test":
        text += " Agreement then says that accuracies are alike, not that the method's result is."
    return text


def _numbers(report: Report) -> list[int]:
    return [grid.number for grid in grids(report)]


def _section(report: Report, number: int) -> Section:
    grid = next(grid for grid in grids(report) if grid.number == number)
    return Section(TITLES[number], [Table(grid.head, grid.rows, _caption(number))])


def _caption(number: int) -> str:
    if number == 1:
        return "MiB of float32 parameters; ours as this version of Keras builds the network"
    counts = "ours: mean ± standard deviation over the seeds"
    if number == 2:
        return f"Test photos; {counts}; one more seed: 95 % prediction interval"
    return (
        "Test photos; layers: the part of the backbone's, from the top, that is fine-tuned; "
        "precision, recall and F1 as the paper counts, no corrosion is positive; "
        f"{counts}; one more seed: 95 % prediction interval"
    )


def _views(report: Report) -> list[Section]:
    grid = beside(report.results)
    if grid is None:
        return []
    caption = "The same rows with views shared by all seeds and with each seed's own"
    return [Section("Independent views beside shared ones", [Table(grid.head, grid.rows, caption)])]


def _flow(report: Report) -> Figure:
    words = "From photos through augmentation, network and training to the figures of merit"
    return Figure(flow_chart(report.data, report.method), "The method, as it was run here", words)


def _photos(report: Report) -> list[Section]:
    figures = [
        Figure(png, f"{name}, made from the user's photos", name)
        for name, png in report.photos.items()
    ]
    return [Section("Figures 4 and 5: photos", figures)] if figures else []


def _plots(report: Report, pictures: Mapping[str, bytes]) -> list[Section]:
    kinds = {
        "Figures 7 to 20: learning curves of Table 2": ((2,), ("curves",)),
        "Figures 21 to 32: verdicts of Tables 3 to 5": ((3, 4, 5), ("verdicts", "curves")),
        "Verdicts of the rows beyond the paper": ((EXTRA,), ("verdicts", "curves")),
    }
    sections = []
    for title, (tables, names) in kinds.items():
        rows = [r for r in report.results if r.row.table in tables and r.outcomes]
        if rows:
            words = "\n".join(_LEGENDS[name] for name in names)
            sections.append(Section(title, [Text(words), *_figures(rows, names, pictures)]))
    return sections


def _figures(
    rows: Sequence[RowResult], kinds: Sequence[str], pictures: Mapping[str, bytes]
) -> list[Figure]:
    return [
        Figure(pictures[f"{r.stem}_{kind}"], _title(r), f"{_title(r)}: {_ALTS[kind]}")
        for r in rows
        for kind in kinds
    ]


def _title(result: RowResult) -> str:
    seeds = len(result.outcomes)
    return f"{result.name}, {seeds} seed{'s' * (seeds > 1)}"


def _facts(report: Report) -> Table:
    settings = ", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in report.method.items())
    origins = sorted({o.origin for r in report.results for o in r.outcomes})
    hours = sum(r.seconds for r in report.results) / 3600
    rows = [
        *((key, value) for key, value in report.facts.items()),
        ("settings", settings),
        ("weights", "\n".join(origins) or "none were used"),
        ("training took", f"{hours:.1f} hours in all"),
        ("data fingerprint", report.data["fingerprint"]),
    ]
    return Table(("what", "value"), rows)
