"""The forms of an instruction and of its answers: strings of the page to the fields of the records. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog
from app.errors import Invalid

DUE_MINUTES = ("15", "30", "60", "120")


def read_new(form: Mapping[str, str], recipients: Sequence[str], now: int) -> dict[str, Any]:
    """Fields of a new instruction; due in so many minutes from now. Raises Invalid where nobody is named."""
    if not recipients:
        raise Invalid("required", "nobody is named", "Choose at least one recipient.", "recipients")
    due = form.get("due", "")
    fields = {
        "text": form.get("text", "").strip() or None,
        "priority": form.get("priority") or "normal",
        "recipients": list(dict.fromkeys(recipients)),
        "damage_report_id": form.get("damage_report_id") or None,
        "chat_message_id": form.get("chat_message_id") or None,
        "decision_id": form.get("decision_id") or None,
        "due_at": now + int(due) * 60_000 if due in DUE_MINUTES else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_reply(form: Mapping[str, str], instruction_id: str) -> dict[str, Any]:
    """Fields of an answer. A reason is one of the chips, or what was written instead."""
    chip = catalog.table("cannot_reasons").get(form.get("reason_code"))
    fields = {
        "instruction_id": instruction_id,
        "state": form.get("state", ""),
        "reason": form.get("reason", "").strip() or (chip.word if chip else None),
        "on_behalf_of": form.get("on_behalf_of") or None,
        "means": form.get("means") or None,
        "spoke_with": form.get("spoke_with", "").strip() or None,
        "takes_back": form.get("takes_back") or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
