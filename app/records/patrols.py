"""Rounds (パトロール): which way, which team, from when until when.

A round that nobody has started is a plan; one that was finished without a start was called off.
"""

from __future__ import annotations

from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

PLACES_MAX = 200  # of a route

KIND = Kind(
    "patrols",
    fields={
        "name": Field("text"),
        "team": Field("id"),
        "route": Field("json"),  # what people call it, or the places it passes: [[lon, lat]]
        "started_at": Field("integer"),
        "finished_at": Field("integer"),
        "note": Field("text"),
        "number": Field("text", "once"),
    },
)

_CALLED = shape.text(shape.NAME_CHARS_MAX, lines=False)
_PLACES = {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}}


def _route(field: str, value: Any) -> str | list[list[float]]:
    if isinstance(value, str):
        called: str = _CALLED(field, value)
        return called
    if not isinstance(value, list) or not 1 <= len(value) <= PLACES_MAX:
        hint = f"Send its name, or up to {PLACES_MAX} places as [[longitude, latitude]]."
        shape.refuse("bad_route", field, "is neither a name nor a list of places", hint)
    return [[number + 0.0 for number in shape.point(field, place)] for place in value]


NOUN = Noun(
    KIND,
    checks={
        "name": _CALLED,
        "team": shape.an_id,
        "route": shape.Check(_route, {"anyOf": [_CALLED.schema, {**_PLACES, "minItems": 1, "maxItems": PLACES_MAX}]}),
        "started_at": shape.moment,
        "finished_at": shape.moment,
        "note": shape.text(shape.TEXT_CHARS_MAX),
    },
    given=("number",),
    numbered="number",
)
create, edit = NOUN.create, NOUN.edit
