"""Values between the API and the records: times as ISO 8601 with offset, positions as GeoJSON Points. Pure.

A field whose name ends in ``_at`` is a time; inside it is ms since 1970, UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NoReturn

from app.errors import Invalid
from app.queries.row import Record
from sync.kinds import Kind

JST = timezone(timedelta(hours=9), "JST")
READ_ONLY = ("created_at", "updated_at", "author", "node", "number", "conflicts")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:\d\d)", re.ASCII)


def form_of(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body's fields as a form takes them. Unknown fields are left for the noun to refuse."""
    form: dict[str, Any] = {}
    for name, value in body.items():
        if name in READ_ONLY:
            _refuse("read_only", name, "is read only", "Leave this field out.")
        spec = kind.fields.get(name)
        if value is None or spec is None:
            form[name] = value
        elif is_time(name):
            form[name] = read_time(name, value)
        elif is_track(kind, name):
            form[name] = _read_times(name, value)
        elif spec.shape == "point":
            form[name] = _coordinates(name, value)
        else:
            form[name] = value
    return form


def to_wire(kind: Kind, record: Record) -> dict[str, Any]:
    """The record as GET shows it."""
    head: dict[str, Any] = {"id": record.id}
    if not kind.city:
        head["incident_id"] = record.incident_id
    head["number"] = record.fields.get("number")
    head.update(value_fields(kind, record.fields))
    head.update(
        created_at=show_time(record.created_at),
        updated_at=show_time(record.updated_at),
        author=record.author,
        node=record.node,
        conflicts=record.conflicts,
    )
    return head


def value_fields(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: show(kind, name, value) for name, value in fields.items()}


def show(kind: Kind, name: str, value: Any) -> Any:
    """One value of a field, as JSON can carry it; also of a field that this release does not know."""
    spec = kind.fields.get(name)
    if name == "attachments" and value is None:
        return []
    if spec is not None and value is not None:
        if is_time(name) and type(value) is int:
            return show_time(value)
        if is_track(kind, name) and isinstance(value, (list, tuple)):
            return [[*point[:2], show_time(point[2]), *point[3:]] for point in value]
        if spec.shape == "point" and isinstance(value, (list, tuple)):
            return {"type": "Point", "coordinates": list(value)}
        if spec.merge == "set" and isinstance(value, Mapping):
            return {"add": list(value.get("add", ())), "drop": [drop[2] for drop in value.get("drop", ())]}
    return plain(value)


def plain(value: Any) -> Any:
    """Any value of an operation as JSON: bytes become hexadecimal digits, non-text keys become text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else plain_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def plain_key(key: Any) -> str:
    return key.hex() if isinstance(key, bytes) else str(key)


def is_time(name: str) -> bool:
    return name.endswith("_at")


def is_track(kind: Kind, name: str) -> bool:
    """Whether a field holds the points of a track, each with its time."""
    return (kind.name, name) == ("patrol-tracks", "points")


def show_time(ms: int | None) -> str | None:
    """ISO 8601 in Japanese time; a stamp that no calendar holds (a broken clock) is shown as null."""
    if ms is None:
        return None
    try:
        moment = (_EPOCH + timedelta(milliseconds=ms)).astimezone(JST)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")


def read_time(field: str, value: Any) -> int:
    """Ms since 1970 of an ISO 8601 time with its offset."""
    matched = _TIME.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        _refuse(
            "bad_time",
            field,
            "is not an ISO 8601 time with its offset",
            'Send it like "2019-10-12T21:00:00+09:00".',
        )
    day, minute, second, fraction, offset = matched.groups()
    micros = (fraction or "0")[:6].ljust(6, "0")
    text = f"{day}T{minute}:{second or '00'}.{micros}{'+00:00' if offset in 'Zz' else offset}"
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        _refuse("bad_time", field, "is no time of the calendar", "Check day, hour and offset.")


def _read_times(name: str, value: Any) -> Any:
    """The points with their times in ms; what is no point is left for the noun to refuse."""
    if not isinstance(value, list):
        return value
    return [
        [*point[:2], read_time(name, point[2]), *point[3:]] if isinstance(point, list) and len(point) > 2 else point
        for point in value
    ]


def _coordinates(field: str, value: Any) -> Any:
    if not isinstance(value, Mapping) or set(value) != {"type", "coordinates"} or value["type"] != "Point":
        hint = 'Send {"type": "Point", "coordinates": [longitude, latitude]} or null.'
        _refuse("bad_position", field, "is not a GeoJSON Point", hint)
    return value["coordinates"]


def _refuse(code: str, field: str, problem: str, hint: str) -> NoReturn:
    raise Invalid(code, f"{field} {problem}.", hint, field)
