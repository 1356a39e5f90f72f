"""Writing what came of it: the run's folder, or the report of a refused model."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras

from corrosion_edge import __version__, output
from corrosion_edge.metrics import measure
from corrosion_edge.trainer.recipe import Recipe
from corrosion_edge.trainer.run import MODEL_NAME, RUN_NAME
from corrosion_edge.trainer.site.outcome import Outcome
from corrosion_edge.trainer.site.page import before_and_after, site_page
from corrosion_edge.trainer.train import versions

__all__ = ["run_info", "write_refused", "write_run"]


def run_info(recipe: Recipe, outcome: Outcome, command: str, seconds: float) -> dict[str, Any]:
    """What ``run.json`` says.

    ``data`` and ``seed`` stay those of the run that was started from: they tell how the old
    photos are split, for whoever measures or quantizes the new one with them. The site's own
    stand under ``site``.
    """
    parent = outcome.parent
    return {
        **parent.run.info,
        "corrosion_edge": __version__,
        "recipe": recipe.name,
        "recipe_text": recipe.text,
        "weights": f"run {parent.run.folder.resolve().name}, sha256 {parent.sha256[:16]}",
        "chosen": {"candidate": outcome.contest.chosen.name},
        "command": command,
        "confidence": outcome.confidence.to_dict(),
        "versions": versions(),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "from": parent.describe(),
        "site": dict(outcome.site),
    }


def write_run(folder: Path, model: keras.Model, outcome: Outcome, info: Mapping[str, Any]) -> None:
    """Write all files of a run below ``folder`` (OutputError)."""
    model.save(folder / MODEL_NAME)
    output.write(folder / RUN_NAME, output.json_text(info))
    output.write(folder / "recipe.toml", info["recipe_text"])
    output.write(folder / "history.csv", _history(outcome))
    output.write(folder / "metrics.json", output.json_text(_metrics(outcome, info["threshold"])))
    output.write(folder / "site.json", output.json_text(outcome.to_dict()))
    output.write(folder / "before_and_after.png", before_and_after(outcome, info["threshold"]))
    output.write(folder / "report.html", site_page(outcome, info))


def write_refused(out: Path, outcome: Outcome, info: Mapping[str, Any]) -> Path:
    """Write figures and page beside ``out``, which is not there; the page's path."""
    page = out.with_name(f"{out.name}.refused.html")
    output.write(out.with_name(f"{out.name}.refused.json"), output.json_text(outcome.to_dict()))
    output.write(page, site_page(outcome, info))
    return page


def _metrics(outcome: Outcome, threshold: float) -> dict[str, Any]:
    """The new model's figures in full, of each set that has both classes."""
    return {
        name: measure(pair.labels, pair.after, threshold, outcome.confidence).to_dict()
        for name, pair in outcome.pairs.items()
        if len(set(pair.labels.tolist())) == 2
    }


def _history(outcome: Outcome) -> str:
    """What was tried, then each step of the chosen candidate's last training."""
    rows = [*outcome.contest.rows, *outcome.contest.history]
    head = list(dict.fromkeys(name for row in rows for name in row))
    return output.csv_text(head, [[row.get(name, "") for name in head] for row in rows])
