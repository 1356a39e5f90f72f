"""Options of ``reproduce`` that are lists with commas: callbacks for click (BadParameter)."""

import click

__all__ = ["epochs", "numbers", "words"]


def words(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """A list with commas; None where the option was not given."""
    if value is None:
        return None
    found = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    if not found:
        raise click.BadParameter("expected at least one")
    return found


def numbers(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """The same of numbers."""
    given = words(ctx, parameter, value)
    try:
        return None if given is None else tuple(map(float, given))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of fractions, such as 0.1,0.2") from None


def epochs(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int, int] | None:
    """Three whole numbers of 1 or more; None where the option was not given."""
    if value is None:
        return None
    try:
        frozen, head, top = (int(word) for word in value.split(","))
    except ValueError:
        frozen = head = top = 0
    if min(frozen, head, top) < 1:
        raise click.BadParameter(f"{value!r} is not three whole numbers, such as 50,25,25")
    return frozen, head, top
