"""A result as one self-contained page."""

from typing import Final

from corrosion_edge.benchmarks.machine import Machine
from corrosion_edge.benchmarks.peers import bars, text
from corrosion_edge.benchmarks.peers.ratio import LEAST, Ratio
from corrosion_edge.benchmarks.peers.result import Result
from corrosion_edge.benchmarks.peers.rounds import INVOKES, LEAD, LOOKS
from corrosion_edge.benchmarks.wording import machine_rows
from corrosion_edge.report import Block, Figure, Page, Section, Table, Text, render

__all__ = ["html"]

_CAMERA: Final = (
    "A decoded picture in YUV 4:2:0 to its verdict: ours scaled in its source, through watch's "
    "quality gate; the others' turned into RGB first"
)


def html(result: Result) -> str:
    """One HTML document."""
    sections = [Section(text.heading(result, name), _network(result, name))
                for name in result.networks]  # fmt: skip
    machine = Machine(**result.machine)
    sections += [
        Section("Machine", [Table(("fact", "value"), machine_rows(machine))]),
        Section("How it was measured", [Text(_method(result))]),
    ]
    subtitle = f"{machine.cpu} · {machine.os} · {result.finished_at}"
    return render(Page("Peers, side by side", subtitle, sections))


def _network(result: Result, network: str) -> list[Block]:
    ahead = text.ahead(result, network)
    marks: list[Block] = [Text("Ahead of us:\n" + "\n".join(ahead), "warning")] if ahead else []
    below = text.below(result, network)
    marks += [Text("Below ours in each of too few:\n" + "\n".join(below))] if below else []
    absent = text.others(result, network)
    converted = text.converted(result, network)
    marks += [Text(converted[0])] if converted else []
    marks += [Text("Not measured:\n" + "\n".join(absent))] if absent else []
    return [
        *marks,
        *_figures(result, network),
        Table(
            text.TIMES,
            text.times(result, network),
            "Medians over rounds, in brackets their 95 % interval unless it says a range; cores: "
            "processor time by elapsed time",
        ),
        *(
            [Table(text.CAMERA, frames, _CAMERA)]
            if (frames := text.camera(result, network))
            else []
        ),
        Table(text.SCORES, text.scores(result, network), "1 MB is 10^6 bytes"),
    ]


def _figures(result: Result, network: str) -> list[Block]:
    ours = result.ours(network)
    rows = [row for row in result.rows
            if row.network == network and not row.reason and row is not ours]  # fmt: skip
    if not rows:
        return []
    return [
        Figure(
            bars.drawing([(text.title(row, ours), row.times(ours, measure)) for row in rows]),
            f"{title}: times as long as ours, with {_kind(rows[0].times(ours, measure))}; right "
            "of 1 is slower",
            f"A dot for each peer's ratio to ours, {title}",
        )
        for measure, title in text.MEASURES.items()
        if all(getattr(row, measure) for row in (ours, *rows))
    ]


def _kind(found: Ratio) -> str:
    return "the interval of 95 %" if found.count >= LEAST else f"the range of {found.count}"


def _method(result: Result) -> str:
    return (
        "\n".join(text.conditions(result)) + "\n"
        "Each peer is a process of its own, and all of them are open. In each round each has a "
        f"turn, in an order drawn anew, while the others wait: {LEAD + INVOKES} runs of the "
        f"network alone and {LEAD + LOOKS} of a file's and a frame's whole path, of each the first "
        f"{LEAD} not counted. A round's ratio is that of the turns' medians; given are the median "
        f"over rounds and its 95 % interval (the sign test's, from {LEAST} rounds on; of fewer "
        "their range). Processor time is all threads' of a turn. First verdict: from the spawn of "
        "a fresh process to its first answer, with the peak of its resident memory then. "
        "Differences of scores are absolute, against ours."
    )
