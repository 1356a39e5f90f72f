"""A result as tables, for Markdown and for the page."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import median
from typing import Final

from corrosion_edge.benchmarks.peers.ratio import Ratio
from corrosion_edge.benchmarks.peers.result import Difference, Result, Row
from corrosion_edge.benchmarks.wording import gigabytes, megabytes, ms

__all__ = [
    "CAMERA",
    "MEASURES",
    "SCORES",
    "TIMES",
    "ahead",
    "below",
    "camera",
    "conditions",
    "converted",
    "heading",
    "markdown",
    "others",
    "scores",
    "times",
    "title",
]

MEASURES: Final = {"invoke": "network alone", "look": "whole path", "camera": "camera frame",
                   "starts": "first verdict"}  # fmt: skip
"""What is measured, by its name in a row, in words."""

TIMES: Final = (
    "peer", "cores", "network alone", "× ours", "× ours, processor time",
    "whole path", "× ours", "× ours, processor time",
)  # fmt: skip

CAMERA: Final = (
    "peer", "camera frame", "× ours", "× ours, processor time", "score differs, mean / most",
    "other labels",
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
        (
            title(row, ours),
            f"{row.busy_cores:.2f}",
            *_pair(row, ours, "invoke"),
            *_pair(row, ours, "look"),
        )
        for row in _measured(result, network)
    ]  # fmt: skip


def camera(result: Result, network: str) -> list[tuple[str, ...]]:
    """Rows of ``CAMERA``: those that were measured, none in a result of before it was."""
    ours = result.ours(network)
    return [
        (title(row, ours), *_pair(row, ours, "camera"), *_differing(row, ours, "camera_scores"))
        for row in _measured(result, network) if row.camera and ours.camera
    ]  # fmt: skip


def scores(result: Result, network: str) -> list[tuple[str, ...]]:
    """Rows of ``SCORES``: those that were measured."""
    ours = result.ours(network)
    return [_score_row(row, ours) for row in _measured(result, network)]


def others(result: Result, network: str) -> list[str]:
    """A line for each peer that was not measured, with its reason."""
    return [
        f"{row.title}: {row.reason}" for row in result.rows if row.network == network and row.reason
    ]


def converted(result: Result, network: str) -> list[str]:
    """A line on how the int8 file was made, none in a result of before it was told."""
    how = result.ours(network).converted
    return [f"The int8 file: {how}"] if how else []


def title(row: Row, ours: Row) -> str:
    """A row's name, and whether its weights are random where ours are trained."""
    return f"{row.title}, random weights" if ours.trained and not row.trained else row.title


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
    for row, (measure, words), cpu in product(
        _measured(result, network), MEASURES.items(), (False, True)
    ):
        if not (getattr(row, measure) and getattr(ours, measure)):
            continue
        found = row.times(ours, measure, cpu=cpu)
        if found.high < 1:
            measured = f"{words}{', processor time' * cpu}"
            yield f"{title(row, ours)}, {measured}: {found} times ours", found


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
                  *([_table(CAMERA, frames)] if (frames := camera(result, network)) else []),
                  _table(SCORES, scores(result, network))]  # fmt: skip
        lines = _lines(result, network)
        parts += ["\n".join(f"- {line}" for line in lines)] if lines else []
    parts.append("Ran on: " + "; ".join(_runtimes(result)) + ".")
    return "\n\n".join(parts) + "\n"


def _lines(result: Result, network: str) -> list[str]:
    return [
        *converted(result, network),
        *others(result, network),
        *(f"**Ahead**: {line}" for line in ahead(result, network)),
        *(f"Below ours in each: {line}" for line in below(result, network)),
    ]


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
    memory = "1" if row is ours else f"{row.memory(ours).value:.2f}"
    same, _ = _differing(row, ours, "prepared_scores")
    return title(row, ours), *start, peak, memory, same, *_differing(row, ours, "frame_scores")


def _differing(row: Row, ours: Row, kind: str) -> tuple[str, str]:
    """How far scores are from ours, and how many labels; nothing to tell of other weights."""
    if row is ours or row.trained != ours.trained:
        return _NOTHING, _NOTHING
    expected = getattr(ours, kind)
    found = Difference.of(getattr(row, kind), expected)
    return f"{found.mean:.4f} / {found.most:.3f}", f"{found.labels} of {len(expected)}"


def _runtimes(result: Result) -> list[str]:
    return list(dict.fromkeys(row.runtime for row in result.rows if row.runtime))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
