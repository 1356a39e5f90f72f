"""Reading recipes: those that ship, and a user's own files."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from corrosion_edge.errors import UsageError
from corrosion_edge.trainer.plan import Descent
from corrosion_edge.trainer.recipe import (
    Confide,
    DescentStage,
    HeadStage,
    Recipe,
    Stage,
    require,
)
from corrosion_edge.trainer.views import Augmentation

__all__ = ["FORMAT", "RECIPES", "read"]

FORMAT: Final = 1
"""Version of the file's layout; a reader refuses another one."""

RECIPES: Final = ("fast", "paper", "scratch", "best", "edge")
"""The recipes that ship, each a TOML file of its name."""

Table = Mapping[str, Any]
Part = TypeVar("Part")


def read(recipe: str) -> Recipe:
    """Read a recipe that ships, by its name, or a user's own, by its path ending in ``.toml``.

    Raises UsageError that names the file and the key.
    """
    if recipe in RECIPES:
        text = resources.files("corrosion_edge.trainer.recipes").joinpath(f"{recipe}.toml")
        return _parse(recipe, text.read_text("utf-8"), recipe)
    path = Path(recipe)
    if path.suffix != ".toml":
        raise UsageError(f"--recipe: expected {', '.join(RECIPES)} or a .toml file, got {recipe!r}")
    try:
        return _parse(str(path), path.read_text("utf-8"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--recipe: {path}: cannot be read ({reason})") from None


def _parse(where: str, text: str, name: str) -> Recipe:
    try:
        table = tomllib.loads(text)
        version = table.pop("format", None)
        require("format", version == FORMAT, str(FORMAT), version)
        stages = table.pop("stage", [])
        require("stage", isinstance(stages, list), "[[stage]] tables", stages)
        stages = tuple(_stage(stage) for stage in stages)
        confidence = table.pop("confidence", {})
        return _make(
            Recipe,
            "recipe",
            {"name": name, "text": text, "stages": stages, **table}
            | {"confidence": _make(Confide, "confidence", confidence)},
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"--recipe: {where}: {error}") from None


def _stage(table: Table) -> Stage:
    kind = table.get("kind")
    require("stage.kind", kind in ("head", "descent"), "head or descent", kind)
    values: dict[str, Any] = {k: v for k, v in table.items() if k != "kind"}
    seen = _make(Augmentation, "augmentation", values.pop("augmentation", {}))
    if kind == "head":
        values["strengths"] = tuple(values.get("strengths", ()))
        return _make(HeadStage, "stage 'head'", {**values, "augmentation": seen})
    ours = {k: values.pop(k) for k in ("top", "views") if k in values}
    plan = _make(Descent, "stage 'descent'", values)
    return DescentStage(plan=plan, augmentation=seen, **ours)


def _make(kind: type[Part], where: str, values: Table) -> Part:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - known):
        raise ValueError(f"{where}: the key {unknown[0]!r} is unknown")
    return kind(**values)
