"""Channels of an incident, and who may see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.permissions import HQ
from app.queries import row
from app.queries.row import Record, Where
from app.records import channels as records


class Who(Protocol):
    """Who looks: a person who is logged in, or nobody in particular."""

    @property
    def id(self) -> str: ...

    @property
    def team(self) -> str | None: ...

    @property
    def role(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is not logged in here; as it is made, nobody at all."""

    id: str = ""
    team: str | None = None
    role: str | None = None


def get(db: Any, channel_id: str) -> Record | None:
    return row.get(db, "channels", channel_id)


def listed(db: Any, incident_id: str) -> list[Record]:
    """The channels of an incident, oldest first."""
    where = Where().also("incident_id = ?", incident_id)
    return row.select(db, row.kind_of("channels"), where, "ORDER BY created_at, id")


def visible_to(channel: Record, who: Who) -> bool:
    """A channel without members is everyone's; else its members', be they users or teams, and its maker's.

    HQ's own is HQ's, a team's is also HQ's, and what two persons say to each other is theirs alone.
    """
    members, standing = channel["members"], channel["standing"]
    if standing == records.HQ:
        return who.role in HQ
    if standing == records.DIRECT:
        return who.id in members
    if standing == records.TEAM and who.role in HQ:
        return True
    return not members or who.id in members or who.team in members or channel.author == who.id


def readers(channel: Record, people: Sequence[Record]) -> list[Record]:
    """Who may see a channel, of these people."""
    return [person for person in people if visible_to(channel, Viewer(person.id, person["team"], person["role"]))]


def leave_out(db: Any, where: Where, column: str, who: Who) -> Where:
    """``where`` without the channels (by their id in ``column``) that this person may not see."""
    closed = _hidden_from(db, who)
    if not closed:
        return where
    return where.also(f"{column} NOT IN (SELECT value FROM json_each(?))", json.dumps(closed))


def _hidden_from(db: Any, who: Who) -> list[str]:
    where = Where().also("(members IS NOT NULL AND members <> '[]' OR standing = ?)", records.HQ)
    closed = row.select(db, row.kind_of("channels"), where)
    return [channel.id for channel in closed if not visible_to(channel, who)]
