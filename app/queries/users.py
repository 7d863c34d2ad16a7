"""People who use the system."""

from __future__ import annotations

from typing import Any

from app.queries import row
from app.queries.row import Record, Where


def get(db: Any, user_id: str) -> Record | None:
    return row.get(db, "users", user_id)


def by_name(db: Any, name: str) -> list[Record]:
    """Everyone of that name: two nodes may each have given it to somebody."""
    return row.select(db, row.kind_of("users"), Where().also("name = ?", name), "ORDER BY created_at, id")


def listed(db: Any) -> list[Record]:
    return row.select(db, row.kind_of("users"), Where(), "ORDER BY name, id")


def names(db: Any) -> dict[str, str]:
    return {user.id: user["name"] for user in listed(db)}
