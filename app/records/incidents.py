"""Incidents (災害): records of the city that name the scopes of everything else. The mode is set once."""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "incidents",
    city=True,
    mode_field="mode",
    fields={
        "name": Field("text"),
        "mode": Field("text", "once"),
        "kind": Field("text"),
        "phase": Field("text"),
        "opened_at": Field("integer"),
        "closed_at": Field("integer"),
        "same_as": Field("id"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "mode": shape.choice(catalog.table("incident_modes").codes),
        "kind": shape.choice(catalog.table("incident_kinds").codes),
        "phase": shape.text(shape.NAME_CHARS_MAX, lines=False),  # a city may name phases of its own
        "opened_at": shape.moment,
        "closed_at": shape.moment,
        "same_as": shape.an_id,
    },
    needed=("name", "mode", "kind"),
    fixed=("mode",),
)
create, edit = NOUN.create, NOUN.edit
