"""The damage report's form: strings of the page to the fields of the record. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app import catalog
from app.errors import Invalid
from app.records import damage_report_people, shape

TEXTS = ("summary", "description", "address")
CODES = ("category", "passability", "urgency", "certainty", "casualties", "response_status")
EDITED = (*CODES, *TEXTS, "water_depth_cm", "rescue_needed", "team")
PEOPLE = damage_report_people.FIELDS
FILES_MAX = 10
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


def read_people(form: Mapping[str, str]) -> dict[str, Any]:
    """Who told of it and who was hurt: what stands in the sealed part of the form."""
    return {name: text for name in PEOPLE if (text := form.get(name, "").strip())}


def read_people_edit(form: Mapping[str, str]) -> dict[str, Any]:
    """Of the sealed part only what the person changed."""
    names = [name for name in PEOPLE if name in form and form[name].strip() != form.get(WAS + name, "").strip()]
    return {name: form[name].strip() or None for name in names}


def named_files(values: Iterable[str]) -> list[str]:
    """The hashes of the photos and voice memos that the form names, each once."""
    named = list(dict.fromkeys(shape.sha256("attachments", value) for value in values if value))
    if len(named) > FILES_MAX:
        raise Invalid("too_many_files", "more files than a report takes", f"Send at most {FILES_MAX}.", "attachments")
    return named


def placed_by_photo(fields: Mapping[str, Any], facts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Where nobody gave a position, the first photo that knows one gives it."""
    if fields.get("location"):
        return {}
    for known in facts:
        if known.get("exif_location"):
            taken = {"located_at": known["taken_at"]} if known.get("taken_at") else {}
            return {"location": known["exif_location"], "location_source": "exif", **taken}
    return {}


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


def position_of(form: Mapping[str, str]) -> tuple[float, float] | None:
    """(lon, lat) of the form, where it has one that lies on the earth. Raises Invalid."""
    found = _position(form).get("location")
    if found is None:
        return None
    lon, lat = shape.point("location", found)
    return lon, lat


def _position(form: Mapping[str, str]) -> dict[str, Any]:
    """The position button's answer; without one the report goes without a position."""
    lon, lat = form.get("lon", "").strip(), form.get("lat", "").strip()
    if not lon or not lat:
        return {}
    fields: dict[str, Any] = {"location": [_number("location", lon, float), _number("location", lat, float)]}
    for name, kind in (("accuracy_m", float), ("located_at", int)):
        if text := form.get(name, "").strip():
            fields[name] = _number("location", text, kind)
    source = form.get("location_source", "").strip()
    return fields | ({"location_source": source} if source in catalog.table("location_sources").codes else {})


def _number(name: str, text: str, kind: type) -> Any:
    if len(text) > 32:
        raise Invalid("out_of_range", f"{name} is no number of ours", "Write a shorter number.", name)
    try:
        return kind(text)
    except ValueError as error:
        raise Invalid("not_a_number", f"{name} is no number", "Write digits.", name) from error
