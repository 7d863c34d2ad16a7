"""Openings of shelters in an incident: one record a shelter and incident."""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "shelter-openings",
    fields={
        "shelter_id": Field("id"),
        "opening_status": Field("text", "danger", catalog.danger_order("opening_status")),
        "opened_at": Field("integer"),
        "closed_at": Field("integer"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "shelter_id": shape.an_id,
        "opening_status": shape.choice(catalog.table("shelter_statuses").codes),
        "opened_at": shape.moment,
        "closed_at": shape.moment,
    },
    needed=("shelter_id", "opening_status"),
    fixed=("shelter_id",),
)
create, edit = NOUN.create, NOUN.edit
