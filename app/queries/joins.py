"""Incidents that were opened twice: joined by ``same_as`` they are one, and every query over one covers all of them.

Before: ``row`` and the nouns' queries have written their SQL for one incident. After: the same SQL asks for the whole
group. Where nothing is joined, which is nearly always, the SQL stays as it was, and so does its plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_COMPARED = re.compile(r"\bincident(_id)? = $")
_LINKS = (
    "SELECT one.id, one.same_as FROM incidents one JOIN incidents other ON other.id = one.same_as"
    " WHERE one.same_as IS NOT NULL AND one.hidden = 0 AND other.hidden = 0"
    " AND other.mode IS one.mode AND other.id <> one.id"
)


@dataclass(frozen=True, slots=True)
class Joins:
    """The links that hold: each between two incidents of one mode that are here."""

    links: Mapping[str, str]  # id -> same_as

    @staticmethod
    def read(db: Any) -> Joins:
        return Joins(dict(map(tuple, db.execute(_LINKS))))

    def group(self, incident_id: str) -> tuple[str, ...]:
        """The incident and all that are the same, the one they are shown as first, then by id."""
        found, ahead = {incident_id}, [incident_id]
        while ahead:
            end = ahead.pop()
            beside = {one if other == end else other for one, other in self.links.items() if end in (one, other)}
            ahead += beside - found
            found |= beside
        return tuple(sorted(found, key=lambda one: (one in self.links, one)))

    def lead(self, incident_id: str) -> str:
        """The one that the group is shown as. Joined both ways apart, it is the one that was opened first."""
        return self.group(incident_id)[0]

    def parting(self, incident_id: str) -> dict[str, str | None]:
        """The ``same_as`` to write so that this one stands alone and the others stay together."""
        orphans = sorted(one for one, other in self.links.items() if other == incident_id)
        heir = self.links.get(incident_id) or next(iter(orphans), None)
        changed: dict[str, str | None] = {incident_id: None} if incident_id in self.links else {}
        changed |= {orphan: None if orphan == heir else heir for orphan in orphans}
        return changed


def group(db: Any, incident_id: str) -> tuple[str, ...]:
    """The incident and all that are the same as it, the one they are shown as first."""
    return Joins.read(db).group(incident_id)


def covers(db: Any, incident_id: str, record: Any) -> bool:
    """Whether a record is of this incident, or of one that is the same."""
    return bool(record.incident_id == incident_id or record.incident_id in group(db, incident_id))


def covering(db: Any, sql: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """The query with each ``incident_id = ?`` (or ``incident = ?``) asking for the whole group."""
    pieces = sql.split("?")
    places = [place for place, piece in enumerate(pieces[:-1]) if _COMPARED.search(piece)]
    if not places:
        return sql, values
    joins = Joins.read(db)
    if not joins.links:
        return sql, values
    asked = list(values)
    for place in places:
        members = joins.group(asked[place])
        if len(members) > 1:
            pieces[place] = pieces[place].removesuffix("= ") + "IN (SELECT value FROM json_each("
            pieces[place + 1] = "))" + pieces[place + 1]
            asked[place] = json.dumps(members)
    return "?".join(pieces), asked


def ask(db: Any, sql: str, values: Sequence[Any]) -> Any:
    """The rows of a query, over the whole group of every incident that it names."""
    return db.execute(*covering(db, sql, values))


def together(topics: Iterable[str], joins: Joins) -> list[str]:
    """Doorbell topics, each also for the incidents that are the same: their pages show the change too."""
    found: dict[str, None] = {}
    for topic in topics:
        kind, colon, incident_id = topic.partition(":")
        members = joins.group(incident_id) if colon and joins.links else ()
        found |= dict.fromkeys([topic, *(f"{kind}:{one}" for one in members)])
    return list(found)
