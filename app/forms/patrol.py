"""The forms of a round and of its points: strings of the page to the fields of the records. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.errors import Invalid
from app.forms.chronicle import moment
from app.forms.position import stood_at

ROUTE_CHARS_MAX = 10_000
# What one tap says: the status, and whether the road is closed.
TAPS: Mapping[str, dict[str, str]] = {
    "safe": {"status": "safe"},
    "caution": {"status": "caution"},
    "closed": {"status": "caution", "passability": "impassable"},
}


def read_new(form: Mapping[str, str], now: int) -> dict[str, Any]:
    """Fields of a new round; ``start`` begins it at once, or at the time that was told. Raises Invalid."""
    fields = {
        "name": form.get("name", "").strip() or None,
        "team": form.get("team") or None,
        "route": route_of(form.get("route", "")),
        "started_at": (moment(form.get("happened", ""), now) or now) if form.get("start") else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def route_of(text: str) -> list[Any] | None:
    """The places that the map's picker wrote into the form. Raises Invalid."""
    if not text.strip():
        return None
    try:
        found = json.loads(text) if len(text) <= ROUTE_CHARS_MAX else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise Invalid("bad_route", "the route is no list of places", "Choose it on the map again.", "route")
    return found or None


def read_point(form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a point that was judged with one tap. Raises Invalid."""
    tapped = TAPS.get(form.get("tap", ""))
    if tapped is None:
        raise Invalid("required", "nothing was tapped", "Tap 安全, 注意 or 通行止め.", "status")
    return {**tapped, **stood_at(form), **_note(form)}


def read_clearing(form: Mapping[str, str], cleared: Mapping[str, Any], point_id: str) -> dict[str, Any]:
    """Fields of the 解消 of a point: at the place that is cleared, whoever says so from wherever."""
    kept = {name: cleared[name] for name in ("patrol_id", "team", "location") if cleared.get(name)}
    return {**kept, "status": "cleared", "clears": point_id, **_note(form)}


def read_track(form: Mapping[str, str]) -> dict[str, Any]:
    """A batch of the recorded way. Raises Invalid."""
    points = route_of(form.get("points", ""))
    return {"points": points or [], **({"gap": form["gap"]} if form.get("gap") else {})}


def _note(form: Mapping[str, str]) -> dict[str, str]:
    note = form.get("note", "").strip()
    return {"note": note} if note else {}
