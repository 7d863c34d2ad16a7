"""安否 and reasons of an answer to a call-out: how the person and the family are, and why somebody cannot come.

Sealed to HQ, beside the answer under its id: a colleague's injuries are no business of every tablet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import catalog
from app.records import shape
from app.records.damage_report_people import SCOPE
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "muster-safety",
    lane="talk",
    sealed=SCOPE,
    fields={"own_safety": Field("text"), "family_safety": Field("text"), "reason": Field("text")},
)
FIELDS = tuple(KIND.fields)

NOUN = Noun(
    KIND,
    checks={
        "own_safety": shape.choice(catalog.table("safety_states").codes),
        "family_safety": shape.choice(catalog.table("safety_states").codes),
        "reason": shape.text(shape.LINE_CHARS_MAX),
    },
)


def beside(reply: Change, form: Mapping[str, Any]) -> list[Change]:
    """What goes into the log beside an answer; nothing where nothing is said. Raises Invalid."""
    fields = {name: value for name, value in NOUN.clean(form).items() if value is not None}
    return [Change(KIND.name, reply.record, reply.scope, fields)] if fields else []
