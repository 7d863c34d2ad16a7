"""Words, looked for in the index; what was written a moment ago is not in it yet and is looked at itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import channels, joins, row
from app.queries.channels import Who
from app.queries.row import Record, Where
from app.records import search
from app.store import search as index
from sync.kinds import Kind

NOTED_READ_MAX = 2_000
FOUND_MAX = 5_000
SHOWN_OF_A_KIND = 20
KINDS = tuple(search.FIELDS)
# CROSS: from the words to the records, whatever the engine thinks of how many there are.
_LISTED = f"{index.WORDS} w CROSS JOIN {index.RECORDS} r ON r.no = w.rowid WHERE w.{index.WORDS} MATCH ?"
_FOUND = f"SELECT r.record FROM {_LISTED}"
_RECORD, _AT = "search_record", "search_at"  # names that no table has
_AMONG = "id IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Found:
    """What one kind says of the words: the newest records, and whether there are more."""

    kind: str
    records: list[Record]
    more: bool


def narrowed(db: Any, where: Where, kind: str, asked: str | None) -> Where:
    """``where`` with the records of the kind that speak of all the words."""
    words = search.words_of(asked)
    if not words:
        return where
    noted = _noted(db).get(kind, [])
    matching = _matching(db, kind, noted, words)
    condition = f"(id IN ({_FOUND}) AND NOT {_AMONG} OR {_AMONG})"
    values = (search.expression(words, kind), json.dumps(noted), json.dumps(matching))
    return where.also(condition, *values)


def newest(
    db: Any, kind: Kind, where: Where, asked: str | None, limit: int, noted: Mapping[str, Sequence[str]] | None = None
) -> list[Record]:
    """The newest records that meet ``where`` and speak of all the words: a common one costs no more than a rare one.

    From the word's own list, which is in the order of time, until there are enough: a list of 200,000 was walked
    through, or a sixth of it put together, for the sixty that a page shows.
    """
    place = "order_key" if kind.entry else "created_at"
    tail = f"ORDER BY {place} DESC, id DESC LIMIT {int(limit)}"
    words = search.words_of(asked)
    if not words:
        return row.select(db, kind, where, tail)
    unfolded = (_noted(db) if noted is None else noted).get(kind.name, ())
    source, given, indexed = _indexed(kind, words, where, unfolded)
    found = row.select(db, kind, indexed, f"ORDER BY {_AT} DESC LIMIT {int(limit)}", source, given)
    if matching := _matching(db, kind.name, unfolded, words):
        found += row.select(db, kind, where.also(_AMONG, json.dumps(matching)), tail)
    return sorted(found, key=lambda one: (getattr(one, place), one.id), reverse=True)[:limit]


def count(db: Any, kind: Kind, where: Where, asked: str | None, most: int) -> int:
    """How many meet ``where`` and speak of all the words; ``most`` where there are as many or more."""
    words = search.words_of(asked)
    if not words:
        return min(row.count(db, kind.name, where), most)
    noted = _noted(db).get(kind.name, ())
    source, given, indexed = _indexed(kind, words, where, noted)
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} WHERE {indexed.sql()} LIMIT {int(most)})"
    found = int(joins.ask(db, sql, (*given, *indexed.values)).fetchone()[0])
    if matching := _matching(db, kind.name, noted, words):
        found += row.count(db, kind.name, where.also(_AMONG, json.dumps(matching)))
    return min(found, most)


def speaking(db: Any, kind: str, records: Collection[str], asked: str | None) -> set[str]:
    """Those of a few records that speak of all the words."""
    words = search.words_of(asked)
    if not words or not records:
        return set(records)
    said = index.said(db, kind, sorted(records))
    return {record for record, one in said.items() if search.speaks_of(one.text, words)}


def _indexed(kind: Kind, words: list[str], where: Where, noted: Sequence[str]) -> tuple[str, tuple[Any, ...], Where]:
    """What stands for the table, its value, and ``where`` for what the index says by itself."""
    # INDEXED BY its key: the engine would look through all records of the incident for each that the words name.
    table = f"{kind.table} INDEXED BY sqlite_autoindex_{kind.table}_1"
    source = f"(SELECT r.record AS {_RECORD}, w.rowid AS {_AT} FROM {_LISTED}) CROSS JOIN {table}"
    indexed = where.also(f"id = {_RECORD}")
    if noted:
        indexed = indexed.also(f"NOT {_AMONG}", json.dumps(noted))
    return source, (search.expression(words, kind.name),), indexed


def everywhere(db: Any, incident_id: str, asked: str, who: Who, kinds: Sequence[str] = KINDS) -> list[Found]:
    """All kinds of an incident, and the city's shelters: of each the newest that this person may see."""
    found, noted = [], _noted(db)
    for kind in kinds:
        spec = row.kind_of(kind)
        where = Where() if spec.city else Where().also("incident_id = ?", incident_id)
        if kind == "chat-messages":
            where = channels.leave_out(db, where, "channel_id", who)
        records = newest(db, spec, where, asked, SHOWN_OF_A_KIND + 1, noted)
        if records:
            found.append(Found(kind, records[:SHOWN_OF_A_KIND], len(records) > SHOWN_OF_A_KIND))
    return found


def of_lines(db: Any, incident_id: str, asked: str) -> list[str]:
    """The ids of an incident's records, of every kind, that speak of the words; for the chronology's lines."""
    words = search.words_of(asked)
    if not words:
        return []
    sql = f"{_FOUND} AND r.incident_id = ? ORDER BY w.rowid DESC LIMIT {FOUND_MAX}"  # the newest
    found = {record for (record,) in map(tuple, joins.ask(db, sql, (search.expression(words), incident_id)))}
    for kind, noted in _noted(db).items():
        found = (found - set(noted)) | set(_matching(db, kind, noted, words))
    return sorted(found)


def waiting(db: Any) -> int:
    """How many records a search may not know yet; 0 where it looks at all of them itself."""
    noted = int(db.execute(f"SELECT count(*) FROM {index.NOTED}").fetchone()[0])
    return max(0, noted - NOTED_READ_MAX)


def _noted(db: Any) -> dict[str, list[str]]:
    """The records that are noted and not in the index, by kind: the newest, for no more can be looked at."""
    sql = f"SELECT kind, record FROM {index.NOTED} WHERE no > (SELECT max(no) FROM {index.NOTED}) - {NOTED_READ_MAX}"
    found: dict[str, list[str]] = {}
    for kind, record in map(tuple, db.execute(sql).fetchall()):
        found.setdefault(kind, []).append(record)
    return {kind: list(dict.fromkeys(records)) for kind, records in found.items()}


def _matching(db: Any, kind: str, noted: Sequence[str], words: list[str]) -> list[str]:
    """Those of the noted records that speak of the words."""
    said = index.said(db, kind, noted) if noted else {}
    return [record for record, one in said.items() if search.speaks_of(one.text, words)]
