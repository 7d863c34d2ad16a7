"""Points of a round (パトロール): a ledger of what was seen where.

解消 of a 注意 names it (``clears``) and shows why: with a photo, or with a reason in words.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "patrol-points",
    entry=True,
    fields={
        "patrol_id": Field("id"),
        "status": Field("text"),
        "location": Field("point"),
        "accuracy_m": Field("real"),
        "note": Field("text"),
        "passability": Field("text"),
        "clears": Field("id"),  # the point whose danger is over
        "team": Field("id"),
        "attachments": Field("json"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "patrol_id": shape.an_id,
        "status": shape.choice(catalog.table("patrol_statuses").codes),
        "location": shape.point,
        "accuracy_m": shape.real(0, 100_000),
        "note": shape.text(shape.TEXT_CHARS_MAX),
        "passability": shape.choice(catalog.table("passabilities").codes),
        "clears": shape.an_id,
        "team": shape.an_id,
        "attachments": shape.each(shape.sha256),
    },
    needed=("status",),
)
edit = NOUN.edit


def create(record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any]) -> Change:
    """A point. What clears another one says what shows it."""
    change = NOUN.create(record_id, scope, form)
    check_clearing(change.fields)
    return change


def check_clearing(fields: Mapping[str, Any]) -> None:
    """Raise Invalid for a point that clears another with neither a photo nor a reason, or that is no 解消."""
    if fields.get("clears") is None:
        return
    if fields.get("status") != "cleared":
        shape.refuse("wrong_status", "status", "is not cleared", "Only a point with the status cleared clears another.")
    if not fields.get("note") and not fields.get("attachments"):
        shape.refuse("required", "note", "is needed, or a photo", "Say why the danger is over, or show it in a photo.")
