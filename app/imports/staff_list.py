"""A city's own list of its staff as records: any encoding and head, in the child that reads files.

Before: ``work`` found the file. After: ``imports.staff`` compares the records with what the node has. A row without a
name or with a value that cannot be read as it was meant is not taken, and is told with its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.errors import Invalid
from app.records import shape, staff, staff_contacts
from maps.errors import BadFile
from maps.importers.files import Dataset
from maps.importers.tables import Row, column, plain, rows
from maps.layers import Fault, Report

# Our field → how cities head its column, the better ones first.
NAMES: dict[str, tuple[str, ...]] = {
    "employee_number": ("職員番号", "職員コード", "職員ID", "番号", "employee_number"),
    "name": ("氏名", "職員氏名", "名前", "職員名", "name"),
    "kana": ("氏名カナ", "氏名かな", "フリガナ", "ふりがな", "よみがな", "カナ", "kana"),
    "department": ("所属", "所属課", "部署", "課", "所属部署", "department"),
    "team": ("班", "班名", "災害時の班", "team"),
    "role": ("役割", "災害時の役割", "任務", "role"),
    "place": ("参集場所", "参集先", "所定の参集場所", "勤務場所", "place"),
    "from_level": ("配備区分", "参集区分", "配備体制", "配備", "from_level"),
    "user": ("利用者名", "ログイン名", "利用者", "user"),
    "phone": ("電話番号", "携帯電話", "携帯", "電話", "電話番号1", "連絡先", "phone"),
    "phone_other": ("電話番号2", "自宅電話", "予備の電話", "緊急連絡先", "phone_other"),
    "mail": ("メールアドレス", "メール", "E-mail", "電子メール", "mail"),
}
NAMED_ELSEWHERE = ("team", "user")  # a name in the list, an id in the register
_FIELD_OF = {column(name): field for field, names in NAMES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Found:
    """The records (fields of ``records.staff`` and ``records.staff_contacts``, with ``line``) and the report."""

    records: list[dict[str, Any]]
    report: Report


def read(dataset: Dataset) -> Found:
    """The people of a list. Raises BadFile where it is no such list."""
    if dataset.suffix not in (".csv", ".txt"):
        raise BadFile("not_a_table", f"{dataset.name} is no CSV", "Save the list as CSV, in UTF-8 or Shift_JIS.")
    listed = rows(dataset.path, dataset.name, lambda name: column(name) in _FIELD_OF)
    columns = _columns(listed[0]) if listed else {}
    if "name" not in columns:
        raise BadFile("no_name_column", f"{dataset.name} has no row, or no column 氏名", "Call that column 氏名.")
    records, faults = [], []
    seen: dict[tuple[str, ...], int] = {}
    for row in listed:
        try:
            record = _record(row, columns)
            _refuse_double(record, seen)
        except Invalid as error:
            value = plain(row.cells.get(columns.get(error.field or "", ""), "") or "")[:100]
            faults.append(Fault(row.line, error.field, value or None, _problem(error), error.hint))
        else:
            records.append(record)
    return Found(records, Report(len(listed), len(records), len(listed) - len(records), faults))


def key_of(record: dict[str, Any]) -> tuple[str, ...]:
    """Who a row is: the number of the city's own, else name and section."""
    if record.get("employee_number"):
        return ("number", record["employee_number"])
    return ("name", "".join(record["name"].split()), record.get("department") or "")


def _columns(first: Row) -> dict[str, str]:
    """Of each field the column of this file that holds it best."""
    heads = {column(head): head for head in reversed(list(first.cells))}
    found = {field: [heads[column(name)] for name in names if column(name) in heads] for field, names in NAMES.items()}
    return {field: names[0] for field, names in found.items() if names}


def _record(row: Row, columns: dict[str, str]) -> dict[str, Any]:
    cells = {field: plain(row.cells.get(name, "") or "") for field, name in columns.items()}
    if row.extra:
        shape.refuse("extra_cells", "line", f"has {row.extra} cells more than the head", "Put quotes around a comma.")
    given = {field: text for field, text in cells.items() if text}
    for field, table in (("role", "staff_roles"), ("from_level", "staffing_levels")):
        if field in given:
            given[field] = _code(field, given[field], table)
    named = {field: given.pop(field) for field in NAMED_ELSEWHERE if field in given}
    for field, name in named.items():
        named[field] = shape.text(shape.NAME_CHARS_MAX, lines=False)(field, name)
    contacts = {field: given.pop(field) for field in staff_contacts.FIELDS if field in given}
    if "name" not in given:
        shape.refuse("required", "name", "is needed", "Write the person's name; this line was not taken.")
    return {"line": row.line, **staff.NOUN.clean(given), **staff_contacts.NOUN.clean(contacts), **named}


def _code(field: str, text: str, table: str) -> str:
    """The code of a word of the catalogue, however it is written: 第１配備, 第1配備(警戒), first."""
    wanted = column(text)
    items = [item for item in catalog.table(table) if field != "from_level" or item.group == "staff"]
    for item in items:
        if wanted in (item.code, column(item.word), column(item.short), column(item.word.partition("(")[0])):
            return item.code
    shape.refuse("unknown_word", field, "is not one of the known words", " ".join(item.short for item in items))


def _refuse_double(record: dict[str, Any], seen: dict[tuple[str, ...], int]) -> None:
    first = seen.setdefault(key_of(record), record["line"])
    if first != record["line"]:
        field = "employee_number" if record.get("employee_number") else "name"
        shape.refuse("double", field, f"stands in line {first} already", "Keep one of the two lines.")


def _problem(error: Invalid) -> str:
    return error.message.rstrip(".").removeprefix(f"{error.field} ")
