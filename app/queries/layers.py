"""The catalogue of layers as it can be read here, and which of them this node uses.

Before: the projection wrote ``layers`` from operations of any node and release. After: ``app/layers.py``. An entry that
cannot be read becomes an ``UnreadableEntry``, so that a page never fails on what another node wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.errors import Invalid
from app.queries import row
from app.queries.row import Record, Where
from app.records import shape
from app.records.layers import FILES_MAX, RIVERS_MAX

LAYERS_MAX = 200
FILE_BYTES_MAX = 1 << 33
_ROLE = shape.text(32, lines=False)
_MEDIA_TYPE = shape.text(100, lines=False)
_SIZE = shape.integer(1, FILE_BYTES_MAX)


@dataclass(frozen=True, slots=True)
class LayerFile:
    role: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A layer as the catalogue describes it, every value checked."""

    id: str
    key: str
    layer_kind: str
    title: str
    scenario: str | None
    rivers: tuple[str, ...]
    source: str | None
    credit: str | None
    licence: str | None
    data_date: str | None
    bbox: tuple[float, float, float, float] | None
    zooms: tuple[int, int] | None
    default_on: bool
    drill: bool
    imported_at: int | None
    files: tuple[LayerFile, ...]


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """An entry that is left out, and why."""

    id: str
    key: str
    title: str
    layer_kind: str
    problem: str


def get(db: Any, record_id: str) -> Record | None:
    return row.get(db, "layers", record_id)


def catalogue(db: Any) -> tuple[list[CatalogueEntry], list[UnreadableEntry]]:
    """What the catalogue names, in the order of its keys, and what of it cannot be read."""
    return read(row.select(db, row.kind_of("layers"), Where(), f"ORDER BY key, id LIMIT {LAYERS_MAX}"))


def read(records: Iterable[Record]) -> tuple[list[CatalogueEntry], list[UnreadableEntry]]:
    entries: list[CatalogueEntry] = []
    faults: list[UnreadableEntry] = []
    for record in records:
        try:
            entries.append(_entry(record.id, record.fields))
        except Invalid as error:
            told = {name: _word(record[name]) or "" for name in ("key", "title", "layer_kind")}
            faults.append(UnreadableEntry(record.id, told["key"], told["title"], told["layer_kind"], error.message))
    return entries, faults


def in_use(db: Any) -> dict[str, CatalogueEntry]:
    """The entry of each layer that this node last had whole, by its record's id."""
    found: dict[str, CatalogueEntry] = {}
    for record_id, entry in db.execute("SELECT layer_id, entry FROM layers_in_use"):
        found[record_id] = _entry(record_id, json.loads(entry))
    return found


def keep_in_use(connection: Any, entries: Iterable[CatalogueEntry], now_ms: int) -> None:
    """Remember that these entries are whole here; what was in use in their place is forgotten."""
    for entry in entries:
        connection.execute(
            "INSERT INTO layers_in_use (layer_id, entry, since) VALUES (?, ?, ?)"
            " ON CONFLICT (layer_id) DO UPDATE SET entry = excluded.entry, since = excluded.since",
            (entry.id, json.dumps(asdict(entry), ensure_ascii=False), now_ms),
        )


def _entry(record_id: str, fields: Mapping[str, Any]) -> CatalogueEntry:
    key, kind = _word(fields["key"]), _word(fields["layer_kind"])
    if not key or not kind:
        shape.refuse("required", "key", "is needed", "Import the layer again.")
    rivers = fields["rivers"] if isinstance(fields["rivers"], list) else []
    zooms = _numbers(fields["zooms"], 2)
    imported_at = fields["imported_at"]
    return CatalogueEntry(
        id=record_id,
        key=key,
        layer_kind=kind,
        title=_word(fields["title"]) or key,
        scenario=_word(fields["scenario"]),
        rivers=tuple(river for river in rivers[:RIVERS_MAX] if isinstance(river, str)),
        source=_word(fields["source"]),
        credit=_word(fields["credit"]),
        licence=_word(fields["licence"]),
        data_date=_word(fields["data_date"]),
        bbox=_box(fields["bbox"]),
        zooms=(int(zooms[0]), int(zooms[1])) if zooms else None,
        default_on=fields["default_on"] is True,
        drill=fields["drill"] is True,
        imported_at=imported_at if type(imported_at) is int else None,
        files=_files(fields["files"]),
    )


def _files(value: Any) -> tuple[LayerFile, ...]:
    """The files, whatever else a newer release says of each. Raises Invalid."""
    if not isinstance(value, list) or not 1 <= len(value) <= FILES_MAX:
        shape.refuse("wrong_type", "files", "is not a list of files", "Import the layer again.")
    found: dict[str, LayerFile] = {}
    for item in value:
        if not isinstance(item, dict):
            shape.refuse("wrong_type", "files", "names a file in another shape", "Import the layer again.")
        role = _ROLE("files", item.get("role"))
        if not role or role in found:
            shape.refuse("wrong_type", "files", "names a role twice, or none", "Import the layer again.")
        sha256, size = shape.sha256("files", item.get("sha256")), _SIZE("files", item.get("size"))
        found[role] = LayerFile(role, sha256, size, _MEDIA_TYPE("files", item.get("media_type")) or "")
    return tuple(found.values())


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _numbers(value: Any, count: int) -> list[float] | None:
    if not isinstance(value, (list, tuple)) or len(value) != count:
        return None
    if any(type(number) not in (int, float) or not math.isfinite(number) for number in value):
        return None
    return [float(number) for number in value]


def _box(value: Any) -> tuple[float, float, float, float] | None:
    found = _numbers(value, 4)
    if found is None:
        return None
    west, south, east, north = found
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if inside else None
