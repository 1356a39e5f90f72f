"""The folder in which a training run keeps what it needs to go on after a kill."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from corrosion_edge import output
from corrosion_edge.errors import OutputError

__all__ = ["CACHE_BYTES", "STATES", "folder_beside"]

CACHE_BYTES: Final = 20 * 10**9
"""Bytes of stored views that a run may take on disk, unless another number is asked for."""

STATES: Final = "stage-"
"""How the names of saved states begin."""

_PLAN = "plan.json"


@contextmanager
def folder_beside(out: Path, plan: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the working folder of the run that will be ``out``; it is removed when all went well.

    ``plan`` holds plain values: all that the result depends on. If a killed run of the same plan
    left its folder, that one is yielded. One of another plan is refused (OutputError), for hours
    of work may be in it. After an error it stays if it holds a file whose name starts with
    ``STATES``: something was trained.
    """
    folder = out.parent / f".{out.name}.unfinished"
    found = folder / _PLAN
    wanted = json.loads(output.json_text(plan))
    if found.exists():
        _require_same(out, folder, wanted)
        click.echo(f"going on with the unfinished run in {folder}", err=True)
    else:
        output.make_folder(folder)
        output.write(found, output.json_text(plan))
    try:
        yield folder
    except BaseException:
        if not any(folder.glob(f"{STATES}*")):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _require_same(out: Path, folder: Path, wanted: Mapping[str, Any]) -> None:
    try:
        left = json.loads((folder / _PLAN).read_text("utf-8"))
    except (OSError, ValueError):
        left = {}
    names = [name for name in wanted if left.get(name) != wanted[name]]
    if names:
        raise OutputError(
            f"{out}: an unfinished run with another {', '.join(names)} was left in {folder}; "
            "repeat its command to finish it, remove that folder, or name another --out"
        )
