"""The damage report's form: strings of the page to the fields of the record. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from app import catalog
from app.errors import Invalid
from app.records import damage_report_people, damage_reports, shape

JST = timezone(timedelta(hours=9), "JST")
FLAGS = ("rescue_needed", "people_at_risk")
TIMES = ("occurred_at", "found_at", "restoration_at")
COUNTS = damage_reports.CASUALTY_COUNTS
NUMBERS = ("water_depth_cm", "lifeline_homes", *COUNTS)
DEPTHS = ("10", "50", "90", "130")  # what the form offers by the height of a body
EXACT = "water_depth_exact"  # where the depth was measured: beside those offered
# What belongs together on a report's page; `forms` of a damage category names the parts that belong to it.
PARTS: Mapping[str, tuple[str, ...]] = {
    "road": ("passability", "road_name", "regulated_by", "detour"),
    "flooding": ("water_depth_cm", "water_flow"),
    "river": ("river_state", "river_name", "river_bank", "distance_mark"),
    "people": ("rescue_needed", "people_at_risk", "casualties", *COUNTS, "casualty_transport"),
    "lifeline": ("lifeline_state", "lifeline_homes", "restoration_at"),
}
_COMMON = (
    "category", "subcategory", "degree", "summary", "description", "address", "landmark", "urgency", "certainty",
    "reception", "occurred_at", "found_at", "press", "response_status", "team",
)  # fmt: skip
_ALWAYS = (
    "passability",
    "water_depth_cm",
    "rescue_needed",
    "casualties",
)  # a report's page says also that nobody knows
# What a report's page shows only where somebody has said it.
SAID = (
    *(name for part in PARTS.values() for name in part if name not in _ALWAYS),
    "reception", "occurred_at", "found_at", "press",
)  # fmt: skip
EDITED = (*_COMMON, *(name for part in PARTS.values() for name in part))
PEOPLE = damage_report_people.FIELDS
FILES_MAX = 10
WAS = "_was_"


def read_new(form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a new report. The summary is the person's own words, else the word of the category."""
    form = _measured(form)
    fields = {name: value for name, value in _read(form, (*EDITED, "same_as")).items() if value is not None}
    item = catalog.table("damage_categories").get(fields.get("category"))
    if item is None:
        raise Invalid("required", "category is needed", "Choose one of the tiles.", "category")
    fields.setdefault("summary", item.short)
    fields.update(_position(form))
    return fields | _counted(fields, fields)


def read_edit(form: Mapping[str, str]) -> dict[str, Any]:
    """Only what the person changed: a field that was left alone is not written over anyone's value."""
    form = _measured(form)
    names = [name for name in EDITED if name in form and form[name].strip() != form.get(WAS + name, "").strip()]
    fields = _read(form, tuple(names))
    if form.get("lat") and form.get("lat") != form.get(WAS + "lat"):
        fields.update(_position(form))
    stands = {"casualties": form.get("casualties", "").strip() or form.get(WAS + "casualties", "").strip() or None}
    return fields | _counted(fields, stands | fields)


def read_assignment(form: Mapping[str, str]) -> dict[str, Any]:
    """The team and the person that were chosen anew."""
    names = [name for name in ("team", "assignee") if name in form and form[name] != form.get(WAS + name, "")]
    return {name: form[name] or None for name in names}


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


def shown_depth(typed: Mapping[str, str]) -> dict[str, str]:
    """A depth that is none of those offered stands in the field of its own."""
    depth = typed.get("water_depth_cm", "")
    return {EXACT: "" if depth in DEPTHS else depth}


def _measured(form: Mapping[str, str]) -> Mapping[str, str]:
    exact = form.get(EXACT, "").strip()
    if exact == form.get(WAS + EXACT, "").strip() and (exact == "" or "water_depth_cm" in form):
        return form
    return {**form, "water_depth_cm": exact}


def _counted(fields: Mapping[str, Any], stands: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers of casualties say that there are some, where nobody has said anything of it."""
    if stands.get("casualties") is not None:
        return {}
    worst = (("deaths", "dead"), ("missing", "missing"), ("injured_serious", "injured"), ("injured_minor", "injured"))
    return next(({"casualties": code} for name, code in worst if fields.get(name)), {})


def _read(form: Mapping[str, str], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _value(name, form.get(name, "").strip()) for name in names if name in form}


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name in NUMBERS:
        return _number(name, text, int)
    if name in FLAGS:
        return text == "yes"
    return _moment(name, text) if name in TIMES else text


def typed_moment(ms: int | None) -> str:
    """A time as the form's input takes it: the minute, in Japanese time."""
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, JST).strftime("%Y-%m-%dT%H:%M")


def _moment(name: str, text: str) -> int:
    try:
        return int(datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=JST).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise Invalid("bad_time", f"{name} is no time", "Write it like 2019-10-12T20:46.", name) from error


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
