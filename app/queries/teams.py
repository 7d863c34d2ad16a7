"""Teams."""

from __future__ import annotations

from typing import Any

from app.queries import row
from app.queries.row import Record, Where


def get(db: Any, team_id: str) -> Record | None:
    return row.get(db, "teams", team_id)


def listed(db: Any) -> list[Record]:
    return row.select(db, row.kind_of("teams"), Where(), "ORDER BY name, id")


def names(db: Any) -> dict[str, str]:
    return {team.id: team["name"] for team in listed(db)}
