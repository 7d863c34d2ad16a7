"""How many reports an incident has, by status: kept with every row, so that no page counts 200,000 of them.

Before: ``projection.py`` writes the rows, in the same transaction. After: ``queries/`` reads the counts. Like every
table of the projection they can be thrown away and are made anew from the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sync.kinds import Kind
from sync.oplog import Connection
from sync.projection import Row

COUNTED = "damage-reports"
TABLE = "report_counts"
# `red`: urgent, of no team and of no other report: what the front page names first where its status is open.
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (incident_id TEXT NOT NULL, response_status TEXT NOT NULL,"
    " red INTEGER NOT NULL, reports INTEGER NOT NULL, PRIMARY KEY (incident_id, response_status, red)) WITHOUT ROWID"
)
_ADD = f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET reports = reports + excluded.reports"

Place = tuple[str, str, int]
Counted = tuple[str | None, Row, int]  # incident, row, and how many times it counts: 1 or -1


def is_counted(kind: Kind) -> bool:
    return kind.name == COUNTED


def count(connection: Connection, rows: Iterable[Counted]) -> None:
    """Add rows that came and take rows that went; a hidden one is in no count."""
    moved: Counter[Place] = Counter()
    for incident, row, times in rows:
        if incident is not None and not row.hidden:
            moved[(incident, *_group(row.values))] += times
    changed = [(*place, number) for place, number in moved.items() if number]
    if changed:
        connection.executemany(_ADD, changed)


def _group(values: dict[str, Any]) -> tuple[str, int]:
    red = values.get("urgency") == "red" and values.get("team") is None and values.get("same_as") is None
    status = values.get("response_status")
    return "open" if status is None else status, int(red)
