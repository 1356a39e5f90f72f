"""``--config`` and ``--print-config``, to be put on a command."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

__all__ = ["Configurable", "config_options", "show_config"]

_WORDS: Final = f"{__name__}.words"


def config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config FILE``, whose values the command line overrules, and ``--print-config``.

    The command gets ``print_config``, and then calls ``show_config``.
    """
    for option in (_print, _config):
        function = option(function)
    return function


class Configurable(click.Command):
    """A command that remembers its words, so that ``show_config`` can say what they meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command.parse_args``."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)


def show_config(ctx: click.Context) -> None:
    """Print the options in force as TOML; the command is ``Configurable``."""
    from corrosion_edge.device.config.keys import keys_of
    from corrosion_edge.device.config.printing import printed, printed_tables
    from corrosion_edge.device.config.tables import tables_of

    keys = keys_of(ctx.command)
    click.echo(printed(keys, _given(ctx), Path.cwd()), nl=False)
    click.echo(printed_tables(keys, tables_of(ctx)), nl=False)


def _given(ctx: click.Context) -> dict[str, Any]:
    """The parameters as they were given, before callbacks made something else of them."""
    plain = [copy.copy(option) for option in ctx.command.params]
    for option in plain:
        option.callback = None
    shadow = click.Command("shadow", params=plain, add_help_option=False)
    words = list(ctx.meta[_WORDS])
    return shadow.make_context("shadow", words, default_map=ctx.default_map).params


def _load(ctx: click.Context, option: click.Parameter, file: Path | None) -> None:
    """Let the file's values stand in for the options' defaults: the command line beats them."""
    if file is None:
        return
    from corrosion_edge.device.config.configuration import Configuration
    from corrosion_edge.device.config.keys import keys_of
    from corrosion_edge.device.config.tables import keep

    read = Configuration.read(file, keys_of(ctx.command), ctx)
    ctx.default_map = {**(ctx.default_map or {}), **read.values}
    keep(ctx, read.cameras)


_config = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="Take options from this TOML file; those given here win.",
)
_print = click.option(
    "--print-config",
    is_flag=True,
    help="Print the options in force as TOML for --config, and end.",
)
