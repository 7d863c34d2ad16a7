"""The staff register (職員名簿): who may be called out, to where, and from which staffing level on.

How to reach them is sealed, beside the person under the same id (``staff_contacts``). A device with the capability
``field`` writes people of its own node only, as 応援職員 who came to it: each of its operations carries its own id in
``home_node`` (``judge``).
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "staff",
    city=True,
    fields={
        "name": Field("text"),
        "kana": Field("text"),
        "employee_number": Field("text"),
        "department": Field("text"),
        "team": Field("id"),
        "role": Field("text"),
        "place": Field("text"),  # where this person musters
        "from_level": Field("text"),  # none: with everybody, at the highest
        "user": Field("id"),  # the login of this person, where there is one
        "support": Field("flag"),  # 応援職員: came from elsewhere, added on the spot
        "active": Field("flag"),
        "home_node": Field("text"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "kana": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "employee_number": shape.text(40, lines=False),
        "department": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "team": shape.an_id,
        "role": shape.choice(catalog.table("staff_roles").codes),
        "place": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "from_level": shape.choice(catalog.table("staffing_levels").in_group("staff")),
        "user": shape.an_id,
        "support": shape.flag,
        "active": shape.flag,
    },
    needed=("name",),
    given=("home_node",),
)
create, edit = NOUN.create, NOUN.edit
