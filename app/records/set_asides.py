"""Contradictions that somebody has looked at and said to be known (わかっている矛盾): which, why, and what it was then.

``facts`` is what the rule saw: where that changes, the contradiction is shown again.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "set-asides",
    fields={
        "rule": Field("text"),
        "about": Field("id"),
        "facts": Field("text"),
        "because": Field("text"),
        "lifted": Field("flag"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "rule": shape.choice(catalog.table("contradictions").codes),
        "about": shape.an_id,
        "facts": shape.text(shape.LINE_CHARS_MAX),
        "because": shape.text(shape.LINE_CHARS_MAX),
        "lifted": shape.flag,
    },
    needed=("rule", "about", "facts", "because"),
    fixed=("rule", "about"),
)
create, edit = NOUN.create, NOUN.edit


def first(scope: bytes, incident_id: str, form: dict[str, Any]) -> Change:
    """The first that is said of it. Two people who say it apart write one record: both reasons are kept."""
    record = uuid.uuid5(uuid.UUID(incident_id), f"{form['rule']} {form['about']}")
    return replace(NOUN.create(record, scope, form), expects=None)
