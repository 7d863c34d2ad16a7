"""Words, looked for in the index; what was written a moment ago is not in it yet and is looked at itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import channels, joins, row
from app.queries.channels import Who
from app.queries.row import Record, Where
from app.records import search
from app.store import search as index

NOTED_READ_MAX = 2_000
FOUND_MAX = 5_000
SHOWN_OF_A_KIND = 20
KINDS = tuple(search.FIELDS)
_FOUND = f"SELECT r.record FROM {index.WORDS} w JOIN {index.RECORDS} r ON r.no = w.rowid WHERE w.{index.WORDS} MATCH ?"


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
    noted, matching = _noted(db, kind, words)
    condition = f"(id IN ({_FOUND}) AND id NOT IN (SELECT value FROM json_each(?))"
    condition += " OR id IN (SELECT value FROM json_each(?)))"
    values = (search.expression(words, kind), json.dumps(noted), json.dumps(matching))
    return where.also(condition, *values)


def everywhere(db: Any, incident_id: str, asked: str, who: Who, kinds: Sequence[str] = KINDS) -> list[Found]:
    """All kinds of an incident, and the city's shelters: of each the newest that this person may see."""
    found = []
    for kind in kinds:
        spec = row.kind_of(kind)
        where = narrowed(db, Where(), kind, asked)
        if not spec.city:
            where = where.also("incident_id = ?", incident_id)
        if kind == "chat-messages":
            where = channels.leave_out(db, where, "channel_id", who)
        place = "order_key" if spec.entry else "created_at"
        records = row.select(db, spec, where, f"ORDER BY {place} DESC, id DESC LIMIT {SHOWN_OF_A_KIND + 1}")
        if records:
            found.append(Found(kind, records[:SHOWN_OF_A_KIND], len(records) > SHOWN_OF_A_KIND))
    return found


def of_lines(db: Any, incident_id: str, asked: str) -> list[str]:
    """The ids of an incident's records, of every kind, that speak of the words; for the chronology's lines."""
    words = search.words_of(asked)
    if not words:
        return []
    sql = f"{_FOUND} AND r.incident_id = ? ORDER BY w.rowid DESC LIMIT {FOUND_MAX}"
    found = {record for (record,) in map(tuple, joins.ask(db, sql, (search.expression(words), incident_id)))}
    for kind in search.FIELDS:
        noted, matching = _noted(db, kind, words)
        found = (found - set(noted)) | set(matching)
    return sorted(found)


def waiting(db: Any) -> int:
    """How many records a search may not know yet; 0 where it looks at all of them itself."""
    noted = int(db.execute(f"SELECT count(*) FROM {index.NOTED}").fetchone()[0])
    return max(0, noted - NOTED_READ_MAX)


def _noted(db: Any, kind: str, words: list[str]) -> tuple[list[str], list[str]]:
    """The records of a kind that are noted and not in the index, and those of them that speak of the words."""
    sql = f"SELECT record FROM {index.NOTED} WHERE kind = ? ORDER BY no DESC LIMIT {NOTED_READ_MAX}"
    noted = list(dict.fromkeys(record for (record,) in map(tuple, db.execute(sql, (kind,)).fetchall())))
    said = index.said(db, kind, noted) if noted else {}
    return noted, [record for record, (_, text) in said.items() if search.speaks_of(text, words)]
