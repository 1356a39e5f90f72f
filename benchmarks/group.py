"""A command with subcommands beside its own arguments."""

from collections.abc import Callable
from typing import Any, Final

import click

__all__ = ["DefaultGroup"]

_OWN: Final = "\0"  # no argument of a program can be called so


class DefaultGroup(click.Group):
    """A group that is a command itself: what does not begin with a subcommand's name is its own.

    The own command is made with ``default``; its help lists the subcommands too.
    """

    def default(self, function: Callable[..., Any]) -> click.Command:
        """Make a function the own command."""
        made = click.command(_OWN, cls=_Default, help=self.help, hidden=True)(function)
        made.group = self
        self.add_command(made)
        return made

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the first argument for a subcommand only if there is one of this name."""
        named = bool(args) and args[0] in self.commands
        return super().parse_args(ctx, args if named else [_OWN, *args])


class _Default(click.Command):
    """It goes by the name of its ``group``."""

    group: DefaultGroup

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        assert parent is not None
        return super().make_context(parent.info_name, args, parent=parent.parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        others = [(name, one) for name, one in self.group.commands.items() if one is not self]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(80)) for name, one in others])
