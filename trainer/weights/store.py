"""The user's folder of weights: for each backbone NAME.npz, and NAME.json on where it is from."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from corrosion_edge.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["BY_CATALOGUE", "BY_KERAS", "BY_NOBODY", "BY_USER", "Record", "default_folder", "load",
           "record", "save", "stored"]  # fmt: skip

BY_CATALOGUE: Final = "known content"
BY_KERAS: Final = "Keras's hash of the file"
BY_USER: Final = "--expect-sha256"
BY_NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What stands beside the weights of a backbone.

    ``source`` is the file that was imported and ``imported`` the day (ISO 8601, UTC);
    ``verified_by`` is one of the four BY_ texts. The hashes are SHA-256 in hexadecimal: of the
    arrays (``arrays.content_sha256``) and of the .npz file.
    """

    backbone: str
    source: str
    origin: str
    licence: str
    verified_by: str
    content_sha256: str
    file_sha256: str
    imported: str

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name}: expected a text, got {value!r}")
        if self.verified_by not in (BY_CATALOGUE, BY_KERAS, BY_USER, BY_NOBODY):
            raise ValueError(f"verified_by: got {self.verified_by!r}")

    @property
    def verified(self) -> bool:
        """Whether the weights were checked against a hash when they were imported."""
        return self.verified_by != BY_NOBODY

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The reverse of ``dataclasses.asdict``; ValueError for other keys or values."""
        try:
            return cls(**values)
        except TypeError:
            raise ValueError(f"expected the keys {', '.join(cls.__slots__)}") from None


def default_folder() -> Path:
    """$CORROSION_EDGE_WEIGHTS, or corrosion-edge/weights in the user's data folder (XDG)."""
    if given := os.environ.get("CORROSION_EDGE_WEIGHTS"):
        return Path(given)
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(data, "corrosion-edge", "weights")


def stored(folder: Path) -> list[str]:
    """Names of the backbones with anything in the folder, sorted."""
    files = [*folder.glob("*.npz"), *folder.glob("*.json")]
    return sorted({file.stem for file in files if not file.name.startswith(".")})


def record(folder: Path, name: str) -> Record | None:
    """What the folder says of a backbone's weights, unchecked; None if it has none.

    WeightsError if one of the two files is missing or the JSON is none of ours.
    """
    npz, note = folder / f"{name}.npz", folder / f"{name}.json"
    if not npz.exists() and not note.exists():
        return None
    for file in (npz, note):
        if not file.is_file():
            raise WeightsError(f"{file}: missing; import the weights of {name} again")
    try:
        found = Record.from_dict(json.loads(note.read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{note}: not a record of weights ({str(error)[:120]})") from None
    if found.backbone != name:
        raise WeightsError(f"{note}: speaks of {found.backbone!r}, expected {name!r}")
    return found


def load(folder: Path, name: str) -> tuple[dict[str, "npt.NDArray[Any]"], Record] | None:
    """Arrays and record of a backbone, both hashes checked; None if the folder has none.

    WeightsError if a file is missing, altered, or unreadable.
    """
    from corrosion_edge.trainer.weights.arrays import content_sha256, read_npz
    from corrosion_edge.trainer.weights.catalogue import SOURCES

    found = record(folder, name)
    if found is None:
        return None
    path = folder / f"{name}.npz"
    if _sha256(path) != found.file_sha256:
        raise WeightsError(f"{path}: altered since it was imported; import it again")
    arrays = read_npz(path)
    if content_sha256(arrays) != found.content_sha256:
        raise WeightsError(f"{path}: its arrays are not those that {name}.json names")
    source = SOURCES.get(name)
    known = source.content if source else ()
    if found.verified_by == BY_CATALOGUE and found.content_sha256 not in known:
        raise WeightsError(f"{path}: not the known content of {name}, though {name}.json says so")
    return arrays, found


def save(
    folder: Path, note: Record, arrays: Mapping[str, "npt.NDArray[np.float32]"], *, replace: bool
) -> Record:
    """Write both files and return the record with the hash of the .npz.

    Weights of other content are replaced on demand only (WeightsError). OutputError if the
    folder cannot be written.
    """
    from dataclasses import replace as changed

    from corrosion_edge.output import json_text, require_writable, write
    from corrosion_edge.trainer.weights.arrays import npz_bytes

    path = folder / f"{note.backbone}.npz"
    if not replace and _has_other(folder, note):
        raise WeightsError(f"{path}: other weights are there; say --replace to replace them")
    content = npz_bytes(arrays)
    note = changed(note, file_sha256=hashlib.sha256(content).hexdigest())
    require_writable(folder)
    write(path, content)
    write(path.with_suffix(".json"), json_text(asdict(note)))
    return note


def _has_other(folder: Path, note: Record) -> bool:
    try:
        found = record(folder, note.backbone)
    except WeightsError:  # something damaged is something else
        return True
    return found is not None and found.content_sha256 != note.content_sha256


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None
