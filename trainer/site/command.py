"""The command ``train`` with ``--from``: its options, what it prints."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from corrosion_edge.errors import UsageError

if TYPE_CHECKING:
    from corrosion_edge.trainer.recipe import Recipe
    from corrosion_edge.trainer.site.outcome import Outcome

__all__ = ["for_site", "read_recipe", "tune_command"]

_OWN: Final = ("old", "labels", "forget_limit", "no_replay")
_RUNS: Final = ("backbone", "pooling", "fine_tune", "epochs", "image_size", "weights", "split",
                "tensorboard")  # fmt: skip
_RUNS_KEYS: Final = ("backbone", "pooling", "image_size", "source_size", "batch_norm")


def for_site(options: Mapping[str, Any]) -> bool:
    """Whether ``train`` is to go on from a run.

    UsageError for options that do not go together.
    """
    if options["from_run"] is None:
        if given := _given(_OWN):
            raise UsageError(f"{given}: is for a run to go on from; name that with --from")
        return False
    if given := _given(_RUNS):
        raise UsageError(f"{given}: with --from it is the run's own, or the recipe's; leave it out")
    if (options["old"] is None) != options["no_replay"]:
        raise UsageError(
            "--old: name the photos that the run was trained on, so that they are replayed and "
            "what is forgotten is measured, or say --no-replay; one of the two"
        )
    return True


def read_recipe(name: str) -> "Recipe":
    """The recipe for sites that ships, or a user's own (UsageError).

    One that speaks of what the run decides is refused.
    """
    from corrosion_edge.trainer import recipe_file

    if name == "site":
        shipped = resources.files("corrosion_edge.trainer.recipes").joinpath("site.toml")
        with resources.as_file(shipped) as path:
            return recipe_file.read(str(path))
    recipe = recipe_file.read(name)
    for key in _RUNS_KEYS:
        if key in tomllib.loads(recipe.text):
            raise UsageError(f"--recipe: {name}: {key} is the run's own; leave it out")
    return recipe


def tune_command(data: Path, out: Path, options: Mapping[str, Any], *, as_json: bool) -> None:
    """Train, print, and end with exit code 1 if photos were left out."""
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer.site.figures import Limits
    from corrosion_edge.trainer.site.site import Request, tune

    auc, accuracy = options["forget_limit"]
    request = Request(
        site=data,
        run=options["from_run"],
        recipe=read_recipe(options["recipe"] if _given(("recipe",)) else "site"),
        old=options["old"],
        labels=options["labels"],
        positive=options["positive"],
        limits=Limits(auc=auc, accuracy=accuracy),
        seed=options["seed"],
        cache_bytes=int(options["cache_size"] * 1e9),
    )
    outcome = tune(request, out)
    if as_json:
        click.echo(json_text(outcome.to_dict()), nl=False)
    else:
        _print(outcome)
    for note in outcome.notes:
        click.echo(f"note: {note}", err=True)
    for sentence in outcome.unreadable:
        click.echo(f"left out: {sentence}", err=True)
    click.echo(f"Written: {out / 'report.html'}", err=True)
    if outcome.unreadable:
        click.get_current_context().exit(1)


def _print(outcome: "Outcome") -> None:
    from corrosion_edge.trainer.report import confidence_origin
    from corrosion_edge.trainer.site.page import change_rows, headline

    click.echo(f"\n{headline(outcome)}")
    click.echo(f"{outcome.site['labels']}; measured by: {outcome.site['measured_by']}")
    click.echo(f"chosen: {outcome.contest.chosen.name}\n")
    head = ("photos", "figure", "before", "after", "change", "p")
    rows = [head, *change_rows(outcome.changes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo(f"  {'  '.join(cells).rstrip()}")
    click.echo(f"  {confidence_origin(outcome.confidence)}")


def _given(names: tuple[str, ...]) -> str | None:
    """The first of these options that the user gave, as it is typed."""
    context = click.get_current_context()
    for name in names:
        source = context.get_parameter_source(name)
        if source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP):
            return f"--{name.replace('_', '-')}"
    return None
