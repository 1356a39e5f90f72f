"""Results as one file: Parquet, or JSON Lines."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from corrosion_edge import output
from corrosion_edge.errors import UsageError

__all__ = ["FORMATS", "GROUP", "require_format", "write_table"]

GROUP: Final = 65_536
"""Rows of a Parquet row group: what is held at a time."""

_COMMON: Final = ("model_sha256", "decode")

Rows = Iterable[tuple[Any, ...]]
"""As ``Ledger.rows`` has them."""


def require_format(path: Path) -> None:
    """UsageError for a file name whose ending is none of ``FORMATS``.

    ModuleNotFoundError where the package that writes it is missing.
    """
    if path.suffix not in FORMATS:
        raise UsageError(f"--out {path}: expected a name that ends in {' or '.join(FORMATS)}")
    if path.suffix == ".parquet":
        import pyarrow.parquet  # noqa: F401 - fails before the work, not after it


def write_table(path: Path, rows: Rows, settings: Mapping[str, Any]) -> None:
    """Write the rows atomically, with those of ``settings`` that are columns (OutputError)."""
    with output.replacing(path) as stream:
        FORMATS[path.suffix](stream, rows, settings)


def _columns(row: tuple[Any, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    path, score, label, unsure, threshold, backend, error, size, modified = row
    return {
        "path": os.fsdecode(path),
        "score": score,
        "label": label,
        "unsure": None if unsure is None else bool(unsure),
        "threshold": threshold,
        "error": error,
        **{name: settings[name] for name in _COMMON},
        "backend": backend,
        "size": size,
        "mtime": modified,
    }


def _json_lines(stream: IO[bytes], rows: Rows, settings: Mapping[str, Any]) -> None:
    for row in rows:
        fields = _columns(row, settings)
        fields["mtime"] = None if fields["mtime"] is None else fields["mtime"] / 1e9
        stream.write(json.dumps(fields, allow_nan=False).encode() + b"\n")


def _parquet(stream: IO[bytes], rows: Rows, settings: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    word = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            ("score", pa.float64()), ("label", word), ("unsure", pa.bool_()),
            ("threshold", pa.float64()), ("error", pa.string()), ("model_sha256", word),
            ("decode", word), ("backend", word), ("size", pa.int64()),
            ("mtime", pa.timestamp("us", tz="UTC")),
        ],
        metadata={"corrosion-edge": json.dumps(dict(settings))},
    )  # fmt: skip
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(rows):
            columns = [_columns(row, settings) for row in group]
            for each in columns:
                each["mtime"] = each["mtime"] and each["mtime"] // 1000
                each["path"] = _text(each["path"])
                each["error"] = each["error"] and _text(each["error"])
            writer.write_table(pa.Table.from_pylist(columns, schema))


def _groups(rows: Rows) -> Iterator[list[tuple[Any, ...]]]:
    left = iter(rows)
    while group := list(islice(left, GROUP)):
        yield group


def _text(name: str) -> str:
    """A file's name as Unicode: bytes that are none are written as ``\\udcff``."""
    return name.encode("utf-8", "backslashreplace").decode()


FORMATS: Final[dict[str, Callable[[IO[bytes], Rows, Mapping[str, Any]], None]]] = {
    ".parquet": _parquet,
    ".jsonl": _json_lines,
}
"""Ending of a file's name, and what writes it."""
