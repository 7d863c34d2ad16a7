"""閲覧記録: who has read what is sealed, and who has read so much that somebody should ask why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.queries import joins, row
from app.queries.row import Record, Where

NAME = "sealed-reads"
LISTED_MAX = 200
BULK_RECORDS, BULK_MS = 30, 10 * 60_000  # more records than this within this time, by one person
ALARM_MS = 24 * 3_600_000  # how long an alarm stands on the pages


@dataclass(frozen=True, slots=True)
class Alarm:
    """One person has read more than is usual within ten minutes; the newest such stretch."""

    author: str
    records: int
    first_at: int
    last_at: int


def listed(db: Any, incident_id: str) -> list[Record]:
    """The newest first."""
    return row.page(db, NAME, Where().also("incident_id = ?", incident_id), LISTED_MAX).items


def numbers(db: Any, incident_id: str) -> dict[str, str]:
    """The numbers of the reports that were opened, by id."""
    rows = joins.ask(
        db,
        "SELECT id, number FROM damage_reports WHERE incident_id = ? AND hidden = 0 AND id IN"
        ' (SELECT "record" FROM sealed_reads WHERE incident_id = ?)',
        (incident_id, incident_id),
    )
    return {record: number or "" for record, number in map(tuple, rows)}


def alarms(db: Any, incident_id: str, now: int) -> list[Alarm]:
    """The alarms of the last day, the newest first. The same on every node that holds the same entries."""
    rows = joins.ask(
        db,
        # The phone tree is printed to be telephoned through: one call-out is one reading, however many were called.
        'SELECT author, created_at, "record",'
        " CASE WHEN collection = 'musters' AND page = 'print' THEN 1 ELSE \"count\" END FROM sealed_reads"
        " WHERE incident_id = ? AND created_at >= ? AND author IS NOT NULL ORDER BY created_at, order_key",
        (incident_id, now - ALARM_MS),
    )
    of_person: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for author, at, record, count in rows.fetchall():
        of_person[author].append((at, record or "", count or 1))
    found = [alarm for author, reads in of_person.items() if (alarm := _newest(author, reads)) is not None]
    return sorted(found, key=lambda alarm: alarm.last_at, reverse=True)


def _newest(author: str, reads: list[tuple[int, str, int]]) -> Alarm | None:
    first, found = 0, None
    for last, (at, _, _) in enumerate(reads):
        while reads[first][0] < at - BULK_MS:
            first += 1
        number = _records(reads[first : last + 1])
        if number > BULK_RECORDS:
            found = Alarm(author, number, reads[first][0], at)
    return found


def _records(reads: Iterable[tuple[int, str, int]]) -> int:
    """How many different records; an export counts for all that were in it."""
    most: dict[str, int] = {}
    for _, record, count in reads:
        most[record] = max(most.get(record, 0), count)
    return sum(most.values())
