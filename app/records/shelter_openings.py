"""Openings of shelters in an incident: one record a shelter and incident."""

from __future__ import annotations

import uuid
from dataclasses import replace

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

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


def record_of(incident_id: str, shelter_id: str) -> uuid.UUID:
    """The one id that every node gives to a shelter's opening in an incident."""
    return uuid.uuid5(uuid.UUID(incident_id), shelter_id)


def first(scope: bytes, incident_id: str, shelter_id: str, opening_status: str) -> Change:
    """The first that is said of a shelter in an incident, by somebody who saw nothing said before.

    Two tablets that each say the first word write one record: where they differ it is a conflict, not a second record.
    """
    form = {"shelter_id": shelter_id, "opening_status": opening_status}
    return replace(NOUN.create(record_of(incident_id, shelter_id), scope, form), expects=None)
