"""How one of the staff is reached: telephone and mail. Sealed to HQ, beside the person under the same id.

Whoever adds a person can write it, also where nobody can read it back; an edit by who could not read it adds a value
and replaces none.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from app.records import shape
from app.records.damage_report_people import SCOPE
from app.records.noun import CITY, Noun
from sync.kinds import Field, Kind
from sync.operation import Change, Version

MAIL_CHARS_MAX = 200
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")

KIND = Kind(
    "staff-contacts",
    city=True,
    sealed=SCOPE,
    fields={"phone": Field("text"), "phone_other": Field("text"), "mail": Field("text")},
)
FIELDS = tuple(KIND.fields)


def _mail(field: str, value: Any) -> str:
    """An address as SMTP takes it without extensions, which no line feed can leave."""
    if type(value) is not str or len(value) > MAIL_CHARS_MAX or _MAIL.fullmatch(value.strip()) is None:
        shape.refuse("bad_mail", field, "is no mail address", "Send an address like name@city.example.")
    return value.strip()


NOUN = Noun(
    KIND,
    checks={
        "phone": shape.text(40, lines=False),
        "phone_other": shape.text(40, lines=False),
        "mail": shape.Check(_mail, {"type": "string", "maxLength": MAIL_CHARS_MAX}),
    },
)


def beside(person: uuid.UUID, form: Mapping[str, Any]) -> list[Change]:
    """What goes into the log beside a new person; nothing where nothing is said. Raises Invalid."""
    fields = {name: value for name, value in NOUN.clean(form).items() if value is not None}
    return [Change(KIND.name, person.bytes, CITY, fields)] if fields else []


def edited(person: uuid.UUID, form: Mapping[str, Any], seen: tuple[Version, ...] | None) -> Change:
    """A change of what stands there. Who could not read it has ``seen`` nothing, and adds. Raises Invalid."""
    return Change(KIND.name, person.bytes, CITY, NOUN.clean(form), replaces=seen)
