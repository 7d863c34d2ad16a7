"""People who use the system: names, roles, teams. Credentials are never operations.

``home_node`` is the node that a person belongs to. A device with the capability ``field`` writes people of
its own node only, so each of its operations carries its own id there (``judge``).
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "users",
    city=True,
    fields={
        "name": Field("text"),
        "role": Field("text"),
        "team": Field("id"),
        "home_node": Field("text"),
        "active": Field("flag"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "role": shape.choice(catalog.table("roles").codes),
        "team": shape.an_id,
        "active": shape.flag,
    },
    needed=("name", "role"),
    given=("home_node",),
)
create, edit = NOUN.create, NOUN.edit
