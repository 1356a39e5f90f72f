"""The commands ``train`` and ``evaluate``; heavy imports happen when they run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.errors import UsageError
from corrosion_edge.number import Number
from corrosion_edge.threshold import Choice, threshold_option
from corrosion_edge.trainer.keras_start import start_keras
from corrosion_edge.trainer.photo_options import positive_option, split_option

if TYPE_CHECKING:
    from corrosion_edge.metrics import Metrics
    from corrosion_edge.trainer.evaluate import Evaluation

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
    metavar="NAME|FILE.toml",
    help="fast: logistic head on frozen features. best: fine-tuned further. edge: the same for "
    "EfficientNet-Lite0. paper: the published method. scratch: a small network from random "
    "weights.",
)
@click.option(
    "--backbone",
    metavar="NAME",
    help="Another network than the recipe's; 'corrosion-edge weights list' names them.",
)
@click.option(
    "--pooling",
    type=click.Choice(["avg", "max"]),
    help="Global pooling, where the recipe's avg is not wanted; max has no heat map.",
)
@click.option(
    "--fine-tune",
    type=Number(0, 1, min_open=True),
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
    type=click.IntRange(32, 1024),
    metavar="PIXELS",
    help="Width and height of the network's input, where the recipe's is not wanted.",
)
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="imagenet|none|FILE.npz",
    help="The backbone's weights to start from.",
)
@positive_option
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0, 2**31),
    help="Seed of everything random.",
)
@click.option(
    "--split",
    default="given",
    show_default=True,
    type=click.Choice(["given", "grouped"]),
    help="grouped: pool all photos and split them anew, near-duplicates kept together.",
)
@click.option(
    "--cache-size",
    default=20.0,
    show_default=True,
    type=Number(min=0, min_open=True),
    metavar="GB",
    help="Bytes on disk that the run's stored views may take while it lasts.",
)
@click.option("--tensorboard", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for TensorBoard's logs.")  # fmt: skip
@click.option(
    "--from",
    "from_run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on from this run: DATA are some dozens of photos of one's own structure.",
)
@click.option(
    "--old",
    type=click.Path(path_type=Path),
    metavar="PHOTOS",
    help="With --from: the photos RUN was trained on, to be replayed and not forgotten.",
)
@click.option(
    "--no-replay",
    is_flag=True,
    help="With --from: without the old photos; what is forgotten is not measured.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --from: labels of the photos in DATA, as 'classify --json' prints them, or CSV.",
)
@click.option(
    "--forget-limit",
    nargs=2,
    default=(0.01, 0.02),
    show_default=True,
    type=Number(0, 1),
    metavar="AUC ACCURACY",
    help="With --from: largest loss of each on the old validation photos.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")  # fmt: skip
def train(data: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Train a detector from a folder of photos.

    DATA holds train, validation and test with two class folders each, or the two class folders
    alone: these are then split 70/20/10, photos that look the same kept together. A run that was
    killed goes on where it ended when its command is repeated.

    With --from a run is fine-tuned on photos of one's own structure, in class folders or named by
    --labels. A model that forgets too much of the old photos is not written, its report is; the
    exit code is then 3.
    """
    from corrosion_edge.trainer.site.command import for_site, tune_command

    site = for_site(options)
    start_keras()
    if site:
        tune_command(data, out, options, as_json=as_json)
        return
    from corrosion_edge.output import json_text
    from corrosion_edge.trainer import backbones, recipe_file
    from corrosion_edge.trainer import train as training

    wished = ("backbone", "pooling", "image_size", "epochs", "fine_tune")
    recipe = recipe_file.read(options["recipe"]).changed(**{k: options[k] for k in wished})
    if recipe.backbone not in backbones.BACKBONES:
        raise UsageError(f"--backbone: expected one of {', '.join(backbones.BACKBONES)}")
    request = training.Request(
        data=data,
        recipe=recipe,
        weights=options["weights"],
        positive=options["positive"],
        seed=options["seed"],
        split=options["split"],
        cache_bytes=int(options["cache_size"] * 1e9),
        tensorboard=options["tensorboard"],
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
@split_option("test", trained="MODEL's")
@positive_option
@threshold_option
@click.option(
    "--slices/--no-slices",
    default=True,
    show_default=True,
    help="Measure also on altered copies: greyscale, hue, brightness, contrast, blur, JPEG, "
    "noise, resolution, rotation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for metrics.json, scores.csv, pictures and report.html.")  # fmt: skip
def evaluate(
    model: Path,
    data: Path,
    split: str,
    positive: str | None,
    threshold: Choice,
    slices: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """Measure a model on labelled photos.

    MODEL is a run's folder, a .keras or a .tflite file. Corrosion is the positive class.
    """
    from corrosion_edge.output import json_text, require_writable
    from corrosion_edge.trainer import evaluate as evaluation

    if out is not None:
        require_writable(out)
    result = evaluation.evaluate(model, data, split, positive, threshold=threshold, slices=slices)
    if as_json:
        click.echo(json_text(result.to_dict()), nl=False)
    else:
        _print_evaluation(model.name, result)
    if out is not None:
        title = ", ".join(filter(None, (data.name, result.split)))
        evaluation.write_evaluation(out, model.name, title, result)
        click.echo(f"Written: {out / 'report.html'}", err=True)
    _end(result.samples.unreadable)


def _print_evaluation(model: str, result: "Evaluation") -> None:
    from corrosion_edge.trainer.report import confidence_origin

    part = f"{result.split} photos" if result.split else "photos"
    _print_metrics(f"{model} on {part}", result.metrics)
    click.echo(f"  {confidence_origin(result.confidence)}")
    click.echo(f"  ran on {result.backend}")
    if result.slices is not None:
        click.echo(f"  {result.slices.sentence}")


def _print_metrics(title: str, metrics: "Metrics") -> None:
    from corrosion_edge.trainer.report import confidence_lines, metrics_rows, paper_rows

    click.echo(f"\n{title}: n = {metrics.n}, threshold {metrics.threshold:g}")
    for name, value, interval in metrics_rows(metrics):
        click.echo(f"  {name:<11} {value}   95 % {interval}")
    c = metrics.confusion
    click.echo(
        f"  confusion   corrosion: {c.true_positive} found, {c.false_negative} missed; "
        f"no corrosion: {c.true_negative} right, {c.false_positive} false alarms"
    )
    for line in confidence_lines(metrics):
        click.echo(f"  {line}")
    papers = ", ".join(f"{name} {value}" for name, value in paper_rows(metrics))
    click.echo(f"  in the paper's convention (no corrosion is positive): {papers}")


def _end(unreadable: tuple[str, ...]) -> None:
    """Name the photos that were left out, and end with exit code 1 if there were any."""
    for sentence in unreadable:
        click.echo(f"left out: {sentence}", err=True)
    if unreadable:
        click.get_current_context().exit(1)
