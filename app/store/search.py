"""The index of words, kept beside the tables. A save only notes what changed: to fold took longer than the save itself.

Before: ``projection.py`` notes, in the same transaction. After: ``app/search.py`` has it folded in a moment without
work; until then ``queries/search.py`` looks at what is noted itself. Like every table of the projection it can be
thrown away and is made anew from the log.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.records import search
from sync.clock import ms_of
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
# The number of an entry is its record's time: the newest that say a word are then the last of the word's own list, and
# a page of them costs what it shows, however common the word. Sixteen milliseconds share 1,024 numbers.
SPAN_BITS, SHARED_BITS, CHANCE_BITS_MAX = 4, 10, 32
MS_MAX = 1 << 50
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


@dataclass(frozen=True, slots=True)
class Said:
    incident: str | None
    at: int  # ms since 1970, UTC: by it the record stands in its lists
    text: str


def said(connection: Connection, kind: str, records: Sequence[str]) -> dict[str, Said]:
    """By record: its incident, its time, and all that it says. What is hidden says nothing."""
    names = search.FIELDS[kind]
    columns = ", ".join(f'"{name}"' for name in names)
    sql = (
        f"SELECT id, incident_id, created_at, order_key, {columns} FROM {kind.replace('-', '_')}"
        f" WHERE hidden = 0 AND id IN ({', '.join('?' for _ in records)})"
    )
    found: dict[str, Said] = {}
    for row in connection.execute(sql, tuple(records)).fetchall():
        record, incident, created_at, order_key, *values = tuple(row)
        at = ms_of(order_key) or created_at
        found[record] = Said(incident, at, search.text_of(kind, dict(zip(names, values, strict=True))))
    return found


def _fold_kind(connection: Connection, kind: str, records: list[str]) -> None:
    marks = ", ".join("?" for _ in records)
    sql = f"SELECT record, no FROM {RECORDS} WHERE kind = ? AND record IN ({marks})"
    known = dict(map(tuple, connection.execute(sql, (kind, *records)).fetchall()))
    now = said(connection, kind, records)
    connection.executemany(f"DELETE FROM {WORDS} WHERE rowid = ?", [(no,) for no in known.values()])
    connection.executemany(f"DELETE FROM {RECORDS} WHERE no = ?", [(no,) for no in known.values()])
    places = _places(connection, now)
    connection.executemany(
        f"INSERT INTO {RECORDS} VALUES (?, ?, ?, ?)",
        [(places[record], kind, record, one.incident) for record, one in now.items()],
    )
    entries = sorted((places[record], search.entry(kind, one.text)) for record, one in now.items())
    connection.executemany(f"INSERT INTO {WORDS} (rowid, said) VALUES (?, ?)", entries)


def _places(connection: Connection, now: Mapping[str, Said]) -> dict[str, int]:
    """A number for each record that no other has. Where a moment is crowded, ever more after it are drawn from."""
    found: dict[str, int] = {}
    used, waiting, turn = set[int](), list(now), 0
    while waiting:
        drawn = {record: _begin(now[record]) + _chance(record, turn) for record in waiting}
        marks = ", ".join("?" for _ in drawn)
        sql = f"SELECT no FROM {RECORDS} WHERE no IN ({marks})"
        used |= {no for (no,) in map(tuple, connection.execute(sql, tuple(drawn.values())).fetchall())}
        waiting = []
        for record, no in drawn.items():
            if no in used:
                waiting.append(record)
            else:
                found[record] = no
                used.add(no)
        turn += 1
    return found


def _begin(one: Said) -> int:
    return (min(max(one.at, 0), MS_MAX) >> SPAN_BITS) << SHARED_BITS


def _chance(record: str, turn: int) -> int:
    """Drawn from twice as many with each turn; the same on every node."""
    return zlib.crc32(f"{turn} {record}".encode()) % (1 << min(SHARED_BITS + turn, CHANCE_BITS_MAX))
