"""The option ``--threshold``: the model's own score, its score for a high recall, or a number."""

from typing import TYPE_CHECKING, Final

import click

from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.confidence import Confidence

__all__ = ["RECALL", "Choice", "chosen", "threshold_option"]

RECALL: Final = "recall"
"""The word for the threshold that was chosen for a stated recall."""

Choice = float | str | None
"""A score in [0, 1], ``RECALL``, or None for the model's own threshold."""


def _parsed(ctx: click.Context, option: click.Parameter, value: str | None) -> Choice:
    if value is None or value == RECALL:
        return value
    try:
        score = float(value)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise click.BadParameter(f"expected '{RECALL}' or a number from 0 to 1, got {value!r}")
    return score


threshold_option = click.option(
    "--threshold",
    callback=_parsed,
    metavar="recall|NUMBER",
    help="Score from which the verdict is corrosion: a number, or the model's threshold for "
    "high recall.  [default: the model's own]",
)
"""Adds ``--threshold`` to a command, which gets a ``Choice``."""


def chosen(choice: Choice, own: float, confidence: "Confidence | None", model: str) -> float:
    """The threshold in [0, 1] that ``choice`` means for the model file or run ``model``.

    UsageError where ``RECALL`` is asked of a model that carries no such threshold.
    """
    if choice != RECALL:
        return own if choice is None else float(choice)
    if confidence is None:
        raise UsageError(
            f"--threshold recall: {model} carries no threshold for a stated recall; give a number"
        )
    if confidence.remark:
        raise UsageError(f"--threshold recall: {model}: {confidence.remark}; give a number")
    return confidence.recall_threshold
