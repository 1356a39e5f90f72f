"""The command ``classify``: photos, folders and whole archives of photos."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corrosion_edge.device.accelerator.options import Accelerator, accelerator_options
from corrosion_edge.device.model_options import (
    key_option,
    model_option,
    threads_option,
    verify_option,
)
from corrosion_edge.errors import UsageError
from corrosion_edge.threshold import Choice, threshold_option

if TYPE_CHECKING:
    from collections.abc import Generator

    from corrosion_edge.device.archive.judge import Result
    from corrosion_edge.device.archive.outcome import Outcome
    from corrosion_edge.device.classifier import Classifier

__all__ = ["classify"]


@click.command(
    help="""Classify photos and folders of photos.

    Folders are searched to the bottom; a PATH may also be a quoted pattern ('photos/**/*.jpg'),
    an address (s3://bucket/photos), or @FILE, a list with one a line. The score is the probability
    of corrosion. A file that cannot be read gives an error line; the others go on, and the exit
    code is 1.
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
    "--ray",
    metavar="ADDRESS|local",
    help="Judge on this Ray cluster, by --workers actors.  [default: one for each core it has]",
)
@click.option(
    "--decode",
    type=click.Choice(["full", "reduced"]),
    default="full",
    show_default=True,
    help="Whether large JPEGs are decoded whole or at a fraction of their size: faster, and the "
    "score moves a little.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the results into FILE.parquet or FILE.jsonl instead of lines.",
)
@click.option("--resume", is_flag=True, help="Go on with an --out FILE that was cut short.")
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
    ray: str | None,
    decode: str,
    out: Path | None,
    resume: bool,
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

    if ray == "":
        raise UsageError("--ray: is empty; name an address, or leave the option out")
    outcome = _outcome(out, resume=resume, as_json=as_json)
    if outcome and outcome.is_complete():
        click.echo(f"{out}: complete already; photos and options were not compared", err=True)
        return
    archive = Archive.of(listed(paths), workers, ray)
    threads = archive.threads(threads)
    with opened(model, key, accelerator, threads=threads, level=level) as classifier:
        classifier.use_threshold(threshold)
        require_map(classifier, overlays)
        _say_differences(classifier, level)

        def judged(archive: Archive) -> "Generator[Result]":
            results = archive.judged(classifier, decode, overlays, threads, accelerator.kernels)
            return _with_bar(results, archive.length)

        if outcome:
            failed = outcome.collect(archive, classifier, decode, accelerator.kernels, judged)
        else:
            failed = _show(judged(archive), as_json=as_json)
    ctx.exit(int(failed > 0))


def _outcome(out: Path | None, *, resume: bool, as_json: bool) -> "Outcome | None":
    """The file that the options ask for, if they do (UsageError)."""
    if out is None:
        if resume:
            raise UsageError("--resume: needs --out FILE, the file to go on with")
        return None
    if as_json:
        raise UsageError("--json: prints lines, and with --out there are none; name a .jsonl file")
    from corrosion_edge.device.archive.outcome import Outcome

    return Outcome(out, resume)


def _show(results: "Generator[Result]", *, as_json: bool) -> int:
    """Print them; how many have no verdict."""
    failed = 0
    with closing(results):
        for result in results:
            result.show(as_json=as_json)
            failed += result.prediction is None
    return failed


def _say_differences(classifier: "Classifier", level: str) -> None:
    """Warn where this machine's answers are not those that were measured."""
    from corrosion_edge.device.running import warn

    for difference in classifier.check_golden(level):
        warn(difference)


def _with_bar(results: "Generator[Result]", count: int | None) -> "Generator[Result]":
    """The results behind a progress bar, unless they themselves are what is seen."""
    from corrosion_edge.progress import progress

    return results if sys.stdout.isatty() else progress(results, "Classifying", count)
