"""Template sentences of damage reports (定型文): what is said again and again, by one tap. Written by HQ.

``category``: the damage category that it is offered for; without one, for all. One that is no longer used stays, with
``active`` false.
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "report-phrases",
    city=True,
    fields={"text": Field("text"), "category": Field("text"), "active": Field("flag")},
)
NOUN = Noun(
    KIND,
    checks={
        "text": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "category": shape.choice(catalog.table("damage_categories").codes),
        "active": shape.flag,
    },
    needed=("text",),
)
create, edit = NOUN.create, NOUN.edit
