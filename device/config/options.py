"""``--config`` and ``--print-config``, to be put on a command."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from corrosion_edge.device.config.checking import Check, mistakes, options_of
from corrosion_edge.errors import KeyFileError, UsageError

__all__ = ["Configurable", "config_options", "show_config"]

_WORDS: Final = f"{__name__}.words"
_READ: Final = f"{__name__}.read"


def config_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config FILE``, whose values the command line overrules, and ``--print-config``.

    The command gets ``print_config``, and then calls ``show_config``.
    """
    for option in (_print, _config):
        function = option(function)
    return function


class Configurable(click.Command):
    """A command that remembers its words, so that ``show_config`` can say what they meant.

    Before it runs, all ``checks`` are made of its parameters: every mistake is told at once
    (UsageError). What is found wrong later with an option of the file is told with its line.
    """

    def __init__(self, *args: Any, checks: Sequence[Check] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.checks = checks

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command.parse_args``."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See ``click.Command.invoke``."""
        if said := mistakes(self.checks, ctx.params):
            told = [_placed(ctx, each) for each in said]
            raise UsageError("\n  ".join([f"{len(told)} mistakes", *told] if told[1:] else told))
        try:
            return super().invoke(ctx)
        except (UsageError, KeyFileError) as error:
            raise type(error)(_placed(ctx, str(error))) from None


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
    return _shadow(ctx, ctx.default_map or {}).params


def _shadow(ctx: click.Context, defaults: Mapping[str, Any]) -> click.Context:
    """The command's words and these ``defaults``, read without callbacks."""
    plain = [copy.copy(option) for option in ctx.command.params]
    for option in plain:
        option.callback = None
    shadow = click.Command("shadow", params=plain, add_help_option=False)
    return shadow.make_context("shadow", list(ctx.meta[_WORDS]), default_map=dict(defaults))


def _together(ctx: click.Context, values: Mapping[str, Any]) -> list[str]:
    """What the file's values must not be together with the command line's, which beat them."""
    try:
        read = _shadow(ctx, {**(ctx.default_map or {}), **values})
    except click.ClickException:
        return []  # the words themselves are wrong, which is told in its turn
    said = mistakes(getattr(ctx.command, "checks", ()), read.params)
    return [each for each in said if _is_of_file(read, each)]


def _is_of_file(ctx: click.Context, sentence: str) -> bool:
    """Whether an option that the sentence begins with has its value from the file."""
    from corrosion_edge.device.config.keys import keys_of

    parameters = {key.long_name: key.parameter for key in keys_of(ctx.command)}
    found = [parameters[name] for name in options_of(sentence) if name in parameters]
    return any(ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP for name in found)


def _placed(ctx: click.Context, sentence: str) -> str:
    """The sentence with file and line, where it is about an option of the file."""
    read = ctx.meta.get(_READ)
    if read is None or not _is_of_file(ctx, sentence):
        return sentence
    mistake = read.placed(sentence)
    return f"{read.file}:{mistake.line}: {mistake.text}" if mistake else sentence


def _load(ctx: click.Context, option: click.Parameter, file: Path | None) -> None:
    """Let the file's values stand in for the options' defaults: the command line beats them."""
    if file is None:
        return
    from corrosion_edge.device.config.configuration import Configuration
    from corrosion_edge.device.config.keys import keys_of
    from corrosion_edge.device.config.tables import keep

    read = Configuration.read(file, keys_of(ctx.command), ctx, partial(_together, ctx))
    ctx.meta[_READ] = read
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
