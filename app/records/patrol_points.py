"""Points of a round (パトロール): a ledger of what was seen where."""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "patrol-points",
    entry=True,
    fields={
        "status": Field("text"),
        "location": Field("point"),
        "note": Field("text"),
        "team": Field("id"),
        "attachments": Field("json"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "status": shape.choice(catalog.table("patrol_statuses").codes),
        "location": shape.point,
        "note": shape.text(shape.TEXT_CHARS_MAX),
        "team": shape.an_id,
        "attachments": shape.each(shape.sha256),
    },
    needed=("status",),
)
create, edit = NOUN.create, NOUN.edit
