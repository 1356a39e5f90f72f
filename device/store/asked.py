"""What is asked of a store is looked at before anything is opened."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corrosion_edge.device.store.head import HeadFile
from corrosion_edge.device.store.retention import Retention
from corrosion_edge.errors import UsageError

__all__ = ["head_file", "require_sound", "retention"]


def require_sound(options: Mapping[str, Any], watched: Iterable[Path]) -> None:
    """Refuse what cannot be, and a store inside a folder that is watched (UsageError)."""
    store = options["folder"]
    if store is None:
        return
    retention(options)
    head_file(options)
    pictures = (store / "pictures").resolve()
    for folder in watched:
        if pictures.is_relative_to(folder.resolve()):
            raise UsageError(
                f"--store {store}: its pictures would lie inside the watched folder {folder}, and "
                "be judged themselves; name a folder outside of that"
            )


def retention(options: Mapping[str, Any]) -> Retention:
    """What is asked for, the rest as it is by default (UsageError)."""
    given = {"days": options["keep_days"], "megabytes": options["keep_mb"]}
    return Retention(**{name: value for name, value in given.items() if value is not None})


def head_file(options: Mapping[str, Any]) -> HeadFile | None:
    """The file for the head, None where none is asked for (UsageError)."""
    path = options["head_file"]
    return None if path is None else HeadFile(path, options["folder"])
