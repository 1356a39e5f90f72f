"""Writing results so that a reader sees the whole of the old or the whole of the new."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from corrosion_edge.errors import OutputError

__all__ = [
    "csv_text",
    "is_device",
    "json_text",
    "make_folder",
    "new_folder",
    "replacing",
    "require_new",
    "require_writable",
    "write",
]

_OF_THE_KERNEL: Final = ("dev", "proc")


def write(path: Path, content: bytes | str) -> None:
    """Write a file atomically, as ``replacing`` does (OutputError)."""
    with replacing(path) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that becomes ``path`` when the block ends well: beside it, synced, renamed.

    Raises OutputError, and leaves neither a part nor a changed file, if the disk is full, the
    folder cannot be written, or ``path`` is a folder. What is no file, see ``is_device``, is
    written itself.
    """
    if is_device(path):
        with _device(path) as stream:
            yield stream
        return
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({_reason(error)})") from None
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def is_device(path: Path) -> bool:
    """Whether it is a device or a pipe: a file in its place would break it.

    A link below /dev or /proc is one, such as ``/dev/stdout``, whatever it leads to.
    """
    if not path.exists() or path.is_dir():
        return False
    return not path.is_file() or (path.is_symlink() and path.absolute().parts[1] in _OF_THE_KERNEL)


@contextmanager
def _device(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("wb") as stream:
            yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({_reason(error)})") from None


def make_folder(path: Path) -> Path:
    """Make a folder and those above it (OutputError if that fails)."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made a folder ({_reason(error)})") from None
    return path


def require_writable(folder: Path) -> None:
    """Fail now, not after an hour's work: make ``folder`` and a file in it (OutputError)."""
    make_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({_reason(error)})") from None


def require_new(path: Path) -> None:
    """Fail now if ``path`` exists and is no empty folder, or cannot be made (OutputError)."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path}: exists already; name another folder or remove it")
    require_writable(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside ``path`` that becomes ``path`` when the block ends well.

    ``path`` must not exist, or be an empty folder: what was recorded is not overwritten
    (OutputError). After an error nothing is left.
    """
    require_new(path)
    with tempfile.TemporaryDirectory(
        prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True
    ) as hidden:
        inner = Path(hidden, path.name)
        inner.mkdir()
        try:
            yield inner
            inner.replace(path)
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({_reason(error)})") from None


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as CSV (RFC 4180, but lines end in a bare newline), the head first."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return stream.getvalue()


def json_text(value: Any) -> str:
    """JSON with stable key order, two spaces, a final newline; NaN and infinity are refused."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
