"""What each worker process is given, on its way there."""

import mmap
import os
import pickle
import tempfile
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import Any, BinaryIO, Final

from corrosion_edge.errors import OutputError
from corrosion_edge.parallel.workers import Opening

__all__ = ["Parcel"]

_ALIGNMENT: Final = 64  # bytes; more than any type needs


@dataclass(frozen=True, slots=True)
class Parcel:
    """An opening in a file without a name, to be closed by whoever made it.

    A process that is started gets what it is given through a pipe, and whoever starts it waits for
    ever if it dies before it has read what does not fit into that: 64 KiB. Arrays stand in the
    file as they are (pickle's buffers out of band); ``spans`` are where the pickle and each of
    them begin and end. Whoever opens it maps them, so that all processes share their memory.
    """

    file: BinaryIO
    spans: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, opening: Opening[Any, Any]) -> "Parcel":
        """Pack an opening (OutputError if there is no room for it)."""
        arrays: list[pickle.PickleBuffer] = []
        content = pickle.dumps(opening, 5, buffer_callback=arrays.append)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the workers that get it
        try:
            parts = [memoryview(content), *(array.raw() for array in arrays)]
            spans = [_appended(file, part) for part in parts]
            file.flush()
        except OSError as error:
            raise OutputError(
                f"{tempfile.gettempdir()}: what each worker needs cannot be written "
                f"({error.strerror}); name another folder in the variable TMPDIR"
            ) from None
        return cls(file, tuple(spans))

    def __reduce__(self) -> tuple[Any, ...]:
        return Parcel._arrived, (DupFd(self.file.fileno()), self.spans)

    @classmethod
    def _arrived(cls, handle: Any, spans: tuple[tuple[int, int], ...]) -> "Parcel":
        return cls(open(handle.detach(), "rb"), spans)  # noqa: PTH123

    def opened(self) -> Opening[Any, Any]:
        """The opening, in another process, once."""
        with self.file as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        content, *arrays = (mapped[start:stop] for start, stop in self.spans)
        opening: Opening[Any, Any] = pickle.loads(content, buffers=arrays)
        return opening

    def close(self) -> None:
        """Give the room back once the last process that maps it has ended."""
        self.file.close()


def _appended(file: BinaryIO, part: memoryview) -> tuple[int, int]:
    file.seek(-(-file.seek(0, os.SEEK_END) // _ALIGNMENT) * _ALIGNMENT)
    start = file.tell()
    file.write(part)
    return start, start + len(part)
