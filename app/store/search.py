"""The index of words, kept beside the tables. A save only notes what changed: to fold took longer than the save itself.

Before: ``projection.py`` notes, in the same transaction. After: ``app/search.py`` has it folded in a moment without
work; until then ``queries/search.py`` looks at what is noted itself. Like every table of the projection it can be
thrown away and is made anew from the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.records import search
from sync.kinds import Kind
from sync.oplog import Connection

NOTED, RECORDS, WORDS = "search_noted", "search_records", "search_words"
PREFIX = "search_"  # of every table of the index, also of those that the engine makes for itself
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {NOTED} (no INTEGER PRIMARY KEY, kind TEXT NOT NULL, record TEXT NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS {RECORDS} (no INTEGER PRIMARY KEY, kind TEXT NOT NULL, record TEXT NOT NULL,"
    " incident_id TEXT, UNIQUE (record, kind))",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {WORDS} USING fts5(said, content='', contentless_delete=1, tokenize='ascii')",
)
FOLD_AT_ONCE = 100
_NOTE = f"INSERT INTO {NOTED} (kind, record) VALUES (?, ?)"


def is_searched(kind: Kind) -> bool:
    return kind.name in search.FIELDS


def note(connection: Connection, kind: Kind, records: Iterable[str]) -> None:
    """These records say something else than before."""
    connection.executemany(_NOTE, [(kind.name, record) for record in records])


def says_else(kind: Kind, now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return any(now.get(name) != before.get(name) for name in search.FIELDS[kind.name])


def clear(connection: Connection) -> None:
    for table in (NOTED, RECORDS):
        connection.execute(f"DELETE FROM {table}")
    connection.execute(f"INSERT INTO {WORDS} ({WORDS}) VALUES ('delete-all')")


def drop(connection: Connection) -> None:
    for table in (NOTED, RECORDS, WORDS):
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def fold(connection: Connection, limit: int = FOLD_AT_ONCE) -> int:
    """Bring what was noted first into the index; how many notes that were. For the writer's transaction."""
    noted = connection.execute(f"SELECT no, kind, record FROM {NOTED} ORDER BY no LIMIT ?", (limit,)).fetchall()
    if not noted:
        return 0
    by_kind: dict[str, set[str]] = {}
    for _, kind, record in map(tuple, noted):
        by_kind.setdefault(kind, set()).add(record)
    for kind, records in by_kind.items():
        _fold_kind(connection, kind, sorted(records))
    connection.execute(f"DELETE FROM {NOTED} WHERE no <= ?", (noted[-1][0],))
    return len(noted)


def said(connection: Connection, kind: str, records: Sequence[str]) -> dict[str, tuple[str | None, str]]:
    """By record: its incident, and all that it says. What is hidden says nothing."""
    names = search.FIELDS[kind]
    columns = ", ".join(f'"{name}"' for name in names)
    sql = (
        f"SELECT id, incident_id, {columns} FROM {kind.replace('-', '_')}"
        f" WHERE hidden = 0 AND id IN ({', '.join('?' for _ in records)})"
    )
    found: dict[str, tuple[str | None, str]] = {}
    for row in connection.execute(sql, tuple(records)).fetchall():
        record, incident, *values = tuple(row)
        found[record] = (incident, search.text_of(kind, dict(zip(names, values, strict=True))))
    return found


def _fold_kind(connection: Connection, kind: str, records: list[str]) -> None:
    marks = ", ".join("?" for _ in records)
    sql = f"SELECT record, no FROM {RECORDS} WHERE kind = ? AND record IN ({marks})"
    known = dict(map(tuple, connection.execute(sql, (kind, *records)).fetchall()))
    now = said(connection, kind, records)
    connection.executemany(f"DELETE FROM {WORDS} WHERE rowid = ?", [(no,) for no in known.values()])
    connection.executemany(
        f"DELETE FROM {RECORDS} WHERE no = ?", [(no,) for record, no in known.items() if record not in now]
    )
    last = connection.execute(f"SELECT coalesce(max(no), 0) FROM {RECORDS}").fetchone()[0]
    places = {record: known.get(record) or last + 1 + at for at, record in enumerate(now)}
    connection.executemany(
        f"INSERT OR REPLACE INTO {RECORDS} VALUES (?, ?, ?, ?)",
        [(places[record], kind, record, incident) for record, (incident, _) in now.items()],
    )
    entries = sorted((places[record], search.entry(kind, text)) for record, (_, text) in now.items())
    connection.executemany(f"INSERT INTO {WORDS} (rowid, said) VALUES (?, ?)", entries)
