"""The damage report's form: strings of the page to the fields of the record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import catalog
from app.errors import Invalid

TEXTS = ("summary", "description", "address")
CODES = ("category", "passability", "urgency", "certainty", "casualties", "response_status")
EDITED = (*CODES, *TEXTS, "water_depth_cm", "rescue_needed", "team")
WAS = "_was_"


def read_new(form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a new report. The summary is the person's own words, else the word of the category."""
    fields = {name: value for name, value in _read(form, EDITED).items() if value is not None}
    item = catalog.table("damage_categories").get(fields.get("category"))
    if item is None:
        raise Invalid("required", "category is needed", "Choose one of the tiles.", "category")
    fields.setdefault("summary", item.short)
    fields.update(_position(form))
    return fields


def read_edit(form: Mapping[str, str]) -> dict[str, Any]:
    """Only what the person changed: a field that was left alone is not written over anyone's value."""
    names = [name for name in EDITED if name in form and form[name].strip() != form.get(WAS + name, "").strip()]
    fields = _read(form, tuple(names))
    if form.get("lat") and form.get("lat") != form.get(WAS + "lat"):
        fields.update(_position(form))
    return fields


def _read(form: Mapping[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _value(name, form.get(name, "").strip()) for name in names if name in form}


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name == "water_depth_cm":
        return _number(name, text, int)
    if name == "rescue_needed":
        return text == "yes"
    return text


def _position(form: Mapping[str, str]) -> dict[str, Any]:
    """The position button's answer; without one the report goes without a position."""
    lon, lat = form.get("lon", "").strip(), form.get("lat", "").strip()
    if not lon or not lat:
        return {}
    fields = {"location": [_number("location", lon, float), _number("location", lat, float)]}
    accuracy = form.get("accuracy_m", "").strip()
    return fields | ({"accuracy_m": _number("location", accuracy, float)} if accuracy else {})


def _number(name: str, text: str, kind: type) -> Any:
    if len(text) > 32:
        raise Invalid("out_of_range", f"{name} is no number of ours", "Write a shorter number.", name)
    try:
        return kind(text)
    except ValueError as error:
        raise Invalid("not_a_number", f"{name} is no number", "Write digits.", name) from error
