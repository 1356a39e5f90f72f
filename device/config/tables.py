"""``[camera.NAME]``: what is said of one camera alone, with the keys of the options for all."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
from click.core import ParameterSource

from corrosion_edge.device.config.keys import Key
from corrosion_edge.device.naming import is_name

__all__ = ["SECTION", "TABLE_KEYS", "Table", "keep", "keys_of_table", "require_name", "tables_of"]

SECTION: Final = "camera"

TABLE_KEYS: Final[Mapping[str, str]] = {
    "source": "camera",
    **{name: name for name in ("resolution", "rate", "rotate", "roi", "tiles", "interval")},
    **{name: name for name in ("asset", "position")},
}
"""A table's keys, and for each the option whose meaning and checks it has."""

_SOURCE: Final = "source"
_META: Final = f"{__name__}.tables"


@dataclass(frozen=True, slots=True)
class Table:
    """One camera's table: as ``given`` by key, and the ``values`` that the options make of them.

    ``values`` go by the names of the command's parameters, and ``source`` instead of camera.
    """

    given: Mapping[str, Any]
    values: Mapping[str, Any]


def keys_of_table(keys: Sequence[Key], name: str) -> dict[str, Key]:
    """The keys of that camera's table, by their names; none for a command without cameras."""
    known = {key.long_name: key for key in keys}
    if TABLE_KEYS[_SOURCE] not in known:
        return {}
    return {
        own: Key(f"{SECTION}.{name}", own, _one(known[option].option))
        for own, option in TABLE_KEYS.items()
        if option in known
    }


def require_name(name: str) -> None:
    """ValueError for what cannot be a camera's name."""
    if not is_name(name):
        raise ValueError(
            f"{name!r} is no name for a camera: expected up to 32 letters, digits, '-' and '_'"
        )


def keep(ctx: click.Context, tables: Mapping[str, Table]) -> None:
    """Remember a file's tables for the command that is about to run."""
    ctx.meta[_META] = dict(tables)


def tables_of(ctx: click.Context) -> dict[str, Table]:
    """The tables in force: without what the command line says otherwise for all cameras."""
    if _said(ctx, "camera"):
        return {}
    return {name: _without(table, ctx) for name, table in ctx.meta.get(_META, {}).items()}


def _without(table: Table, ctx: click.Context) -> Table:
    return Table(
        {name: value for name, value in table.given.items() if not _said(ctx, name)},
        {name: value for name, value in table.values.items() if not _said(ctx, name)},
    )


def _said(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _one(option: click.Option) -> click.Option:
    """The option, for a single value."""
    single = copy.copy(option)
    single.multiple, single.default = False, None
    return single
