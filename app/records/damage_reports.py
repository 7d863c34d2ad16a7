"""Damage reports (被害報告): what was seen, where, how bad, and what is being done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind


def _keeps_visible(shown: Mapping[str, Any]) -> bool:
    """A removal never hides an unanswered rescue, nor people who were hurt."""
    answered = catalog.table("response_statuses").group(shown.get("response_status")) == "done"
    hurt = shown.get("casualties") not in (None, "none")
    return (bool(shown.get("rescue_needed")) and not answered) or hurt


def _danger(name: str, shape_name: Any = "text") -> Field:
    return Field(shape_name, "danger", catalog.danger_order(name))


KIND = Kind(
    "damage-reports",
    keeps_visible=_keeps_visible,
    fields={
        "category": Field("text"),
        "summary": Field("text"),
        "description": Field("text"),
        "response_status": Field("text"),
        "urgency": _danger("urgency"),
        "certainty": Field("text"),
        "location": Field("point"),
        "accuracy_m": Field("real"),
        "location_source": Field("text"),
        "located_at": Field("integer"),
        "address": Field("text"),
        "found_at": Field("integer"),
        "passability": _danger("passability"),
        "water_depth_cm": Field("integer"),
        "rescue_needed": _danger("rescue_needed", "flag"),
        "casualties": _danger("casualties"),
        "team": Field("id"),
        "assignee": Field("id"),
        "same_as": Field("id"),
        "attachments": Field("ids", "set"),
        "reporter_role": Field("text"),
        "number": Field("text", "once"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "category": shape.choice(catalog.table("damage_categories").codes),
        "summary": shape.text(shape.LINE_CHARS_MAX),
        "description": shape.text(shape.TEXT_CHARS_MAX),
        "response_status": shape.choice(catalog.table("response_statuses").codes),
        "urgency": shape.choice(catalog.table("urgencies").codes),
        "certainty": shape.choice(catalog.table("certainties").codes),
        "location": shape.point,
        "accuracy_m": shape.real(0, 100_000),
        "location_source": shape.choice(catalog.table("location_sources").codes),
        "located_at": shape.moment,
        "address": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "found_at": shape.moment,
        "passability": shape.choice(catalog.table("passabilities").codes),
        "water_depth_cm": shape.integer(0, 10_000),
        "rescue_needed": shape.flag,
        "casualties": shape.choice(catalog.table("casualties").codes),
        "team": shape.an_id,
        "assignee": shape.an_id,
        "same_as": shape.an_id,
        "attachments": shape.each(shape.sha256),
    },
    needed=("category", "summary"),
    given=("number", "reporter_role"),
    numbered="number",
)
create, edit = NOUN.create, NOUN.edit
