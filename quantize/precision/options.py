"""Options of ``quantize`` about precisions; they import nothing heavy."""

from typing import Any

import click

from corrosion_edge.errors import UsageError
from corrosion_edge.precision import INT8, PRECISIONS
from corrosion_edge.quantize.precision.names import COMPARED

__all__ = ["compare_option", "precision_option", "require_int8"]

_ALL = "all"


def _names(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Every name once, in the order given; lists are split at commas."""
    names = [name.strip() for words in given for name in words.split(",")]
    if wrong := [name for name in names if name not in (*COMPARED, _ALL)]:
        expected = ", ".join((*COMPARED, _ALL))
        raise click.BadParameter(f"expected of {expected}; got {wrong[0]!r}", ctx, option)
    return COMPARED if _ALL in names else tuple(dict.fromkeys(names))


precision_option: Any = click.option(
    "--precision",
    default=INT8,
    show_default=True,
    type=click.Choice(list(PRECISIONS)),
    help="int8 is for devices; the others are for diagnosis, and their outputs are real numbers.",
)

compare_option: Any = click.option(
    "--compare",
    multiple=True,
    callback=_names,
    metavar="NAME,…",
    help=f"Compare size, latency and drift with other conversions ({', '.join(COMPARED)}; all).",
)


def require_int8(precision: str) -> None:
    """UsageError where another precision comes with an option, given and not left, for int8."""
    given = click.get_current_context().get_parameter_source
    for name in ("effort", "target", "layers"):
        if precision != INT8 and given(name) is not click.core.ParameterSource.DEFAULT:
            raise UsageError(
                f"--{name} is about int8 conversions, got --precision {precision}: leave it out"
            )
