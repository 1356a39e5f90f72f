"""Pictures of events: JPEG files, written whole before the row that names them."""

import io
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from corrosion_edge import heatmap, output
from corrosion_edge.device.events.event import Scene
from corrosion_edge.errors import OutputError

__all__ = ["LONGEST", "QUALITY", "ROOM", "Pictures", "jpegs"]

LONGEST: Final = 1280
"""Longer pictures are reduced to this many pixels on their longer side."""

QUALITY: Final = 85

ROOM: Final = 2**20
"""Bytes of pictures that are let go at once on a full disk, at least."""


_OWN: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-(?:plain|map)\.jpg"
_PICTURE: Final = re.compile(_OWN)
_HALF: Final = re.compile(rf"\.{_OWN}\.\w{{8}}")  # as ``output.replacing`` calls it


def jpegs(scene: Scene | None) -> dict[str, bytes]:
    """The scene as JPEG files by role: ``plain`` and, where there is one, under its ``map``.

    No scene gives none.
    """
    if scene is None:
        return {}
    picture = Image.fromarray(scene.pixels)
    picture.thumbnail((LONGEST, LONGEST))
    made = {"plain": _jpeg(picture)}
    if scene.prediction is not None and scene.prediction.heatmap is not None:
        laid_over = heatmap.overlay(np.asarray(picture), scene.prediction)
        made["map"] = _jpeg(Image.fromarray(laid_over))
    return made


class Pictures:
    """The folder of pictures; a name is the event's uuid and the role."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, uuid: str, role: str) -> Path:
        """Where that picture is, or was."""
        return self.folder / f"{uuid}-{role}.jpg"

    def put(self, uuid: str, pictures: Mapping[str, bytes]) -> None:
        """Write them so that a power cut cannot take them back; all or none (OutputError)."""
        if not pictures:
            return
        try:
            for role, content in pictures.items():
                output.write(self.path(uuid, role), content)
            self._sync()
        except OSError:
            self.remove((uuid, role) for role in pictures)
            raise

    def remove(self, which: Iterable[tuple[str, str]]) -> None:
        """Delete pictures by uuid and role; one that is gone is no fault."""
        for uuid, role in which:
            with suppress(OSError):
                self.path(uuid, role).unlink()

    def empty(self, which: Iterable[tuple[str, str]]) -> None:
        """Leave files of no bytes, which takes no room on a full disk (OutputError)."""
        for uuid, role in which:
            path = self.path(uuid, role)
            try:
                os.truncate(path, 0)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise OutputError(f"{path}: cannot be emptied ({error.strerror})") from None

    def sizes(self, which: Iterable[tuple[str, str]]) -> list[int]:
        """The bytes of those that are there."""
        paths = (self.path(uuid, role) for uuid, role in which)
        return [path.stat().st_size for path in paths if path.is_file()]

    def sweep(self, removed: Iterable[tuple[str, str]]) -> int:
        """Delete what a crash left: half of a picture, and what rows name as removed; how many."""
        names = {self.path(uuid, role).name for uuid, role in removed}
        left = [file for file in self._files() if _HALF.fullmatch(file.name) or file.name in names]
        for file in left:
            file.unlink(missing_ok=True)
        return len(left)

    def unnamed(self, known: Iterable[tuple[str, str]]) -> list[Path]:
        """Pictures of a store that are not among the known: those of a crash, or of another chain.

        What else lies in the folder is not ours.
        """
        names = {self.path(uuid, role).name for uuid, role in known}
        return [file for file in self._files()
                if _PICTURE.fullmatch(file.name) and file.name not in names]  # fmt: skip

    def foreign(self) -> list[str]:
        """The names of what no store put there, in order."""
        ours = {file.name for file in self._files()
                if _PICTURE.fullmatch(file.name) or _HALF.fullmatch(file.name)}  # fmt: skip
        every = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(file.name for file in every if file.name not in ours)

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [file for file in self.folder.iterdir() if file.is_file()]

    def _sync(self) -> None:
        """Make the new names durable too."""
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _jpeg(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()
