"""The form of one of the staff: strings of the page to the fields of the register and what is sealed beside. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.records import staff_contacts

TEXTS = ("name", "kana", "employee_number", "department", "place")
CHOSEN = ("team", "role", "from_level", "user")
WAS = "_was_"


def read_new(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(fields of the person, how to reach them)"""
    fields: dict[str, Any] = {name: value for name in (*TEXTS, *CHOSEN) if (value := _value(form, name)) is not None}
    if form.get("support") == "yes":
        fields["support"] = True
    contacts = {name: value for name in staff_contacts.FIELDS if (value := _value(form, name)) is not None}
    return fields, contacts


def read_edit(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs from the values that the form was drawn with."""
    fields: dict[str, Any] = {name: _value(form, name) for name in (*TEXTS, *CHOSEN) if _differs(form, name)}
    for name in ("support", "active"):
        if _differs(form, name):
            fields[name] = form.get(name) == "yes"
    return fields, {name: _value(form, name) for name in staff_contacts.FIELDS if _differs(form, name)}


def _value(form: Mapping[str, str], name: str) -> str | None:
    return form.get(name, "").strip() or None


def _differs(form: Mapping[str, str], name: str) -> bool:
    return name in form and form[name].strip() != form.get(f"{WAS}{name}", "").strip()
