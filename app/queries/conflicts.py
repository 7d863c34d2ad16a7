"""Records with a field of which people know several values (食い違い), of every kind: of an incident, and of the city.

Before: the tables. After: the inbox, the menu's count, the API. The values themselves come from ``node.heads``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import permissions
from app.queries import channels, joins, row
from app.queries.row import Record, Where
from app.records import KINDS
from sync.kinds import OF_SYNC, Kind


@dataclass(frozen=True, slots=True)
class Sight:
    """Whoever looks: sees kinds that the role may read, and channels that are open or theirs."""

    id: str
    team: str | None
    role: str

    @property
    def kinds(self) -> list[Kind]:
        return [kind for kind in shown() if permissions.allowed(self.role, "read", kind.name)]


# An opening that a newer one has taken the place of asks nobody for anything.
_CURRENT = {
    "shelter-openings": "NOT EXISTS (SELECT 1 FROM shelter_openings newer WHERE newer.scope = shelter_openings.scope"
    " AND newer.shelter_id = shelter_openings.shelter_id AND newer.hidden = 0"
    " AND (newer.created_at, newer.id) > (shelter_openings.created_at, shelter_openings.id))"
}


def listed(
    db: Any, incident_id: str | None = None, limit: int = row.LIMIT_MAX, sight: Sight | None = None, only: str = ""
) -> list[Record]:
    """The newest first; of an incident with those of the city. ``sight``: whoever looks, and sees their channels.

    ``only``: those of one kind.
    """
    found: list[Record] = []
    numbers = counts(db, incident_id, sight)
    for kind in (row.kind_of(name) for name, number in numbers.items() if number and only in ("", name)):
        where = Where().also("conflicts > 0").also(_CURRENT.get(kind.name, "TRUE"))
        if incident_id is not None and not kind.city:
            where = where.also("incident_id = ?", incident_id)
        if kind.name == "channels" and sight is not None:
            where = channels.leave_out(db, where, "id", sight)
        found += row.select(db, kind, where, f"ORDER BY updated_at DESC LIMIT {int(limit)}")
    return sorted(found, key=lambda record: (record.updated_at, record.id), reverse=True)[:limit]


def counted(db: Any, incident_id: str | None = None, sight: Sight | None = None) -> int:
    """How many records have a conflict."""
    return sum(counts(db, incident_id, sight).values())


def counts(db: Any, incident_id: str | None, sight: Sight | None) -> dict[str, int]:
    """How many by kind, in one question: every page of an incident asks it for its menu."""
    parts: list[str] = []
    values: list[Any] = []
    for kind in sight.kinds if sight is not None else shown():
        part = f"SELECT '{kind.name}', count(*) FROM {kind.table} WHERE hidden = 0 AND conflicts > 0"
        part += f" AND {_CURRENT[kind.name]}" if kind.name in _CURRENT else ""
        if incident_id is not None and not kind.city:
            part += " AND incident_id = ?"
            values.append(incident_id)
        parts.append(part)
    found: dict[str, int] = dict(map(tuple, joins.ask(db, " UNION ALL ".join(parts), values)))
    if sight is not None and found.get("channels"):  # rare: who sees a channel is asked only then
        where = Where().also("conflicts > 0")
        where = where.also("incident_id = ?", incident_id) if incident_id is not None else where
        found["channels"] = row.count(db, "channels", channels.leave_out(db, where, "id", sight))
    return found


def shown() -> list[Kind]:
    """The kinds that are listed. What was sealed is settled where it may be read: this list is for everybody."""
    return [kind for kind in KINDS if not kind.entry and kind not in OF_SYNC and not kind.sealed]
