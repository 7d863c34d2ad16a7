"""The people of a damage report: who told of it and who was hurt. Sealed to HQ, beside the report under its id.

Whoever files a report can write it, also where nobody can read it back; an edit by who could not read it adds a value
and replaces none.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change, Version

SCOPE = "hq"
CASUALTY_NAMES_CHARS_MAX = 1_000  # 3,000 bytes of Japanese: what is sealed is at most 8 KiB

KIND = Kind(
    "damage-report-people",
    sealed=SCOPE,
    fields={
        "caller_name": Field("text"),
        "caller_phone": Field("text"),
        "caller_address": Field("text"),
        "casualty_names": Field("text"),
    },
)
FIELDS = tuple(KIND.fields)

NOUN = Noun(
    KIND,
    checks={
        "caller_name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "caller_phone": shape.text(40, lines=False),
        "caller_address": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "casualty_names": shape.text(CASUALTY_NAMES_CHARS_MAX),
    },
)


def beside(report: Change, form: Mapping[str, Any]) -> list[Change]:
    """What goes into the log beside a new report; nothing where nothing is said of people. Raises Invalid."""
    fields = {name: value for name, value in NOUN.clean(form).items() if value is not None}
    return [Change(KIND.name, report.record, report.scope, fields)] if fields else []


def edited(record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any], seen: tuple[Version, ...] | None) -> Change:
    """A change of what is said of people. Who could not read it has ``seen`` nothing, and adds. Raises Invalid."""
    return Change(KIND.name, record_id.bytes, scope, NOUN.clean(form), replaces=seen)
