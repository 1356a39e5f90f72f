"""Pictures of a folder, or a single picture, as frames."""

from pathlib import Path

from corrosion_edge import image
from corrosion_edge.device.sources.source import PhotoError, Source
from corrosion_edge.errors import DataError, ImageError
from corrosion_edge.frame import Frame
from corrosion_edge.photos import Listing, find_photos

__all__ = ["FolderSource"]


class FolderSource(Source):
    """The photos below a folder in sorted order, each once; a file is a folder of one.

    An unreadable photo takes its index like any other. Raises DataError for a folder without
    photos.
    """

    def __init__(self, path: Path) -> None:
        listing = find_photos(path) if path.is_dir() else Listing((path,))
        if not listing.photos:
            raise DataError(f"{path}: no photos in this folder or below it ({listing})")
        self.name = str(path)  # and not what is in it: events of the same folder are one camera's
        self.contents = str(listing) if path.is_dir() else ""
        self._photos = enumerate(listing.photos)

    def read(self) -> Frame | None:
        """See ``Source.read``."""
        index, path = next(self._photos, (0, None))
        if path is None:
            return None
        try:
            return Frame.now(image.read(path), index, name=str(path))
        except ImageError as error:
            raise PhotoError(str(error), str(path), index) from None

    def close(self) -> None:
        """See ``Source.close``."""
        self._photos = enumerate(())
