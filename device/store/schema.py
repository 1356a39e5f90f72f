"""The tables, and how an older file becomes a newer one."""

import sqlite3
from typing import Final

from corrosion_edge.errors import NewerStoreError

__all__ = ["MIGRATIONS", "VERSION", "migrate", "version_of"]

MIGRATIONS: Final = (
    # 1: events and their pictures. What is searched by is computed from the hashed text; one row
    # that a bad card damaged must not keep a watch from starting.
    """
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        body TEXT NOT NULL,
        hash TEXT NOT NULL,
        uuid TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.uuid') END) VIRTUAL,
        kind TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.kind') END) VIRTUAL,
        camera TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.camera') END) VIRTUAL,
        at TEXT AS (CASE WHEN json_valid(body) THEN json_extract(body, '$.at') END) VIRTUAL
    );
    CREATE TABLE pictures (
        sequence INTEGER NOT NULL REFERENCES events (sequence),
        role TEXT NOT NULL CHECK (role IN ('plain', 'map')),
        digest TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        removed TEXT,
        PRIMARY KEY (sequence, role)
    ) WITHOUT ROWID;
    """,
    # 2: a row a minute and camera. at is in seconds since 1970. No index: it would double what
    # is written, and reports read the rows in order anyway.
    """
    CREATE TABLE summaries (
        camera TEXT NOT NULL,
        at INTEGER NOT NULL,
        boot TEXT NOT NULL,
        frames INTEGER NOT NULL,
        unsure INTEGER NOT NULL,
        unusable INTEGER NOT NULL,
        low REAL, mean REAL, high REAL,
        area REAL, area_high REAL, cells INTEGER
    );
    """,
    # 3: the files of a followed folder that had their turn, written with what they led to.
    """
    CREATE TABLE taken (
        path TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        changed_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # 4: what it takes to correct the time of a minute that was stamped before the clock was set;
    # older rows do not tell.
    """
    ALTER TABLE summaries ADD COLUMN monotonic_s REAL;
    ALTER TABLE summaries ADD COLUMN clock_set INTEGER;
    """,
    # 5: what the camera of a minute looked at; older rows do not tell.
    """
    ALTER TABLE summaries ADD COLUMN asset TEXT;
    ALTER TABLE summaries ADD COLUMN position TEXT;
    """,
)
"""The steps from nothing to today, one a version; a step that was released never changes."""

VERSION: Final = len(MIGRATIONS)


def version_of(database: sqlite3.Connection) -> int:
    """The file's version, 0 for an empty one; StoreError if this program is too old for it."""
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise NewerStoreError(
            f"the store has version {found}, and this program knows {VERSION} at most: "
            "update corrosion-edge"
        )
    return found


def migrate(database: sqlite3.Connection) -> None:
    """Bring the file to ``VERSION``, each step whole or not at all."""
    for number in range(version_of(database), VERSION):
        steps = f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        database.executescript(steps)
