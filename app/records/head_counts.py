"""Head counts (避難者数): a ledger. Of each post the latest entry stands; the total is the sum of the posts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

PEOPLE_MAX = 1_000_000
PARTS = ("male", "female", "other")

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
edit = NOUN.edit


def create(record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any]) -> Change:
    """A count. Its parts may be left out; where they are said they fit the total."""
    change = NOUN.create(record_id, scope, form)
    check_parts(change.fields)
    return change


def check_parts(fields: Mapping[str, Any]) -> None:
    """Raise Invalid where men, women and others are more than the total, or all three are known and fewer."""
    parts = [fields.get(name) for name in PARTS]
    known = [part for part in parts if part is not None]
    total = fields.get("total")
    if total is None:
        return
    if sum(known) > total or (len(known) == len(PARTS) and sum(known) != total):
        hint = "Send male, female and other that add up to the total, or leave out what was not counted."
        shape.refuse("parts_do_not_fit", "total", "is not what its parts add up to", hint)
