"""The people of a damage report, as far as this node can open them. Whoever asks has written the read down before."""

from __future__ import annotations

from typing import Any

from app.queries import grants, row
from app.queries.row import Record, Where

NAME = "damage-report-people"


def get(db: Any, report: Record) -> Record | None:
    """What was opened here of a report's people; None where nothing was."""
    where = Where().also("id = ?", report.id).also("scope = ?", report.scope)
    found = row.select(db, row.kind_of(NAME), where, "LIMIT 1")
    return found[0] if found else None


def sealed(db: Any, report: Record) -> bool:
    """Whether anything is sealed of a report's people, whoever can open it."""
    return grants.sealed_here(db, NAME, report.scope, report.id)
