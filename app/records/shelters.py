"""Shelters (避難所): master data of the city."""

from __future__ import annotations

from typing import Any

from app import catalog
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
        "usable_floors_label": Field("text"),  # as the city writes it: 校舎(3階・4階)
        "capacity_by_floor": Field("json"),  # {"3": 150}
        "kana": Field("text"),
        "address": Field("text"),
        "phone": Field("text"),
        "facility": Field("text"),  # 小学校, 公民館
        "district": Field("text"),
        "designations": Field("json"),  # emergency (指定緊急避難場所), evacuation (指定避難所)
        "hazards": Field("json"),  # what an emergency site is designated for: codes of hazard_types
        "note": Field("text"),
        "source": Field("text"),
        "data_date": Field("text"),
    },
)


def _floors(field: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > FLOORS_MAX:
        shape.refuse("wrong_type", field, "is not a list of floors", "Send the numbers of the floors, like [3, 4].")
    floor = shape.integer(-5, FLOORS_MAX)
    return sorted({floor(field, item) for item in value})


def _by_floor(field: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) > FLOORS_MAX:
        shape.refuse(
            "wrong_type", field, "is not an object of floors", 'Send the places of each floor, like {"3": 150}.'
        )
    places, floor = shape.integer(0, 1_000_000), shape.integer(-5, FLOORS_MAX)
    found: dict[str, int] = {}
    for name, number in value.items():
        if not isinstance(name, str) or not name.removeprefix("-").isdecimal() or len(name) > 3:
            shape.refuse("wrong_type", field, "names a floor that is no number", 'Send {"3": 150}.')
        found[str(floor(field, int(name)))] = places(field, number)
    return found


_LINE = shape.text(shape.LINE_CHARS_MAX, lines=False)
NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "common_id": shape.text(32, lines=False),
        "location": shape.point,
        "capacity": shape.integer(0, 1_000_000),
        "usable_floors": shape.Check(_floors, {"type": "array", "items": {"type": "integer"}, "maxItems": FLOORS_MAX}),
        "usable_floors_label": _LINE,
        "capacity_by_floor": shape.Check(
            _by_floor, {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
        ),
        "kana": _LINE,
        "address": _LINE,
        "phone": shape.text(40, lines=False),
        "facility": _LINE,
        "district": _LINE,
        "designations": shape.each(shape.choice(("emergency", "evacuation"))),
        "hazards": shape.each(shape.choice(catalog.table("hazard_types").codes)),
        "note": shape.text(shape.TEXT_CHARS_MAX),
        "source": _LINE,
        "data_date": shape.text(32, lines=False),
    },
    needed=("name",),
)
create, edit = NOUN.create, NOUN.edit
