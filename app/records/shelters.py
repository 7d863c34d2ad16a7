"""Shelters (避難所): master data of the city."""

from __future__ import annotations

from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

FLOORS_MAX = 60

KIND = Kind(
    "shelters",
    city=True,
    fields={
        "name": Field("text"),
        "common_id": Field("text"),
        "location": Field("point"),
        "capacity": Field("integer"),
        "usable_floors": Field("json"),
    },
)


def _floors(field: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > FLOORS_MAX:
        shape.refuse("wrong_type", field, "is not a list of floors", "Send the numbers of the floors, like [3, 4].")
    floor = shape.integer(-5, FLOORS_MAX)
    return sorted({floor(field, item) for item in value})


NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "common_id": shape.text(32, lines=False),
        "location": shape.point,
        "capacity": shape.integer(0, 1_000_000),
        "usable_floors": shape.Check(_floors, {"type": "array", "items": {"type": "integer"}, "maxItems": FLOORS_MAX}),
    },
    needed=("name",),
)
create, edit = NOUN.create, NOUN.edit
