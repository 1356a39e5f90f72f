"""Fetching the published photos into a folder, each checked against the list that ships."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge.errors import OutputError, SourceError
from corrosion_edge.output import make_folder
from corrosion_edge.progress import progress
from corrosion_edge.trainer.dataset.blobs import blob_id, read_manifest
from corrosion_edge.trainer.dataset.git import Repository

__all__ = ["BATCH", "MARK", "Fetched", "fetch"]

MARK: Final = ".corrosion-edge-fetch"
"""Hidden folder that shows that a folder was begun by this command, and holds what is under way."""

BATCH: Final = 100
"""Photos that are fetched at a time, and that a break can cost."""

_INSIDE: Final = "split"  # where the photos lie in the source


@dataclass(frozen=True, slots=True)
class Fetched:
    """Paths below the folder: of photos that are right, and of those the source does not have.

    ``missing`` are not in the source at all, ``changed`` have another content there.
    """

    present: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a count, and the names of those that are not right."""
        return {
            "present": len(self.present),
            "missing": list(self.missing),
            "changed": list(self.changed),
        }


def fetch(folder: Path, source: str, manifest: Path | None = None) -> Fetched:
    """Bring the photos of the manifest into ``folder``; those that are there and right stay.

    A photo that is wrong in ``folder`` is fetched again; one that is wrong in ``source`` is left
    out. Nothing is written elsewhere. Raises UsageError for a wrong manifest, SourceError if git
    or the source fail or the run is interrupted, OutputError if ``folder`` holds something else
    or cannot be written.
    """
    wanted = read_manifest(manifest)
    with _claimed(folder):
        lacking = _lacking(folder, wanted)
        changed: list[str] = []
        if lacking:
            repository = Repository(folder / MARK / "repository", _absolute(source))
            changed = _bring_or_say(folder, repository, wanted, lacking)
            lacking = _lacking(folder, {path: wanted[path] for path in lacking})
            repository.close()
    missing = tuple(path for path in lacking if path not in changed)
    present = tuple(path for path in wanted if path not in set(lacking))
    return Fetched(present, missing, tuple(path for path in lacking if path in changed))


def _bring_or_say(
    folder: Path, repository: Repository, wanted: Mapping[str, str], lacking: Sequence[str]
) -> list[str]:
    try:
        return _bring(folder, repository, wanted, lacking)
    except KeyboardInterrupt:
        raise SourceError("interrupted; the same command continues") from None
    except (SourceError, OutputError):
        repository.distrust()
        raise
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror or error}); the same command continues"
        ) from None


def _bring(
    folder: Path, repository: Repository, wanted: Mapping[str, str], lacking: Sequence[str]
) -> list[str]:
    """Fetch what the source has; return the paths that have another content there."""
    repository.open()
    offered = repository.listing(_INSIDE)
    changed = [path for path in lacking if path in offered and offered[path] != wanted[path]]
    right = [path for path in lacking if offered.get(path) == wanted[path]]
    batches = [right[i : i + BATCH] for i in range(0, len(right), BATCH)]
    for batch in progress(batches, "Fetching photos", len(batches)):
        work = repository.check_out(_INSIDE, batch)
        for path in batch:
            if blob_id(work / path) == wanted[path]:
                _move(work / path, folder / path)
            else:
                changed.append(path)
    return changed


def _move(found: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        raise OutputError(f"{place}: a folder is where a photo should be; remove it")
    found.replace(place)


def _lacking(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """The paths where no file of the right content is."""
    checked = progress(wanted.items(), "Checking photos", len(wanted))
    return [path for path, blob in checked if blob_id(folder / path) != blob]


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Mark the folder as this command's, for one run at a time."""
    mark = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file; name a new folder")
    if folder.is_dir() and not mark.is_dir() and any(folder.iterdir()):
        raise OutputError(
            f"{folder}: holds something that this command did not begin; name a new folder"
        )
    make_folder(mark)
    try:
        lock = os.open(mark / "lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        _lock(lock, folder)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"{folder}: another run is fetching into it; wait for its end") from None


def _absolute(source: str) -> str:
    """A source on this machine by its whole path, as git runs elsewhere."""
    return str(Path(source).resolve()) if Path(source).exists() else source
