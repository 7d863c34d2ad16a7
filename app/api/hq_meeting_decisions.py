"""Decisions of HQ's meetings: each belongs to a meeting, which says the incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.api import paging
from app.api.collection import Collection
from app.queries import hq_meetings, teams
from app.queries.row import Record, Where
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["hq-meeting-decisions"]
    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("hq_meeting_id",),
        check=_check,
        filters=_filters,
        incident_of=_incident_of,
    )


def _incident_of(db: Any, body: Mapping[str, Any]) -> str | None:
    if body.get("hq_meeting_id") is None:
        shape.refuse("required", "hq_meeting_id", "is needed", "Send the id of a meeting.")
    found = hq_meetings.get(db, shape.record_id("hq_meeting_id", body["hq_meeting_id"]))
    if found is None:
        hint = "Check the id; it may not have arrived yet."
        shape.refuse("unknown_meeting", "hq_meeting_id", "is no meeting that is here", hint)
    return found.incident_id


def _check(collection: Collection, form: Mapping[str, Any], record_id: str, record: Record | None) -> None:
    team = form.get("team")
    if team is not None and teams.get(collection.node.reader(), shape.record_id("team", team)) is None:
        shape.refuse("unknown_team", "team", "is no team of this city", "Send the id of a team.")


def _filters(args: Any, where: Where) -> Where:
    meeting = paging.record_id(args, "hq_meeting_id")
    return where if meeting is None else where.also("hq_meeting_id = ?", meeting)
