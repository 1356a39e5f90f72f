"""Passwords and tokens out of files: they stand on no command line and in no configuration."""

import stat
from pathlib import Path
from typing import Final

from corrosion_edge.errors import KeyFileError
from corrosion_edge.modelfile.reading import read_regular

__all__ = ["secret", "secret_text"]

_LARGEST: Final = 4096


def secret(path: Path, option: str) -> str:
    """The one line of a file that other users can neither read nor change (KeyFileError).

    The file's group may read it, so that root can own what a service reads. ``option`` is named
    in errors; the content never is.
    """
    text = secret_text(path, f"{option} {path}", group_reads=True)
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0].isprintable() or not lines[0].strip():
        raise KeyFileError(f"{option} {path}: expected one line of text, got {len(lines)} lines")
    return lines[0]


def secret_text(path: Path, named: str, *, group_reads: bool) -> str:
    """The text of a file of up to 4 kB that its owner alone changes; errors begin with ``named``.

    Others must not read it, its group only where ``group_reads`` (KeyFileError).
    """
    try:
        content, mode = read_regular(path, _LARGEST)
        text = content.decode()
    except OSError as error:
        raise KeyFileError(f"{named}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{named}: expected text in UTF-8") from None
    if mode & (stat.S_IRWXO | (stat.S_IWGRP if group_reads else stat.S_IRWXG)):
        way = f"chmod {'u=rw,g=r,o=' if group_reads else '600'} {path}"
        raise KeyFileError(f"{named}: other users may read or change it; run: {way}")
    return text
