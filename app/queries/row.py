"""A row of a projection table as a Record, and pages of rows behind an opaque cursor.

Before: ``store/projection.py`` wrote the tables. After: views and the API show records. Every query leaves
out what is hidden (removed).
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app import records
from app.errors import Invalid
from app.queries import joins
from sync.kinds import Kind

LIMIT_DEFAULT, LIMIT_MAX = 100, 500
CURSOR_CHARS_MAX = 200
_JSON_SHAPES = ("point", "ids", "json")
_HEAD = ("id", "scope", "incident_id", "created_at", "updated_at", "author", "node", "conflicts", "order_key")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as people see it. Times are ms since 1970, UTC; ``fields`` hold what the kind names.

    ``record["summary"]`` reads a field, and so does ``record.summary`` in a template.
    """

    kind: str
    id: str
    scope: str
    incident_id: str | None
    created_at: int
    updated_at: int
    author: str | None
    node: str
    conflicts: int
    order_key: int
    fields: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


@dataclass(frozen=True, slots=True)
class Page:
    items: list[Record]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions that must all hold, with their values. ``incident_id = ?`` covers what is joined (``joins``)."""

    conditions: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def also(self, condition: str, *values: Any) -> Where:
        return Where((*self.conditions, condition), (*self.values, *values))

    def sql(self) -> str:
        return " AND ".join(("hidden = 0", *self.conditions))


def kind_of(name: str) -> Kind:
    kind = records.KINDS.get(name)
    if kind is None:
        raise KeyError(name)
    return kind


def select(
    db: Any, kind: Kind, where: Where, tail: str = "", source: str = "", given: tuple[Any, ...] = ()
) -> list[Record]:
    """The records of a kind that are shown and meet ``where``; ``tail`` is ORDER BY and LIMIT.

    ``source`` with its values stands for the table where something else says which of its records are looked at.
    """
    columns = ", ".join((*_HEAD, *(f'"{name}"' for name in kind.fields)))
    sql = f"SELECT {columns} FROM {source or kind.table} WHERE {where.sql()} {tail}"
    return [_record(kind, row) for row in joins.ask(db, sql, (*given, *where.values))]


def get(db: Any, name: str, record_id: str) -> Record | None:
    """The record of that id, or None."""
    found = select(db, kind_of(name), Where().also("id = ?", record_id), "LIMIT 1")
    return found[0] if found else None


def page(db: Any, name: str, where: Where, limit: int = LIMIT_DEFAULT, cursor: str | None = None) -> Page:
    """Newest first, ``limit`` at a time. Raises Invalid for a cursor that this function did not give."""
    kind = kind_of(name)
    place = "order_key" if kind.entry else "created_at"
    if cursor is not None:
        where = where.also(f"({place}, id) < (?, ?)", *read_cursor(cursor))
    found = select(db, kind, where, f"ORDER BY {place} DESC, id DESC LIMIT {int(limit) + 1}")
    more = len(found) > limit
    found = found[:limit]
    last = found[-1] if more else None
    return Page(found, make_cursor(getattr(last, place), last.id) if last else None)


def count(db: Any, name: str, where: Where) -> int:
    sql = f"SELECT count(*) FROM {kind_of(name).table} WHERE {where.sql()}"
    return int(joins.ask(db, sql, where.values).fetchone()[0])


def make_cursor(place: int, record_id: str) -> str:
    return base64.urlsafe_b64encode(f"{place}.{record_id}".encode()).rstrip(b"=").decode()


def read_cursor(cursor: str) -> tuple[int, str]:
    try:
        if len(cursor) > CURSOR_CHARS_MAX:
            raise ValueError
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place, record_id = raw.decode("ascii").split(".", 1)
        if not place.isdigit() or int(place) >= 1 << 63 or len(record_id) != 36:
            raise ValueError
        return int(place), record_id
    except (binascii.Error, ValueError) as error:
        hint = "Send next_cursor of the page before, unchanged, or leave it out."
        raise Invalid("bad_cursor", "The cursor was not made here.", hint, "cursor") from error


def _record(kind: Kind, row: Sequence[Any]) -> Record:
    values = tuple(row)
    head, rest = values[: len(_HEAD)], values[len(_HEAD) :]
    fields = dict(zip(kind.fields, rest, strict=True))
    for name, read in _readers(kind.name):
        fields[name] = read(fields[name])
    return Record(*(kind.name, *head, fields))


@functools.cache
def _readers(kind: str) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What a column holds otherwise than the record: most hold the same, and a list reads some thousand."""
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for name, spec in kind_of(kind).fields.items():
        if spec.merge == "set":
            found.append((name, _set_of))
        elif spec.shape in _JSON_SHAPES:
            found.append((name, _json))
        elif spec.shape == "flag":
            found.append((name, lambda value: None if value is None else bool(value)))
    return tuple(found)


def _set_of(value: Any) -> Any:
    return [] if value is None else _json(value)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
