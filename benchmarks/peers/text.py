"""A result as tables, for Markdown and for the page."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from typing import Final

from corrosion_edge.benchmarks.peers.ratio import Ratio
from corrosion_edge.benchmarks.peers.result import Difference, Result, Row
from corrosion_edge.benchmarks.wording import gigabytes, megabytes, ms

__all__ = [
    "MEASURES",
    "SCORES",
    "TIMES",
    "ahead",
    "below",
    "conditions",
    "heading",
    "markdown",
    "others",
    "scores",
    "times",
]

MEASURES: Final = {"invoke": "network alone", "look": "whole path", "starts": "first verdict"}
"""What is measured, by its name in a row, in words."""

TIMES: Final = (
    "peer", "cores", "network alone", "× ours", "× ours, processor time",
    "whole path", "× ours", "× ours, processor time",
)  # fmt: skip

SCORES: Final = (
    "peer", "first verdict", "× ours", "× ours, processor time", "peak memory", "× ours",
    "same input: score differs, mean / most", "whole path: score differs, mean / most",
    "other labels",
)  # fmt: skip

_NOTHING: Final = "-"


def heading(result: Result, network: str) -> str:
    """The network's name, and whether it is trained."""
    trained = result.ours(network).trained
    return network if trained else f"{network} (untrained: latency only)"


def times(result: Result, network: str) -> list[tuple[str, ...]]:
    """Rows of ``TIMES``: those that were measured."""
    ours = result.ours(network)
    return [
        (row.title, f"{row.busy_cores:.2f}", *_pair(row, ours, "invoke"), *_pair(row, ours, "look"))
        for row in _measured(result, network)
    ]


def scores(result: Result, network: str) -> list[tuple[str, ...]]:
    """Rows of ``SCORES``: those that were measured."""
    ours = result.ours(network)
    return [_score_row(row, ours) for row in _measured(result, network)]


def others(result: Result, network: str) -> list[str]:
    """A line for each peer that was not measured, with its reason."""
    return [
        f"{row.title}: {row.reason}" for row in result.rows if row.network == network and row.reason
    ]


def ahead(result: Result, network: str) -> list[str]:
    """A line for each measure in which a peer's whole interval lies below ours.

    By elapsed and by processor time: the latter tells small things that other programs hide.
    """
    return [line for line, found in _below(result, network) if found.verdict == "faster"]


def below(result: Result, network: str) -> list[str]:
    """A line for each measure in which all rounds lie below ours, but are too few to be sure."""
    return [line for line, found in _below(result, network) if found.verdict != "faster"]


def _below(result: Result, network: str) -> Iterator[tuple[str, Ratio]]:
    ours = result.ours(network)
    for row, (measure, title), cpu in product(
        _measured(result, network), MEASURES.items(), (False, True)
    ):
        found = row.times(ours, measure, cpu=cpu)
        if found.high < 1:
            yield f"{row.title}, {title}{', processor time' * cpu}: {found} times ours", found


def conditions(result: Result) -> list[str]:
    """Command, time, machine and what else ran."""
    m = result.machine
    others = result.others_cores
    used = others if isinstance(others, str) else f"{others:.1f}"
    return [
        f"`{result.command}`, {result.started_at} to {result.finished_at}",
        f"{m['cpu']}, {m['cores']} cores, memory {gigabytes(m['memory_bytes'])}; {m['os']}; "
        f"Python {str(m['python']).split()[-1]}, NumPy {m['numpy']}, Pillow {m['pillow']}",
        f"{result.threads} thread{'s' * (result.threads > 1)}, {result.rounds} rounds; "
        f"{result.pictures}",
        f"Load average meanwhile: {min(result.loads):.1f} to {max(result.loads):.1f}, median "
        f"{median(result.loads):.1f}; other programs used {used} cores",
    ]


def markdown(result: Result) -> str:
    """The whole result."""
    parts = ["\n".join(f"- {line}" for line in conditions(result))]
    for network in result.networks:
        parts += [f"### {heading(result, network)}", _table(TIMES, times(result, network)),
                  _table(SCORES, scores(result, network))]  # fmt: skip
        lines = [*others(result, network), *(f"**Ahead**: {a}" for a in ahead(result, network)),
                 *(f"Below ours in each: {b}" for b in below(result, network))]  # fmt: skip
        parts += ["\n".join(f"- {line}" for line in lines)] if lines else []
    parts.append("Ran on: " + "; ".join(_runtimes(result)) + ".")
    return "\n\n".join(parts) + "\n"


def _measured(result: Result, network: str) -> list[Row]:
    return [row for row in result.rows if row.network == network and not row.reason]


def _pair(row: Row, ours: Row, measure: str) -> tuple[str, str, str]:
    value = ms(row.median_ms(measure))
    if row is ours:
        return value, "1", "1"
    return value, str(row.times(ours, measure)), str(row.times(ours, measure, cpu=True))


def _score_row(row: Row, ours: Row) -> tuple[str, ...]:
    start = _pair(row, ours, "starts")
    peak = megabytes(int(median(s.peak_bytes for s in row.starts)))
    if row is ours:
        return row.title, *start, peak, "1", *[_NOTHING] * 3
    same = Difference.of(row.prepared_scores, ours.prepared_scores)
    whole = Difference.of(row.frame_scores, ours.frame_scores)
    return (
        row.title, *start, peak, f"{row.memory(ours).value:.2f}",
        *(f"{d.mean:.4f} / {d.most:.3f}" for d in (same, whole)),
        f"{whole.labels} of {len(ours.frame_scores)}",
    )  # fmt: skip


def _runtimes(result: Result) -> list[str]:
    return list(dict.fromkeys(row.runtime for row in result.rows if row.runtime))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
