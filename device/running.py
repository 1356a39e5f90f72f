"""What ``watch`` does around its pipeline: how it gets its model, and what it says."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from corrosion_edge.bundle import DEFAULT_MODEL
from corrosion_edge.device.classifier import Classifier
from corrosion_edge.device.clock import is_doubtful
from corrosion_edge.device.heap import map_large_blocks
from corrosion_edge.device.judging import Judging
from corrosion_edge.device.pipeline import Pipeline
from corrosion_edge.device.sinks import Sink
from corrosion_edge.device.sources import Source
from corrosion_edge.device.store.last_good import LastGood
from corrosion_edge.device.store.watching import detection
from corrosion_edge.device.swap import Loading
from corrosion_edge.threshold import Choice

__all__ = ["kept", "loading", "run", "say_what_runs", "warn"]


def loading(
    opening: Callable[..., Classifier],
    model: Path | None,
    threshold: Choice,
    level: str,
    stored: Mapping[str, Any],
    *,
    detects: bool = False,
) -> Loading:
    """How the first model and every later one is opened, set up by the options, and checked.

    ``opening`` takes the file's ``content``.
    """

    def check(classifier: Classifier) -> list[str]:
        classifier.use_threshold(threshold)
        if stored["folder"] is not None or detects:
            detection(classifier.threshold, classifier.band, stored)
        return classifier.check_golden(level)

    return Loading(model or DEFAULT_MODEL, lambda content: opening(content=content), check)


def kept(model: Path | None, store: Path | None) -> LastGood | None:
    """Where the last good file is kept; the default model is not, it changes with the package."""
    return LastGood(store, model, warn) if model is not None and store is not None else None


def say_what_runs(source: Source, classifier: Classifier) -> None:
    """The first line, and whether the clock can be believed."""
    watched = f"{source.name} ({source.contents})" if source.contents else source.name
    told = f"watching {watched}; model {classifier.name}; {classifier.backend.name}"
    click.echo(told, err=True)
    if is_doubtful(datetime.now(UTC)):
        warn("the clock is not synchronised; times are marked until it is")


def run(source: Source, judging: Judging, sinks: Sequence[Sink], **how: Any) -> int:
    """Run the pipeline and say what became of the frames; how many were unreadable."""
    if source.live:  # stays up for a year; a recording is in a hurry
        map_large_blocks()
    pipeline = Pipeline(source, judging, sinks, **how)
    try:
        return pipeline.run().unreadable
    finally:
        click.echo(str(pipeline.tally), err=True)


def warn(sentence: str) -> None:
    """Say it on standard error."""
    click.echo(f"warning: {sentence}", err=True)
