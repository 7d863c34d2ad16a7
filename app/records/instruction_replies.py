"""Answers to an instruction: 了解, 着手, 完了 or できない; a ledger, never changed. Whoever pressed
the wrong one writes that it is taken back, and it counts no more; both stay.

An answer counts for each recipient that is its node, its author, its author's team, or whom it was written down for.
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
    "instruction-replies",
    entry=True,
    lane="talk",
    fields={
        "instruction_id": Field("id"),
        "state": Field("text"),
        "reason": Field("text"),
        "happened_at": Field("integer"),
        "on_behalf_of": Field("id"),  # the recipient who said it by voice
        "means": Field("text"),
        "spoke_with": Field("text"),
        "takes_back": Field("id"),  # an answer by the same author
        "attachments": Field("json"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "instruction_id": shape.an_id,
        "state": shape.choice(catalog.table("reply_states").codes),
        "reason": shape.text(shape.LINE_CHARS_MAX),
        "happened_at": shape.moment,
        "on_behalf_of": shape.an_id,
        "means": shape.choice(catalog.table("voice_means").codes),
        "spoke_with": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "takes_back": shape.an_id,
        "attachments": shape.each(shape.sha256),
    },
    needed=("instruction_id", "state"),
)
edit = NOUN.edit
TAKEN_BACK = "taken_back"


def create(record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any]) -> Change:
    """An answer. できない says why; taking back says what."""
    change = NOUN.create(record_id, scope, form)
    check(change.fields)
    return change


def check(fields: Mapping[str, Any]) -> None:
    """Raise Invalid for a できない without its reason, and for a taking back without its answer or the reverse."""
    if fields.get("state") == "cannot" and not fields.get("reason"):
        shape.refuse("required", "reason", "is needed", "Say why it cannot be done.")
    if (fields.get("state") == TAKEN_BACK) != (fields.get("takes_back") is not None):
        shape.refuse("required", "takes_back", f"goes with the state {TAKEN_BACK}", "Send both, or neither.")
