"""The forms of a call-out and of its answers: strings of the pages to the fields of the records. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog
from app.records import muster_safety

LATE_MINUTES = ("15", "30", "60", "120", "240")


def read_new(form: Mapping[str, str], teams: Sequence[str], now: int) -> dict[str, Any]:
    """Fields of a new call-out, made now."""
    fields = {
        "level": form.get("level") or None,
        "message": form.get("message", "").strip() or None,
        "place": form.get("place", "").strip() or None,
        "teams": list(dict.fromkeys(teams)),
        "called_at": now,
    }
    return {name: value for name, value in fields.items() if value is not None}


def read_answer(form: Mapping[str, str], muster_id: str, user: str, now: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(fields of an answer, what is sealed beside it). 遅れる comes so many minutes from now; a reason is one of the
    chips, or what was written instead."""
    state, late = form.get("state", ""), form.get("late", "")
    chip = catalog.table("muster_reasons").get(form.get("reason_code"))
    fields = {
        "muster_id": muster_id,
        "user": user,
        "state": "replied_late" if late else "replied_unable" if chip else state,
        "eta_at": now + int(late) * 60_000 if late in LATE_MINUTES else None,
        "happened_at": now,
        "means": form.get("means") or None,
        "spoke_with": form.get("spoke_with", "").strip() or None,
    }
    told = {name: form.get(name, "").strip() or None for name in muster_safety.FIELDS}
    told["reason"] = told["reason"] or (chip.word if chip else None)
    return _said(fields), _said(told)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
