"""Channels of an incident, and who may see them."""

from __future__ import annotations

import json
from typing import Any

from app.queries import row
from app.queries.row import Record, Where


def get(db: Any, channel_id: str) -> Record | None:
    return row.get(db, "channels", channel_id)


def listed(db: Any, incident_id: str) -> list[Record]:
    """The channels of an incident, oldest first."""
    where = Where().also("incident_id = ?", incident_id)
    return row.select(db, row.kind_of("channels"), where, "ORDER BY created_at, id")


def visible_to(channel: Record, user_id: str, team_id: str | None = None) -> bool:
    """A channel without members is everyone's; else its members', be they users or teams, and its maker's."""
    members = channel["members"]
    return not members or user_id in members or team_id in members or channel.author == user_id


def leave_out(db: Any, where: Where, column: str, user_id: str, team_id: str | None = None) -> Where:
    """``where`` without the channels (by their id in ``column``) that this person may not see."""
    closed = _hidden_from(db, user_id, team_id)
    if not closed:
        return where
    return where.also(f"{column} NOT IN (SELECT value FROM json_each(?))", json.dumps(closed))


def _hidden_from(db: Any, user_id: str, team_id: str | None) -> list[str]:
    where = Where().also("members IS NOT NULL AND members <> '[]'")
    closed = row.select(db, row.kind_of("channels"), where)
    return [channel.id for channel in closed if not visible_to(channel, user_id, team_id)]
