"""The commands ``train`` and ``evaluate``; heavy imports happen when they run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer.keras_start import start_keras

if TYPE_CHECKING:
    from corrosion_edge.metrics import Metrics

__all__ = ["evaluate", "train"]


def _epochs(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    if value is None:
        return None
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not one or two whole numbers, such as 25,25"
        ) from None


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder for the results; must not exist yet.",
)
@click.option(
    "--recipe",
    default="fast",
    show_default=True,
    type=click.Choice(["fast", "paper", "scratch"]),
    help="fast: logistic head on frozen features. paper: the published method. "
    "scratch: a small network from random weights.",
)
@click.option(
    "--backbone",
    default="efficientnetv2-b0",
    show_default=True,
    metavar="NAME",
    help="Network: efficientnetv2-b0 to -b3, -s, or tiny.",
)
@click.option(
    "--pooling",
    default="avg",
    show_default=True,
    type=click.Choice(["avg", "max"]),
    help="Global pooling; max has no heat map.",
)
@click.option(
    "--fine-tune",
    type=float,
    metavar="FRACTION",
    help="Part of the backbone's layers, from the top, that is trained (paper: 0.2).",
)
@click.option(
    "--epochs",
    callback=_epochs,
    metavar="N,N",
    help="Epochs of the head, then of head and top layers (paper: 25,25).",
)
@click.option(
    "--image-size",
    default=224,
    show_default=True,
    type=click.IntRange(32, 1024),
    metavar="PIXELS",
    help="Width and height of the network's input.",
)
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="imagenet|none|FILE.npz",
    help="The backbone's weights to start from.",
)
@click.option(
    "--positive", metavar="FOLDER", help="Class folder of corrosion, if its name does not say so."
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**31),
    help="Seed of everything random.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")  # fmt: skip
def train(data: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Train a detector from a folder of photos.

    DATA holds train, validation and test with two class folders each, or the two class folders
    alone: these are then split 70/20/10, photos that look the same kept together.
    """
    start_keras()
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer import backbones, recipes
    from corrosion_edge.trainer import train as training

    if options["backbone"] not in backbones.BACKBONES:
        raise UsageError(f"--backbone: expected one of {', '.join(backbones.BACKBONES)}")
    request = training.Request(
        data=data,
        recipe=options["recipe"],
        backbone=options["backbone"],
        weights=options["weights"],
        image_size=options["image_size"],
        positive=options["positive"],
        options=recipes.Options(
            pooling=options["pooling"],
            fine_tune=options["fine_tune"],
            epochs=options["epochs"],
            seed=options["seed"],
        ),
    )
    metrics, unreadable = training.train(request, out)
    if as_json:
        click.echo(json_text({name: m.to_dict() for name, m in metrics.items()}), nl=False)
    else:
        for name, figures in metrics.items():
            _print_metrics(f"{name} photos", figures)
    click.echo(f"Written: {out / 'report.html'}", err=True)
    _end(unreadable)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--split",
    default="test",
    show_default=True,
    type=click.Choice(["train", "validation", "test"]),
    help="Which photos, where DATA is split; otherwise all are taken.",
)
@click.option(
    "--positive", metavar="FOLDER", help="Class folder of corrosion, if its name does not say so."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for metrics.json, scores.csv, pictures and report.html.")  # fmt: skip
def evaluate(
    model: Path, data: Path, split: str, positive: str | None, as_json: bool, out: Path | None
) -> None:
    """Measure a model on labelled photos.

    MODEL is a run's folder, a .keras or a .tflite file. Corrosion is the positive class.
    """
    from corrosion_edge.output import json_text, require_writable
    from corrosion_edge.trainer import evaluate as evaluation

    if out is not None:
        require_writable(out)
    result = evaluation.evaluate(model, data, split, positive)
    if as_json:
        click.echo(json_text(result.metrics.to_dict()), nl=False)
    else:
        _print_metrics(f"{model.name} on {result.metrics.n} photos", result.metrics)
    if out is not None:
        evaluation.write_evaluation(out, model.name, f"{data.name}, {split}", result)
        click.echo(f"Written: {out / 'report.html'}", err=True)
    _end(result.samples.unreadable)


def _print_metrics(title: str, metrics: "Metrics") -> None:
    from corrosion_edge.trainer.report import metrics_rows, paper_rows

    click.echo(f"\n{title}: n = {metrics.n}, threshold {metrics.threshold:g}")
    for name, value, interval in metrics_rows(metrics):
        click.echo(f"  {name:<10} {value}   95 % {interval}")
    c = metrics.confusion
    click.echo(
        f"  confusion  corrosion: {c.true_positive} found, {c.false_negative} missed; "
        f"no corrosion: {c.true_negative} right, {c.false_positive} false alarms"
    )
    papers = ", ".join(f"{name} {value}" for name, value in paper_rows(metrics))
    click.echo(f"  in the paper's convention (no corrosion is positive): {papers}")


def _end(unreadable: tuple[str, ...]) -> None:
    """Name the photos that were left out, and end with exit code 1 if there were any."""
    for sentence in unreadable:
        click.echo(f"left out: {sentence}", err=True)
    if unreadable:
        click.get_current_context().exit(1)
