"""Damage reports: list, feed and the counts of the front page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import doubles, joins, row
from app.queries.row import Page, Record, Where

NAME = "damage-reports"
GROUPS = ("open", "in_progress", "done")
Bbox = tuple[float, float, float, float]  # west, south, east, north


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list may be narrowed by. ``statuses`` are codes; a report without a status is open."""

    incident_id: str | None = None
    since: int | None = None  # changed at this time (ms) or later
    bbox: Bbox | None = None
    statuses: tuple[str, ...] = ()
    category: str | None = None
    team: str | None = None


def get(db: Any, report_id: str) -> Record | None:
    return row.get(db, NAME, report_id)


def first(db: Any, where: Where) -> Record | None:
    """One report that meets ``where``, or None."""
    found = row.select(db, row.kind_of(NAME), where, "ORDER BY id LIMIT 1")
    return found[0] if found else None


def listed(db: Any, filters: Filters, limit: int = row.LIMIT_DEFAULT, cursor: str | None = None) -> Page:
    """Reports that meet the filters, newest first."""
    return row.page(db, NAME, _where(filters), limit, cursor)


def feed(db: Any, incident_id: str, limit: int = 20) -> list[Record]:
    """被害速報: the newest reports of an incident."""
    return listed(db, Filters(incident_id=incident_id), limit).items


def matching(db: Any, filters: Filters) -> int:
    return row.count(db, NAME, _where(filters))


def total(db: Any, incident_id: str, groups: Iterable[str] = ()) -> int:
    """Every report of the incident that is shown, or those whose status is of these groups."""
    return _counted(db, incident_id, "TRUE", [code for group in groups for code in in_group(group)])


def red_total(db: Any, incident_id: str) -> int:
    """The red reports whose status is open and that nobody was given; of joined ones the damage once."""
    codes = in_group("open")
    return _counted(db, incident_id, "red", codes) + len(doubles.red_behind(db, incident_id, codes))


def _counted(db: Any, incident_id: str, condition: str, codes: Sequence[str]) -> int:
    """From the counts that are kept: at 200,000 reports to count them took most of a front page's second."""
    among = f"response_status IN ({', '.join('?' for _ in codes)})" if codes else "TRUE"
    sql = f"SELECT sum(reports) FROM report_counts WHERE incident_id = ? AND {condition} AND {among}"
    return int(joins.ask(db, sql, (incident_id, *codes)).fetchone()[0] or 0)


def in_group(group: str) -> tuple[str, ...]:
    """The status codes that the front page counts as open, in_progress or done."""
    return catalog.table("response_statuses").in_group(group)


def counts(db: Any, incident_id: str) -> dict[str, int]:
    """{open, in_progress, done}: what is joined by same_as counts once, a duplicate with its original."""
    found = dict.fromkeys(GROUPS, 0)
    rows = joins.ask(db, "SELECT response_status, reports FROM report_counts WHERE incident_id = ?", (incident_id,))
    for status, number in rows:
        _add(found, status, number)
    joined = doubles.read(db, incident_id)
    for lead, members in joined.groups.items():
        for one in members:
            _add(found, joined.statuses[one], -1)
        _add(found, joined.statuses[lead], 1)  # a duplicate leads only where all are
    return found


def _where(filters: Filters) -> Where:
    where = Where()
    if filters.incident_id is not None:
        where = where.also("incident_id = ?", filters.incident_id)
    if filters.since is not None:
        where = where.also("updated_at >= ?", filters.since)
    if filters.category is not None:
        where = where.also("category = ?", filters.category)
    if filters.team is not None:
        where = where.also("team = ?", filters.team)
    return narrowed(where, filters.statuses, filters.bbox)


def narrowed(where: Where, statuses: tuple[str, ...], bbox: Bbox | None) -> Where:
    """``where`` with the statuses (one without is open) and the box that a report may have."""
    if statuses:
        marks = ", ".join("?" * len(statuses))
        where = where.also(f"coalesce(response_status, 'open') IN ({marks})", *statuses)
    if bbox is not None:
        west, south, east, north = bbox
        where = where.also("json_extract(location, '$[0]') BETWEEN ? AND ?", west, east)
        where = where.also("json_extract(location, '$[1]') BETWEEN ? AND ?", south, north)
    return where


def _add(found: dict[str, int], status: str, number: int) -> None:
    group = catalog.table("response_statuses").group(status) or ("" if status == "duplicate" else "open")
    if group:
        found[group] += number
