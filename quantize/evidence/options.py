"""Options that ``quantize`` and ``drift`` share, those of the limits made from ``Limits``."""

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import click

from corrosion_edge.number import Number
from corrosion_edge.quantize.evidence.further import Further
from corrosion_edge.quantize.evidence.limits import Limits

__all__ = ["also_options", "limit_options"]

_FRACTION = Number(0, 1)
Command = Callable[..., Any]


def limit_options(command: Command) -> Command:
    """Add an option for each of the ``Limits``; the command gets them as ``limits``."""

    @functools.wraps(command)
    def gathered(**values: Any) -> Any:
        limits = Limits(**{f.name: values.pop(f"limit_{f.name}") for f in fields(Limits)})
        return command(**values, limits=limits)

    for limit in reversed(fields(Limits)):
        option = click.option(
            limit.metadata["option"],
            f"limit_{limit.name}",
            default=limit.default,
            show_default=True,
            type=_FRACTION,
            help=limit.metadata["help"],
        )
        gathered = option(gathered)
    return gathered


def also_options(command: Command) -> Command:
    """Add ``--also`` and ``--also-clean``; the command gets a tuple of ``Further``: ``also``."""

    @functools.wraps(command)
    def gathered(**values: Any) -> Any:
        labelled, clean = values.pop("also"), values.pop("also_clean")
        also = [Further.parse(text, clean=False) for text in labelled]
        also += [Further.parse(text, clean=True) for text in clean]
        return command(**values, also=tuple(also))

    plain = click.option(
        "--also-clean",
        multiple=True,
        metavar="[NAME=]FOLDER",
        help="Compare on these photos too, none of which shows corrosion, such as things that "
        "merely look rusty; can be repeated.",
    )
    labelled = click.option(
        "--also",
        multiple=True,
        metavar="[NAME=]FOLDER",
        help="Compare on this folder with its two class folders too; can be repeated.",
    )
    return labelled(plain(gathered))
