"""The records of a collection as rows of a table: newest first, page by page, positions as two numbers.

Before: ``api/exports`` and ``commands/export``. After: ``spreadsheet`` writes the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.queries import row
from app.queries.row import Record, Where
from app.spreadsheet import Cell
from sync.kinds import Kind

PAGE_ROWS = 500
Shown = Callable[[Kind, Record], Mapping[str, Any]]


def header(kind: Kind) -> list[str]:
    """The columns: a position is two."""
    return [column for name in _names(kind) for column in (_position(name) if _is_point(kind, name) else (name,))]


def rows(reader: Callable[[], Any], kind: Kind, where: Where, shown: Shown) -> Iterator[list[Cell]]:
    """Each record as ``shown`` says it, in the order of ``header``."""
    names, cursor = _names(kind), None
    while True:
        found = row.page(reader(), kind.name, where, PAGE_ROWS, cursor)
        for record in found.items:
            told = shown(kind, record)
            yield [cell for name in names for cell in _cells(kind, name, told.get(name))]
        cursor = found.next_cursor
        if cursor is None:
            return


def _names(kind: Kind) -> list[str]:
    head = ["id", "number"] if kind.city else ["id", "incident_id", "number"]
    return [*head, *kind.fields, "created_at", "updated_at", "author", "node"]


def _is_point(kind: Kind, name: str) -> bool:
    return name in kind.fields and kind.fields[name].shape == "point"


def _position(name: str) -> tuple[str, str]:
    return f"{name}_lat", f"{name}_lon"


def _cells(kind: Kind, name: str, value: Any) -> tuple[Cell, ...]:
    if _is_point(kind, name):
        at = value["coordinates"] if isinstance(value, Mapping) else (None, None)
        return (at[1], at[0])
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if value is None or isinstance(value, str | int | float):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ("; ".join(value),)
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")),)
