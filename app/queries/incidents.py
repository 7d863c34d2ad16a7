"""Incidents, with the counts that their list shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.queries.row import Record, Where, kind_of, select
from app.queries.row import get as _get
from app.records import scope_of


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """A line of the incident list."""

    incident: Record
    reports: int
    open_reports: int


def get(db: Any, incident_id: str) -> Record | None:
    return _get(db, "incidents", incident_id)


def listed(db: Any) -> list[IncidentLine]:
    """Every incident: those that are going on first, then the newest first."""
    found = select(db, kind_of("incidents"), Where(), "ORDER BY closed_at IS NOT NULL, created_at DESC, id DESC")
    totals = _report_counts(db)
    return [IncidentLine(incident, *totals.get(incident.id, (0, 0))) for incident in found]


def ongoing(db: Any) -> list[Record]:
    return [line.incident for line in listed(db) if line.incident["closed_at"] is None]


def scope(incident: Record) -> bytes:
    """The scope that the incident's records are written in."""
    return scope_of(incident["mode"], incident.id)


def _report_counts(db: Any) -> dict[str, tuple[int, int]]:
    """All reports and those not yet answered, by incident."""
    rows = db.execute(
        "SELECT incident_id, sum(reports), sum(iif(response_status IN ('open', 'accepted'), reports, 0))"
        " FROM report_counts GROUP BY incident_id"
    )
    return {incident_id: (total, waiting) for incident_id, total, waiting in rows}
