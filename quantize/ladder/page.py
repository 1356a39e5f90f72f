"""The rungs as a section of the page about a conversion, and as lines on the terminal."""

from collections.abc import Sequence
from typing import Final

from corrosion_edge.quantize.ladder.ladder import AIMS, Rung
from corrosion_edge.report import Section, Table, Text

__all__ = ["HEAD", "rung_rows", "rungs_section"]

HEAD: Final = (
    "rung",
    "mean change",
    "largest",
    "same verdict",
    "AUC drop",
    "more false alarms",
    "aims missed",
    "seconds",
)


def rung_rows(rungs: Sequence[Rung]) -> list[tuple[str, ...]]:
    """A row of ``HEAD`` for each rung."""
    return [
        (
            rung.name,
            f"{rung.report.mean_change:.4f}",
            f"{rung.report.largest_change:.3f}",
            f"{rung.report.agreement:.2%}",
            f"{rung.report.auc_drop:+.4f}",
            f"{rung.alarm_rise:+.2%}",
            ", ".join(rung.missed).replace("_", " ") or "none",
            f"{rung.seconds:.0f}",
        )
        for rung in rungs
    ]


def rungs_section(rungs: Sequence[Rung], taken: Rung) -> Section:
    """What was tried, what each rung gained and cost, and which one was taken."""
    aims = (
        f"Aims: mean change at most {AIMS.mean_change:g}, largest {AIMS.largest_change:g}, AUC "
        f"within {AIMS.auc_drop:g}, same verdict {AIMS.agreement:.0%}, on further photos without "
        "corrosion no more false alarms than the float model. The first rung that reaches all is "
        "taken, else the one with the least mean change of those within the limits."
    )
    blocks: list[Text | Table] = [
        Text(f"Taken: {taken.name} ({taken.what})."),
        Table(HEAD, rung_rows(rungs), aims),
        Table(("rung", "what was done"), [(rung.name, rung.what) for rung in rungs]),
    ]
    for rung in rungs:
        if changes := rung.notes.get("mean_change_by_ranges"):
            rows = [(name, f"{change:.4f}") for name, change in changes.items()]
            caption = "Ways to choose ranges, compared in a simulation of int8"
            blocks.append(Table(("ranges by", "mean change"), rows, caption))
    return Section("Ways of conversion that were tried", blocks)
