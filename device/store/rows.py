"""Rows beside the chain: minutes of scores, and the files of a followed folder that were taken."""

import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from corrosion_edge.device.events.summary import Summary
from corrosion_edge.device.events.taken import Taken

__all__ = ["forget_summaries", "insert_rows"]

_SUMMARY: Final = tuple(field.name for field in fields(Summary) if field.name != "stamped")


def insert_rows(
    database: sqlite3.Connection, rows: Sequence[Summary], files: Sequence[Taken]
) -> None:
    """Add summaries, note files as taken, forget those that are gone, in an open transaction."""
    marks = ", ".join("?" * len(_SUMMARY))
    database.executemany(
        f"INSERT INTO summaries ({', '.join(_SUMMARY)}) VALUES ({marks})", map(_row, rows)
    )
    database.executemany(
        "INSERT OR REPLACE INTO taken (path, size, changed_ns) VALUES (?, ?, ?)",
        [(file.path, file.size, file.changed_ns) for file in files if not file.gone],
    )
    database.executemany(
        "DELETE FROM taken WHERE path = ?", [(file.path,) for file in files if file.gone]
    )


def forget_summaries(database: sqlite3.Connection, before: int) -> None:
    """Delete summaries from before that time, in seconds since 1970, in an open transaction.

    A stamp of a clock that was not set says nothing of a row's age, but its place does: the rows
    are in order.
    """
    database.execute(
        "DELETE FROM summaries WHERE clock_set = 0 AND rowid < "
        "(SELECT max(rowid) FROM summaries WHERE clock_set = 1 AND at < ?)",
        (before,),
    )
    database.execute("DELETE FROM summaries WHERE clock_set IS NOT 0 AND at < ?", (before,))


def _row(summary: Summary) -> tuple[Any, ...]:
    values = {name: getattr(summary, name) for name in _SUMMARY}
    values["at"] = int(summary.at.timestamp())
    return tuple(round(v, 4) if isinstance(v, float) else v for v in values.values())
