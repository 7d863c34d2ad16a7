"""Layers of the map (地図レイヤー): the catalogue that every node has. Master data of the city; the files travel as
attachments do. A new import of a layer writes the same record again: the old files stay in use until the new are whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.records import shape
from app.records.noun import CITY, Noun
from sync.kinds import Field, Kind
from sync.operation import Change

LAYER_KINDS = (
    "flood_depth",
    "flood_duration",
    "collapse_zone",
    "landslide",
    "inland_flood",
    "storm_surge",
    "tsunami",
    "boundary",
    "basemap",
)
FILE_ROLES = ("parts", "tiles", "raster")  # a newer release may know more
FILES_MAX, RIVERS_MAX = 8, 64
_NAMESPACE = uuid.UUID("5d6c3a52-7f5b-5b1e-9c53-5f6f0f8e4c11")

KIND = Kind(
    "layers",
    city=True,
    fields={
        "key": Field("text"),  # which layer this is: an import with the same key takes its place
        "layer_kind": Field("text"),
        "title": Field("text"),
        "scenario": Field("text"),  # max (想定最大規模), plan (計画規模) or null
        "rivers": Field("json"),
        "source": Field("text"),
        "credit": Field("text"),
        "licence": Field("text"),
        "data_date": Field("text"),  # as the source says it: 2023, 2017-03-31
        "crs": Field("text"),
        "feature_count": Field("integer"),
        "repaired": Field("integer"),
        "bbox": Field("json"),  # [west, south, east, north], degrees
        "zooms": Field("json"),  # [lowest, highest] of the tiles
        "imported_at": Field("integer"),
        "default_on": Field("flag"),
        "drill": Field("flag"),  # 訓練用: an invented place
        "files": Field("json"),  # [{role, sha256, size, media_type}]
    },
)


def _files(field: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 1 <= len(value) <= FILES_MAX:
        shape.refuse("wrong_type", field, "is not a list of files", "Import the layer again.")
    wanted = {"role": shape.text(32, lines=False), "sha256": shape.sha256, "size": shape.integer(1, 1 << 33)}
    wanted["media_type"] = shape.text(100, lines=False)
    for file in value:
        if not isinstance(file, dict) or set(file) != set(wanted):
            shape.refuse("wrong_type", field, "names a file in another shape", "Import the layer again.")
    return [{name: check(field, file[name]) for name, check in wanted.items()} for file in value]


def _numbers(count: int) -> shape.Check:
    def check(field: str, value: Any) -> list[float]:
        if not isinstance(value, list) or len(value) != count:
            shape.refuse("wrong_type", field, f"is not {count} numbers", "Import the layer again.")
        return [shape.real(-180, 180)(field, number) for number in value]

    return shape.Check(check, {"type": "array", "items": {"type": "number"}})


_LINE = shape.text(shape.LINE_CHARS_MAX, lines=False)
NOUN = Noun(
    KIND,
    checks={
        "key": _LINE,
        "layer_kind": shape.choice(LAYER_KINDS),
        "title": _LINE,
        "scenario": shape.choice(("max", "plan")),
        "rivers": shape.each(_LINE),
        "source": _LINE,
        "credit": shape.text(shape.TEXT_CHARS_MAX),
        "licence": _LINE,
        "data_date": shape.text(32, lines=False),
        "crs": shape.text(32, lines=False),
        "feature_count": shape.integer(0, 1 << 40),
        "repaired": shape.integer(0, 1 << 40),
        "bbox": _numbers(4),
        "zooms": _numbers(2),
        "imported_at": shape.moment,
        "default_on": shape.flag,
        "drill": shape.flag,
        "files": shape.Check(_files, {"type": "array", "items": {"type": "object"}}),
    },
    needed=("key", "layer_kind", "title", "files"),
)


def record_of(key: str) -> uuid.UUID:
    """The one id that a layer's key has everywhere."""
    return uuid.uuid5(_NAMESPACE, key)


def imported(fields: Mapping[str, Any]) -> Change:
    """The change that puts a layer into the catalogue, in the place of an older one with its key."""
    known = {name: value for name, value in fields.items() if value is not None}
    change = NOUN.create(record_of(fields["key"]), CITY, known)
    return replace(change, expects=None, replaces=None)
