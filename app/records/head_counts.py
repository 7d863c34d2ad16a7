"""Head counts (避難者数): a ledger. Of each post the latest entry stands; the total is the sum of the posts."""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

PEOPLE_MAX = 1_000_000

KIND = Kind(
    "head-counts",
    entry=True,
    fields={
        "shelter_id": Field("id"),
        "post": Field("text"),  # 受付 where people are counted; null is the shelter's only one
        "counted_at": Field("integer"),
        "total": Field("integer"),
        "male": Field("integer"),
        "female": Field("integer"),
        "other": Field("integer"),
        "note": Field("text"),
    },
)

_PEOPLE = shape.integer(0, PEOPLE_MAX)
NOUN = Noun(
    KIND,
    checks={
        "shelter_id": shape.an_id,
        "post": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "counted_at": shape.moment,
        "total": _PEOPLE,
        "male": _PEOPLE,
        "female": _PEOPLE,
        "other": _PEOPLE,
        "note": shape.text(shape.TEXT_CHARS_MAX),
    },
    needed=("shelter_id", "total"),
)
create, edit = NOUN.create, NOUN.edit
