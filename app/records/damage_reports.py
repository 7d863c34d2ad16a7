"""Damage reports (被害報告): what was seen, where, how bad, and what is being done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

CASUALTY_COUNTS = ("deaths", "missing", "injured_serious", "injured_minor")  # ids of FDMA's form 4
COUNT_MAX = 1_000_000


def _keeps_visible(shown: Mapping[str, Any]) -> bool:
    """A removal never hides an unanswered rescue, nor people who were hurt."""
    answered = catalog.table("response_statuses").group(shown.get("response_status")) == "done"
    hurt = shown.get("casualties") not in (None, "none") or any(shown.get(name) for name in CASUALTY_COUNTS)
    return (bool(shown.get("rescue_needed")) and not answered) or hurt


def _danger(name: str, shape_name: Any = "text") -> Field:
    return Field(shape_name, "danger", catalog.danger_order(name))


def _code(table: str) -> shape.Check:
    return shape.choice(catalog.table(table).codes)


KIND = Kind(
    "damage-reports",
    keeps_visible=_keeps_visible,
    fields={
        "category": Field("text"),
        "subcategory": Field("text"),
        "degree": _danger("degree"),
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
        "landmark": Field("text"),
        "reception": Field("text"),
        "occurred_at": Field("integer"),
        "found_at": Field("integer"),
        "people_at_risk": _danger("people_at_risk", "flag"),
        "press": _danger("press"),
        # road
        "passability": _danger("passability"),
        "road_name": Field("text"),
        "regulated_by": Field("text"),
        "detour": Field("text"),
        # flooding
        "water_depth_cm": Field("integer"),
        "water_flow": _danger("water_flow"),
        # river
        "river_name": Field("text"),
        "river_state": _danger("river_state"),
        "river_bank": Field("text"),
        "distance_mark": Field("text"),
        # people
        "rescue_needed": _danger("rescue_needed", "flag"),
        "casualties": _danger("casualties"),
        **{name: Field("integer") for name in CASUALTY_COUNTS},
        "casualty_transport": _danger("casualty_transport"),
        # lifelines: which one it is stands in the subcategory
        "lifeline_state": _danger("lifeline_state"),
        "lifeline_homes": Field("integer"),
        "restoration_at": Field("integer"),
        "team": Field("id"),
        "assignee": Field("id"),
        "same_as": Field("id"),
        "attachments": Field("ids", "set"),
        "reporter_role": Field("text"),
        "number": Field("text", "once"),
    },
)

_LINE = shape.text(shape.LINE_CHARS_MAX, lines=False)

NOUN = Noun(
    KIND,
    checks={
        "category": _code("damage_categories"),
        "subcategory": _code("damage_details"),
        "degree": _code("damage_degrees"),
        "summary": shape.text(shape.LINE_CHARS_MAX),
        "description": shape.text(shape.TEXT_CHARS_MAX),
        "response_status": _code("response_statuses"),
        "urgency": _code("urgencies"),
        "certainty": _code("certainties"),
        "location": shape.point,
        "accuracy_m": shape.real(0, 100_000),
        "location_source": _code("location_sources"),
        "located_at": shape.moment,
        "address": _LINE,
        "landmark": _LINE,
        "reception": _code("reception_means"),
        "occurred_at": shape.moment,
        "found_at": shape.moment,
        "people_at_risk": shape.flag,
        "press": _code("press_flags"),
        "passability": _code("passabilities"),
        "road_name": _LINE,
        "regulated_by": _LINE,
        "detour": _LINE,
        "water_depth_cm": shape.integer(0, 10_000),
        "water_flow": _code("water_flows"),
        "river_name": _LINE,
        "river_state": _code("river_states"),
        "river_bank": _code("river_banks"),
        "distance_mark": shape.text(40, lines=False),
        "rescue_needed": shape.flag,
        "casualties": _code("casualties"),
        **dict.fromkeys(CASUALTY_COUNTS, shape.integer(0, COUNT_MAX)),
        "casualty_transport": _code("casualty_transports"),
        "lifeline_state": _code("lifeline_states"),
        "lifeline_homes": shape.integer(0, COUNT_MAX),
        "restoration_at": shape.moment,
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
