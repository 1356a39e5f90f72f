"""The command ``classify``: photos, folders and whole archives of photos."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options
from corrosion_edge.device.model_options import (
    key_option,
    model_option,
    threads_option,
    verify_option,
)
from corrosion_edge.threshold import Choice, threshold_option

if TYPE_CHECKING:
    from corrosion_edge.device.classifier import Classifier

__all__ = ["classify"]


@click.command(
    help="""Classify photos and folders of photos.

    Folders are searched to the bottom; a PATH may also be a quoted pattern ('photos/**/*.jpg') or
    @FILE, a list with one a line. The score is the probability of corrosion. A file that cannot be
    read gives an error line; the others go on, and the exit code is 1.
    """
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(), metavar="PATH...")
@model_option
@threshold_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option(
    "--heatmap",
    "overlays",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write each photo with its heat map laid over it, as PNG, into DIR.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that judge at the same time.  [default: one a core for many photos]",
)
@click.option(
    "--decode",
    type=click.Choice(["full", "reduced"]),
    default="full",
    show_default=True,
    help="Whether large JPEGs are decoded whole or at a fraction of their size: faster, and the "
    "score moves a little.",
)
@threads_option
@accelerator_options(fallback=False)
@key_option
@verify_option
@click.pass_context
def classify(
    ctx: click.Context,
    *,
    paths: tuple[str, ...],
    model: Path | None,
    threshold: Choice,
    as_json: bool,
    overlays: Path | None,
    workers: int | None,
    decode: str,
    threads: int | None,
    accelerator: Accelerator,
    key: Path | None,
    level: str,
) -> None:
    """Print the verdict on each photo."""
    from corrosion_edge.device.heap import keep

    keep()
    from corrosion_edge.device.archive.judge import require_map
    from corrosion_edge.device.archive.listing import listed
    from corrosion_edge.device.archive.running import Archive
    from corrosion_edge.device.loading import opened

    archive = Archive.of(listed(paths), workers)
    threads = archive.threads(threads)
    failed = False
    with opened(model, key, accelerator, threads=threads, level=level) as classifier:
        classifier.use_threshold(threshold)
        require_map(classifier, overlays)
        _say_differences(classifier, level)
        with closing(archive.judged(classifier, decode, overlays, threads)) as results:
            for result in _with_bar(results, archive.length):
                result.show(as_json=as_json)
                failed |= result.prediction is None
    ctx.exit(int(failed))


def _say_differences(classifier: "Classifier", level: str) -> None:
    """Warn where this machine's answers are not those that were measured."""
    from corrosion_edge.device.running import warn

    for difference in classifier.check_golden(level):
        warn(difference)


def _with_bar(results: Any, count: int | None) -> Any:
    """The results behind a progress bar, unless they themselves are what is seen."""
    from corrosion_edge.progress import progress

    return results if sys.stdout.isatty() else progress(results, "Classifying", count)
