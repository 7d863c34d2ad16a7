"""The form of a meeting of HQ: strings of the page to the fields of the record. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import Invalid
from app.forms import chronicle

TEXTS = ("place", "others", "agenda", "information")
WAS = "_was_"
DECISIONS_MAX = 30


def read_new(form: Mapping[str, str], attendees: Sequence[str], now: int) -> dict[str, Any]:
    """Fields of a new meeting; one without a time is held now."""
    fields: dict[str, Any] = {name: text for name in TEXTS if (text := form.get(name, "").strip())}
    fields |= {"meeting_no": _number(form), "held_at": chronicle.moment(form.get("happened", ""), now) or now}
    return fields | ({"attendees": list(dict.fromkeys(attendees))} if attendees else {})


def read_edit(form: Mapping[str, str], attendees: Sequence[str], before: Sequence[str], now: int) -> dict[str, Any]:
    """Only what the person changed: a field that was left alone is not written over anyone's value."""
    changed = [name for name in (*TEXTS, "happened", "ended") if _is_changed(form, name)]
    fields: dict[str, Any] = {name: form[name].strip() or None for name in changed if name in TEXTS}
    if "happened" in changed:
        fields["held_at"] = chronicle.moment(form["happened"], now) or now
    if "ended" in changed:
        fields["ended_at"] = chronicle.moment(form["ended"], now)
    return fields | ({"attendees": list(attendees)} if set(attendees) != set(before) else {})


def read_decisions(form: Mapping[str, str]) -> list[str]:
    """One decision a line. Raises Invalid where they are more than a form takes."""
    lines = [line.strip() for line in form.get("decisions", "").splitlines() if line.strip()]
    if len(lines) > DECISIONS_MAX:
        hint = f"Write at most {DECISIONS_MAX} at once."
        raise Invalid("too_many", "more decisions than a form takes", hint, "decisions")
    return lines


def _is_changed(form: Mapping[str, str], name: str) -> bool:
    return name in form and form[name].strip() != form.get(WAS + name, "").strip()


def _number(form: Mapping[str, str]) -> int:
    text = form.get("meeting_no", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise Invalid("not_a_number", "meeting_no is no number", "Write digits.", "meeting_no")
    return int(text)
