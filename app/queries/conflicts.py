"""Records with a field of which people know several values (食い違い), of every kind."""

from __future__ import annotations

from typing import Any

from app.queries import row
from app.queries.row import Record, Where
from app.records import KINDS
from sync.kinds import OF_SYNC, Kind


def listed(db: Any, incident_id: str | None = None, limit: int = row.LIMIT_MAX) -> list[Record]:
    """The newest first. The values themselves come from ``node.heads``."""
    where = Where().also("conflicts > 0")
    if incident_id is not None:
        where = where.also("incident_id = ?", incident_id)
    found: list[Record] = []
    for kind in KINDS:
        if _is_shown(kind):
            found += row.select(db, kind, where, f"ORDER BY updated_at DESC LIMIT {int(limit)}")
    return sorted(found, key=lambda record: (record.updated_at, record.id), reverse=True)[:limit]


def counted(db: Any, incident_id: str | None = None) -> int:
    """How many records have a conflict."""
    where = Where().also("conflicts > 0")
    if incident_id is not None:
        where = where.also("incident_id = ?", incident_id)
    return sum(row.count(db, kind.name, where) for kind in KINDS if _is_shown(kind))


def _is_shown(kind: Kind) -> bool:
    """What was sealed is settled where it may be read: this list is for everybody."""
    return not kind.entry and kind not in OF_SYNC and not kind.sealed
