"""Incidents, with the counts that their list shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.queries import joins
from app.queries.row import Record, Where, kind_of, select
from app.queries.row import get as _get
from app.records import scope_of


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """A line of the incident list. What was opened twice and joined is one line, with one count."""

    incident: Record
    reports: int
    open_reports: int
    same: tuple[Record, ...] = ()  # the others that it was joined with


def get(db: Any, incident_id: str) -> Record | None:
    return _get(db, "incidents", incident_id)


def listed(db: Any) -> list[IncidentLine]:
    """Every incident: those that are going on first, then the newest first."""
    found = select(db, kind_of("incidents"), Where(), "ORDER BY closed_at IS NOT NULL, created_at DESC, id DESC")
    totals, joined = _report_counts(db), joins.Joins.read(db)
    by_id, lines = {incident.id: incident for incident in found}, []
    for incident in found:
        group = joined.group(incident.id)
        if group[0] == incident.id:
            counted = [totals.get(one, (0, 0)) for one in group]
            same = tuple(by_id[one] for one in group[1:])
            lines.append(IncidentLine(incident, sum(n for n, _ in counted), sum(n for _, n in counted), same))
    return lines


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
