"""A city's list of shelters as records: GSI JSON and CSV, 自治体標準オープンデータセット, plain CSVs, points of a GIS.

Before: ``files`` and ``tables``. After: ``app.imports.shelters`` compares the records with what the node has. A row
that says something unclear is taken without it, with a fault; a row without a name, a total and a double are not.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from maps.errors import BadFile
from maps.importers import vector
from maps.importers.doubles import Doubles, refuse_far
from maps.importers.files import Dataset
from maps.importers.floors import by_floor, capacity_of, floors_of, label_of
from maps.importers.positions import Bad, both, position
from maps.importers.shelter_fields import (
    ADDRESS_PARTS,
    ALL_HAZARDS_WORDS,
    HAZARDS,
    TOTAL_WORDS,
    field_of,
    flag,
    hazard_of,
    is_known,
)
from maps.importers.tables import Row, column, decoded, plain, rows
from maps.layers import Fault, Report

COMMON_ID_CHARS = 14
FIELD_CHARS_MAX = {"name": 100, "phone": 40}
LINE_CHARS_MAX, NOTE_CHARS_MAX = 200, 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """The records (fields of ``app.records.shelters``, with ``line`` and where given ``id``) and the report."""

    records: list[dict[str, Any]]
    report: Report
    about: Mapping[str, str] = field(default_factory=dict)


def read(dataset: Dataset, crs: str | None = None) -> Found:
    """The shelters of a list. Raises BadFile where it is no such list."""
    about: Mapping[str, str] = {}
    if dataset.suffix in (".json", ".geojson"):
        listed, about = _json(dataset)
    elif dataset.suffix in (".csv", ".txt"):
        listed = rows(dataset.path, dataset.name, is_known)
    else:
        listed = [row for features in vector.read(dataset, crs) for row in _points(features)]
    if not listed:
        raise BadFile("no_rows", f"{dataset.name} has no row", "Check that it is the right file.")
    if not any(field_of(name) == "name" for name in listed[0].cells):
        known = ", ".join(listed[0].cells)[:200]
        raise BadFile(
            "no_name_column", f"{dataset.name} has no column with names; it has {known}", "Call that column 名称."
        )
    return _Reader(listed).found(about)


class _Reader:
    """Takes the rows one by one, and notes what is wrong with each."""

    def __init__(self, listed: list[Row]) -> None:
        self._rows = listed
        self._faults: list[Fault] = []
        self._doubles = Doubles()
        head = list(listed[0].cells)
        self._columns = {field_of(name): name for name in reversed(head) if field_of(name)}
        self._hazards = {name: code for name in head if (code := hazard_of(name))}
        self._parts = [name for wanted in ADDRESS_PARTS for name in head if column(name) == column(wanted)]
        self._designation = _designation(head, bool(self._hazards))

    def found(self, about: Mapping[str, str]) -> Found:
        records = []
        for row in self._rows:
            record = self._record(row)
            if record is not None:
                records.append(record)
        self._faults += refuse_far(records)
        faults = sorted(self._faults, key=lambda fault: fault.line or 0)
        report = Report(len(self._rows), len(records), len(self._rows) - len(records), faults)
        return Found(records, report, about)

    def _record(self, row: Row) -> dict[str, Any] | None:
        name = plain(self._cell(row, "name"))
        if not name:
            self._fault(row, "name", None, "has no name", "Write its name; this line was not taken.")
            return None
        if name.lower() in TOTAL_WORDS or name.startswith("合計"):
            self._fault(row, "name", name, "is a total, no shelter", "Leave this line out.")
            return None
        record: dict[str, Any] = {"line": row.line, "name": name}
        self._identify(row, record)
        self._place(row, record)
        self._rooms(row, record)
        self._designate(row, record)
        self._texts(row, record)
        if row.extra:
            self._fault(row, None, None, f"has {row.extra} cells more than the head", "Put quotes around a comma.")
        if double := self._doubles.of(record):
            self._faults.append(double)
            return None
        return record

    def _cell(self, row: Row, field_name: str) -> str:
        return row.cells.get(self._columns.get(field_name, ""), "") or ""

    def _fault(self, row: Row, field_name: str | None, value: str | None, problem: str, proposal: str | None) -> None:
        self._faults.append(Fault(row.line, field_name, value, problem, proposal))

    def _identify(self, row: Row, record: dict[str, Any]) -> None:
        given = plain(self._cell(row, "common_id")).upper()
        if len(given) == COMMON_ID_CHARS and given[0] == "E" and given[1:].isdecimal():
            record["common_id"] = given
        elif given.startswith("E") and given[1:].isdecimal():
            self._fault(row, "common_id", given, "is no common id: E and 13 digits", "Look the id up in the GSI list.")
        own = row.cells.get("id", "")
        if own and _is_uuid(own):
            record["id"] = own

    def _place(self, row: Row, record: dict[str, Any]) -> None:
        latitude, longitude = self._cell(row, "latitude"), self._cell(row, "longitude")
        if not latitude and not longitude and (pair := both(self._cell(row, "both"))):
            latitude, longitude = pair
        place = position(latitude, longitude)
        if isinstance(place, Bad):
            self._fault(row, place.field, place.value, place.problem, place.proposal)
        else:
            record["location"] = list(place)

    def _rooms(self, row: Row, record: dict[str, Any]) -> None:
        label = plain(self._cell(row, "usable_floors_label")) or label_of(record["name"])
        floors = floors_of(label) if label else []
        if label:
            record["usable_floors_label"] = label[:LINE_CHARS_MAX]
        if floors:
            record["usable_floors"] = floors
        written = self._cell(row, "capacity")
        capacity, unclear = capacity_of(written)
        if capacity is not None:
            record["capacity"] = capacity
        elif unclear is not None:
            self._fault(row, "capacity", plain(written), "is not one number of places", unclear or None)
        if places := by_floor(_maybe_json(row.cells.get("capacity_by_floor", ""))):
            record["capacity_by_floor"] = places

    def _designate(self, row: Row, record: dict[str, Any]) -> None:
        hazards = []
        for name, code in self._hazards.items():
            said = flag(row.cells.get(name, "") or "")
            if said is None:
                self._fault(row, name, plain(row.cells[name]), "is neither yes nor no", "○ or nothing")
            elif said:
                hazards.append(code)
        hazards += self._hazard_words(row)
        designations = [self._designation] if self._designation else []
        facility = plain(self._cell(row, "facility"))
        designations += ["emergency"] * ("指定緊急避難場所" in facility) + ["evacuation"] * ("指定避難所" in facility)
        if flag(self._cell(row, "also_evacuation")) and self._designation == "emergency":
            designations.append("evacuation")
        if hazards:
            record["hazards"] = sorted(set(hazards))
        if designations:
            record["designations"] = sorted(set(designations))

    def _hazard_words(self, row: Row) -> Iterator[str]:
        text = plain(self._cell(row, "hazard_words"))
        if text in ALL_HAZARDS_WORDS:
            yield from HAZARDS
            return
        words = {plain(name): code for code, names in HAZARDS.items() for name in names}
        for name in sorted(words, key=len, reverse=True):
            if name in text:
                text = text.replace(name, "")
                yield words[name]
        if rest := text.strip("・、, /。時"):
            self._fault(
                row, "hazards", rest, "is no known kind of hazard", " ".join(names[0] for names in HAZARDS.values())
            )

    def _texts(self, row: Row, record: dict[str, Any]) -> None:
        for name in ("kana", "address", "phone", "facility", "district"):
            text = plain(self._cell(row, name))
            if name == "address":
                text = text or "".join(plain(row.cells.get(part, "") or "") for part in self._parts)
            longest = FIELD_CHARS_MAX.get(name, LINE_CHARS_MAX)
            if len(text) > longest:
                self._fault(row, name, text[:40] + "…", f"has more than {longest} characters", text[:longest])
            elif text:
                record[name] = text
        if len(record["name"]) > FIELD_CHARS_MAX["name"]:
            self._fault(row, "name", record["name"][:40] + "…", "is too long; it was cut", None)
            record["name"] = record["name"][: FIELD_CHARS_MAX["name"]]
        notes = [plain(self._cell(row, "note"))]
        for name in ("for_whom", "capacity"):
            text = plain(self._cell(row, name))
            if text and (name != "capacity" or not text.replace(",", "").removesuffix("人").isdecimal()):
                notes.append(f"{plain(self._columns[name])}: {text}")
        if note := "\n".join(part for part in notes if part):
            record["note"] = note[:NOTE_CHARS_MAX]


def _designation(head: list[str], has_hazards: bool) -> str | None:
    """What a list is a list of: its columns say it, never its name."""
    columns = {column(name) for name in head}
    if column("受入対象者") in columns or column("指定緊急避難場所との住所同一") in columns:
        return "evacuation"
    one_of = {column("指定避難所との住所同一"), column("指定避難所との重複")}
    return "emergency" if has_hazards and columns & one_of else None


def _json(dataset: Dataset) -> tuple[list[Row], Mapping[str, str]]:
    try:
        document = json.loads(decoded(dataset.path, dataset.name))
    except (ValueError, RecursionError) as error:
        raise BadFile("bad_json", f"{dataset.name} is no whole JSON: {error}", "Copy or download it again.") from error
    if not isinstance(document, dict):
        raise BadFile("not_shelters", f"{dataset.name} holds no list of shelters", "Give the list itself.")
    if document.get("type") == "unavailable":
        raise BadFile(
            "not_published",
            f"{dataset.name} says that this list is not published: {str(document.get('message', '')).rstrip('。.')}",
            "Ask the municipality for its list.",
        )
    about = {name: value for name, value in document.items() if isinstance(value, str)}
    if isinstance(document.get("features"), list):
        return [_feature(number, item) for number, item in enumerate(document["features"], 1)], about
    if isinstance(document.get("shelters"), list):
        return [_own(number, item) for number, item in enumerate(document["shelters"], 1)], about
    raise BadFile("not_shelters", f"{dataset.name} holds no list of shelters", "Give GeoJSON points or a CSV.")


def _feature(number: int, feature: Any) -> Row:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    cells = {str(name): _text(value) for name, value in (properties or {}).items()}
    shape = feature.get("geometry") if isinstance(feature, dict) else None
    if isinstance(shape, dict) and shape.get("type") == "Point":
        cells |= _pair(shape.get("coordinates"))
    return Row(number, cells)


def _own(number: int, item: Any) -> Row:
    """The form of ``hazard_data``: our own fields."""
    if not isinstance(item, dict):
        return Row(number, {})
    cells = {str(name): _text(value) for name, value in item.items() if name != "location"}
    return Row(number, cells | _pair(item.get("location")))


def _pair(coordinates: Any) -> dict[str, str]:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return {}
    return {"longitude": _text(coordinates[0]), "latitude": _text(coordinates[1])}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _maybe_json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _points(features: vector.Features) -> Iterator[Row]:
    import shapely

    at = shapely.get_coordinates(shapely.point_on_surface(features.geometry))
    for number, line in enumerate(features.lines):
        cells = {name: vector.text(values[number]) for name, values in features.columns.items()}
        yield Row(int(line), cells | _pair([float(at[number][0]), float(at[number][1])]))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
