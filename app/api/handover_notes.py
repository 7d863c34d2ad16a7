"""Handover notes: the lists of what is open are filled for whoever writes; PATCH with ``taken_at`` takes one over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app import permissions
from app.api.collection import Collection
from app.queries import handover_notes, teams
from app.queries.conflicts import Sight
from app.queries.orders import Me
from app.queries.row import Record
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["handover-notes"]
    return Collection(
        noun.kind,
        node,
        noun,
        check=_check,
        edited=lambda collection, record: {"taken_by": g.person.id},
        composed=lambda db, incident_id: _open(node, db, incident_id),
        filled=noun.given,
    )


def _open(node: Any, db: Any, incident_id: str) -> dict[str, Any]:
    person = g.person
    me = Me.of(person.id, person.team, node.node_id)
    sight = Sight(person.id, person.team, person.role)
    commands = permissions.allowed(person.role, "create", "instructions")
    found = handover_notes.open_for(db, incident_id, me, sight, node.here(), node.clock(), commands=commands)
    return found.fields()


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    db, team = collection.node.reader(), form.get("team")
    if team is not None and teams.get(db, shape.record_id("team", team)) is None:
        shape.refuse("unknown_team", "team", "is no team that is here", "List /api/v1/teams.")
    if record is None:
        for name in ("taken_at", "taken_note"):
            if form.get(name) is not None:
                shape.refuse("not_yet", name, "is said by whoever takes over", "Change the note afterwards.")
    elif form.get("taken_at") is None:
        shape.refuse("required", "taken_at", "is needed", "Send the time at which you take over.")
    elif record.author == g.person.id:
        shape.refuse("own_note", "taken_at", "is of your own note", "Somebody else takes over.")
