"""Further folders of photos that two models are compared on: named, found, read."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corrosion_edge.errors import DataError, UsageError
from corrosion_edge.photos import find_photos
from corrosion_edge.trainer.data import Photo, scan

if TYPE_CHECKING:
    from corrosion_edge.image import Preprocessing
    from corrosion_edge.trainer.samples import Samples

__all__ = ["Further", "read_further", "require_names"]


@dataclass(frozen=True, slots=True)
class Further:
    """A folder beside the data: with two class folders or, if ``clean``, of clean things alone.

    ``name`` is what reports call it. UsageError without one.
    """

    name: str
    folder: Path
    clean: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise UsageError(f"a further folder needs a name: write NAME={self.folder}")

    @classmethod
    def parse(cls, text: str, *, clean: bool) -> "Further":
        """Read ``NAME=FOLDER`` or ``FOLDER``, whose last part is then the name."""
        name, equals, folder = text.partition("=")
        if equals and not Path(text).exists():
            return cls(name, Path(folder), clean)
        return cls(Path(text).resolve().name, Path(text), clean)

    def photos(self, positive: str | None = None) -> list[Photo]:
        """Its photos, not yet read (DataError if the folder is not what it was named as).

        ``positive`` names the class folder of corrosion, where there is a folder of that name.
        """
        if not self.clean:
            return self._labelled(positive)
        if not self.folder.is_dir():
            raise DataError(f"{self.folder}: no such folder of photos")
        found = find_photos(self.folder).photos
        if not found:
            raise DataError(f"{self.folder}: no photos in it")
        return [Photo(path, 0) for path in found]

    def _labelled(self, positive: str | None) -> list[Photo]:
        known = positive is not None and (self.folder / positive).is_dir()
        dataset = scan(self.folder, positive if known else None)
        if dataset.presplit:
            raise DataError(
                f"{self.folder}: it is split; name one of its parts, such as {self.folder}/test"
            )
        return list(dataset.photos)


def require_names(further: tuple[Further, ...], taken: str = "") -> None:
    """UsageError where two folders, or one and the photos of the gate, have the same name."""
    seen = {taken}
    for entry in further:
        if entry.name in seen:
            raise UsageError(
                f"two sets of photos are called {entry.name!r}: write NAME={entry.folder}"
            )
        seen.add(entry.name)


def read_further(entry: Further, spec: "Preprocessing", positive: str | None = None) -> "Samples":
    """Decode a further folder's photos for a network (DataError)."""
    from corrosion_edge.trainer.samples import decode

    photos = entry.photos(positive)
    return decode(photos, spec, f"Reading {entry.name}", both=not entry.clean)
