"""The instructions that wait: for one person at one node (menu, alarm, inbox), or for HQ, who must call or decide."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from app.queries import instructions, joins
from app.queries.row import Record

NORMAL, URGENT = "normal", "urgent"


@dataclass(frozen=True, slots=True)
class Me:
    """As whom somebody is addressed: themselves, their team, the node that they sit at."""

    user: str
    team: str | None
    node: str  # as a record id, with hyphens

    @staticmethod
    def of(user_id: str, team: str | None, node_id: str) -> Me:
        return Me(user_id, team, str(uuid.UUID(hex=node_id)))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.user, self.team, self.node) if name)

    def is_meant(self, instruction: Record) -> bool:
        return any(name in self.names for name in instruction["recipients"] or ())


@dataclass(frozen=True, slots=True)
class Waiting:
    """An instruction that nobody addressed here has answered."""

    id: str
    urgent: bool
    created_at: int
    text: str


def waiting(db: Any, incident_id: str, me: Me) -> list[Waiting]:
    """Not withdrawn and without an answer from any of the names I am addressed by; the urgent first, then by age."""
    names = me.names
    marks = ", ".join("?" for _ in names)
    rows = joins.ask(
        db,
        "SELECT i.id, i.priority, i.created_at, i.text FROM instructions i WHERE i.incident_id = ? AND i.hidden = 0"
        " AND i.withdrawn_at IS NULL"
        f" AND EXISTS (SELECT 1 FROM json_each(i.recipients) r WHERE r.value IN ({marks}))"
        f" AND NOT EXISTS (SELECT 1 FROM instruction_replies a WHERE a.instruction_id = i.id AND {instructions.COUNTS}"
        f" AND (a.on_behalf_of IN ({marks}) OR (a.on_behalf_of IS NULL AND (a.author = ? OR a.node = ?"
        " OR a.author IN (SELECT id FROM users WHERE team = ?)))))"
        " ORDER BY i.created_at",
        (incident_id, *names, *names, me.user, uuid.UUID(me.node).hex, me.team),
    )
    found = [Waiting(id_, priority == URGENT, at, text or "") for id_, priority, at, text in rows]
    return sorted(found, key=lambda one: not one.urgent)


def mine(db: Any, incident_id: str, me: Me) -> list[Record]:
    """All that were ever given to me here, newest first."""
    return [one for one in instructions.listed(db, incident_id) if me.is_meant(one)]


@dataclass(frozen=True, slots=True)
class Stuck:
    """An instruction that somebody must be called about."""

    id: str
    number: str | None
    text: str
    urgent: bool


def unheard(db: Any, incident_id: str, urgent_before: int, normal_before: int) -> list[Stuck]:
    """Given before these times (ms) and not acknowledged by everybody: who is missing stands in the call list."""
    rows = joins.ask(
        db,
        "SELECT DISTINCT i.id, i.number, i.text, i.priority, i.created_at"
        " FROM instructions i, json_each(i.recipients) r"
        " WHERE i.incident_id = ? AND i.hidden = 0 AND i.withdrawn_at IS NULL"
        " AND i.created_at <= CASE i.priority WHEN ? THEN ? ELSE ? END"
        f" AND NOT EXISTS (SELECT 1 FROM instruction_replies a WHERE a.instruction_id = i.id AND {instructions.COUNTS}"
        " AND CASE WHEN a.on_behalf_of IS NOT NULL THEN a.on_behalf_of = r.value ELSE a.author = r.value"
        " OR a.node = replace(r.value, '-', '') OR a.author IN (SELECT id FROM users WHERE team = r.value) END)"
        " ORDER BY i.created_at",
        (incident_id, URGENT, urgent_before, normal_before),
    )
    found = [Stuck(id_, number, text, priority == URGENT) for id_, number, text, priority, _ in rows]
    return sorted(found, key=lambda one: not one.urgent)
