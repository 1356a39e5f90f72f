"""The folder of finished results: one file for each row and seed, whole or not at all."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corrosion_edge import output
from corrosion_edge.errors import DataError, OutputError, UsageError
from corrosion_edge.trainer.reproduce.paper import Size
from corrosion_edge.trainer.reproduce.rows import Outcome, Row, Views

__all__ = ["IDENTITY", "Ledger", "Stored"]

IDENTITY: Final = "identity.json"
"""What all results of a ledger share."""

_LOCK: Final = "lock"
_NOTES: Final = "notes.json"


@dataclass(frozen=True, slots=True)
class Stored:
    """An outcome and the identity of the weights that its backbone started from."""

    outcome: Outcome
    weights: str


class Ledger:
    """Results below ``folder``, to be opened with ``Ledger.open`` or ``Ledger.read``."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.identity = identity

    @classmethod
    @contextmanager
    def open(cls, folder: Path, identity: Mapping[str, Any]) -> Iterator["Ledger"]:
        """Open for adding, alone; a new ledger takes ``identity``, an old one must have it.

        ``identity`` is plain JSON. Raises UsageError, naming what differs, if the ledger holds
        results of another one, or if another command is adding to it; OutputError.
        """
        output.require_writable(folder)
        with _alone(folder / _LOCK, folder):
            _sweep(folder)
            path = folder / IDENTITY
            if path.exists():
                cls.read(folder).require(identity)
            else:
                output.write(path, output.json_text(identity))
            yield cls(folder, identity)

    @classmethod
    def read(cls, folder: Path) -> "Ledger":
        """Open for reading alone (DataError if there is none)."""
        if not (folder / IDENTITY).is_file():
            raise DataError(f"{folder}: no results here yet; run without --report-only first")
        return cls(folder, _load(folder / IDENTITY))

    def require(self, identity: Mapping[str, Any]) -> None:
        """UsageError, naming what differs, unless the results here are of ``identity``."""
        differences = list(_differences(self.identity, json.loads(json.dumps(identity)), ""))
        if differences:
            raise UsageError(
                f"--out: {self.folder.parent} holds results that must not be mixed with these: "
                f"{'; '.join(differences[:4])}. Repeat the command as it was, or name another "
                "folder"
            )

    def require_weights(self, identities: Mapping[str, str]) -> None:
        """UsageError if a backbone, by name, has results from other weights than given here."""
        for stored in self.outcomes():
            name = stored.outcome.row.backbone
            if identities.get(name, stored.weights) != stored.weights:
                raise UsageError(
                    f"--out: {self.folder.parent} holds results of {name} with other weights "
                    f"({stored.outcome.origin}); name those, or another folder"
                )

    def add(self, outcome: Outcome, weights: str) -> None:
        """Keep an outcome, synced to the disk (OutputError)."""
        path = self._place(outcome.row, outcome.views, outcome.seed)
        output.make_folder(path.parent)
        value = {"weights": weights, "outcome": outcome.to_dict()}
        output.write(path, output.json_text(value))

    def has(self, row: Row, views: Views, seed: int) -> bool:
        """Whether this row was run with this seed."""
        return self._place(row, views, seed).exists()

    def outcomes(self) -> list[Stored]:
        """All that is kept, by row and seed (DataError, naming a file that is not ours)."""
        paths = sorted((self.folder / "rows").glob("*/*.json"))
        found = [_stored(path) for path in paths if not path.name.startswith(".")]
        return sorted(found, key=lambda s: (s.outcome.row.table, s.outcome.seed))

    def add_size(self, backbone: str, size: Size) -> None:
        """Keep a row of Table 1."""
        path = self.folder / "sizes" / f"{backbone}.json"
        output.make_folder(path.parent)
        value = {"layers": size.layers, "mebibytes": size.mebibytes}
        output.write(path, output.json_text(value))

    def sizes(self) -> dict[str, Size]:
        """The rows of Table 1 that were measured."""
        paths = sorted((self.folder / "sizes").glob("[!.]*.json"))
        return {path.stem: _size(path) for path in paths}

    def set_notes(self, notes: Mapping[str, Any]) -> None:
        """Keep plain values about the results that do not decide whether they may be mixed."""
        output.write(self.folder / _NOTES, output.json_text(dict(notes)))

    def notes(self) -> dict[str, Any]:
        """What ``set_notes`` kept, or nothing."""
        path = self.folder / _NOTES
        return dict(_load(path)) if path.exists() else {}

    def _place(self, row: Row, views: Views, seed: int) -> Path:
        return self.folder / "rows" / row.key / f"{views}-seed{seed:03}.json"


@contextmanager
def _alone(lock: Path, folder: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however that ends."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OutputError(f"{lock}: cannot be written ({error.strerror})") from None
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"--out: {folder.parent}: another command is adding results to it; "
            "wait for it, or name another folder"
        ) from None


def _sweep(folder: Path) -> None:
    """Remove the parts of files that a killed command was writing."""
    for part in [*folder.glob(".*.json.*"), *folder.glob("*/.*.json.*"),
                 *folder.glob("rows/*/.*.json.*")]:  # fmt: skip
        part.unlink(missing_ok=True)


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); remove it to make it anew") from None


def _stored(path: Path) -> Stored:
    value = _load(path)
    try:
        return Stored(Outcome.from_dict(value["outcome"]), str(value["weights"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a result ({error}); remove it to run its row anew") from None


def _size(path: Path) -> Size:
    value = _load(path)
    try:
        return Size(int(value["layers"]), float(value["mebibytes"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a result ({error}); remove it to make it anew") from None


def _differences(old: Any, new: Any, name: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(key), new.get(key), f"{name} {key}".strip())
    elif old != new:
        yield f"{name.replace('_', ' ')} is {_short(new)}, was {_short(old)}"


def _short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
