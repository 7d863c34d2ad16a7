"""Notices as lists show them, and who has read each in its newest edition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import joins, row, search, users
from app.queries.row import Record, Where

NAME = "bulletins"
PAGE_ROWS_MAX, PINNED_MAX = 40, 50
STATES = ("unread", "pinned", "withdrawn")

# What a person has still to read: a notice that stands and whose edition they have not had on the screen; or one that
# was withdrawn, by somebody else, after they had read it.
_UNREAD = (
    "(withdrawn_at IS NULL AND author IS NOT ? AND NOT EXISTS (SELECT 1 FROM bulletin_sightings s WHERE s.bulletin_id ="
    " bulletins.id AND s.user_id = ? AND s.edition >= coalesce(bulletins.edition, 1))"
    " OR withdrawn_at IS NOT NULL AND withdrawn_by IS NOT ?"
    " AND EXISTS (SELECT 1 FROM bulletin_sightings s WHERE s.bulletin_id = bulletins.id"
    " AND s.user_id = ? AND s.edition < coalesce(bulletins.edition, 1)))"
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the list is narrowed to; empty means everything."""

    state: str | None = None
    category: str | None = None
    words: str | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who is to read a notice. ``seen_at`` is of the newest edition; ``before``: an earlier one was read."""

    user: Record
    seen_at: int | None
    node: str | None
    before: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A notice with its readers: everybody who may log in, but whoever wrote it; of a withdrawn one who had read it."""

    bulletin: Record
    readers: tuple[Reader, ...]
    unread: bool  # by whoever looks

    @property
    def read(self) -> int:
        return sum(reader.seen_at is not None for reader in self.readers)


def get(db: Any, bulletin_id: str) -> Record | None:
    return row.get(db, NAME, bulletin_id)


def listing(db: Any, incident_id: str, user_id: str, narrowed: Narrowed, limit: int = PAGE_ROWS_MAX) -> list[Record]:
    """Newest first; one more than ``limit`` tells that there are more."""
    asked = where(db, incident_id, user_id, narrowed)
    return row.select(db, row.kind_of(NAME), asked, f"ORDER BY created_at DESC, id DESC LIMIT {int(limit) + 1}")


def pinned(db: Any, incident_id: str) -> list[Record]:
    """What stands at the top of the front page: pinned and not withdrawn, the newest first."""
    asked = Where().also("incident_id = ?", incident_id).also("pinned = 1 AND withdrawn_at IS NULL")
    return row.select(db, row.kind_of(NAME), asked, f"ORDER BY created_at DESC, id DESC LIMIT {PINNED_MAX}")


def counts(db: Any, incident_id: str, user_id: str) -> dict[str, int]:
    """How many notices the list has for each of its filters; ``all`` for none."""
    found = {state: row.count(db, NAME, where(db, incident_id, user_id, Narrowed(state))) for state in STATES}
    return {"all": row.count(db, NAME, Where().also("incident_id = ?", incident_id)), **found}


def unread(db: Any, incident_id: str, user_id: str) -> list[str]:
    """The ids, with their editions, of what this person has still to read: for the menu and the sound."""
    asked = Where().also("incident_id = ?", incident_id).also(_UNREAD, *[user_id] * 4)
    sql = f"SELECT id, coalesce(edition, 1) FROM bulletins WHERE {asked.sql()} ORDER BY created_at DESC LIMIT 200"
    return [f"{id_}.{edition}" for id_, edition in map(tuple, joins.ask(db, sql, asked.values))]


def lines(db: Any, listed: Sequence[Record], user_id: str) -> list[Line]:
    """With who has read them: a fixed number of queries, however many they are."""
    people = [user for user in users.listed(db) if user["active"] is not False]
    seen = _sightings(db, [one.id for one in listed])
    return [_line(one, people, seen, user_id) for one in listed]


def edition_seen(db: Any, bulletin_ids: Iterable[str], user_id: str) -> dict[str, int]:
    """Which edition of each this person has had on the screen."""
    found = _sightings(db, list(bulletin_ids))
    return {bulletin: edition for (bulletin, user), (edition, _, _) in found.items() if user == user_id}


def _line(one: Record, people: list[Record], seen: dict[tuple[str, str], tuple[int, int, str]], user_id: str) -> Line:
    wanted, readers = one["edition"] or 1, []
    for user in people:
        edition, at, node = seen.get((one.id, user.id), (0, None, None))
        if user.id == one.author or (edition == 0 and one["withdrawn_at"] is not None):
            continue  # of a withdrawal only those are to be told who had read what is withdrawn
        current = edition >= wanted
        readers.append(Reader(user, at if current else None, node if current else None, 0 < edition < wanted))
    own = seen.get((one.id, user_id), (0, 0, ""))[0]
    stands = one["withdrawn_at"] is None
    told = one.author if stands else one["withdrawn_by"]  # whoever did it knows it
    is_unread = told != user_id and (own < wanted if stands else 0 < own < wanted)
    return Line(one, tuple(readers), is_unread)


def _sightings(db: Any, ids: list[str]) -> dict[tuple[str, str], tuple[int, int, str]]:
    if not ids:
        return {}
    sql = (
        "SELECT bulletin_id, user_id, coalesce(edition, 1), seen_at, node FROM bulletin_sightings"
        f" WHERE hidden = 0 AND seen_at IS NOT NULL AND bulletin_id IN ({', '.join('?' for _ in ids)})"
    )
    return {(one, user): (edition, at, node) for one, user, edition, at, node in map(tuple, db.execute(sql, ids))}


def where(db: Any, incident_id: str, user_id: str, narrowed: Narrowed) -> Where:
    """What the list of an incident is narrowed to, for this person."""
    asked = Where().also("incident_id = ?", incident_id)
    if narrowed.state == "unread":
        asked = asked.also(_UNREAD, *[user_id] * 4)
    elif narrowed.state == "pinned":
        asked = asked.also("pinned = 1 AND withdrawn_at IS NULL")
    elif narrowed.state == "withdrawn":
        asked = asked.also("withdrawn_at IS NOT NULL")
    if narrowed.category:
        asked = asked.also("category = ?", narrowed.category)
    if narrowed.before is not None:
        asked = asked.also("created_at < ?", narrowed.before)
    return search.narrowed(db, asked, NAME, narrowed.words)
