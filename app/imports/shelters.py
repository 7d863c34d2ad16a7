"""Shelters of a list against those the node has: new ones are written, equal ones are not, people's words are kept.

Before: ``work`` read the list. After: changes of the city's master data, in one order, some hundred a write. A row is
the shelter with its id, its common id, or its name in its place. What a person changed here since the last import is
overwritten only where the list itself brings a new value.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from uuid6 import uuid7

from app.errors import Invalid
from app.imports.said import without_what_people_said
from app.queries import row
from app.queries.row import Record, Where
from app.records import CITY
from app.records.shelters import NOUN
from maps.importers.doubles import may_be_one, near
from maps.importers.tables import column
from maps.layers import Fault

if TYPE_CHECKING:
    from app.node import Node
    from sync.operation import Change

ROWS_A_WRITE = 200
UNIONS = ("designations",)  # one building may be on both lists


def take(node: Node, rows: list[dict[str, Any]], *, dry_run: bool = False) -> dict[str, Any]:
    """Write the rows: {created, changed, unchanged, faults}."""
    known = _Known(node)
    changes: list[Change] = []
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    faults: list[Fault] = []
    for given in rows:
        line = given["line"]
        form = {name: value for name, value in given.items() if name not in ("line", "id")}
        try:
            what, change = _of_row(node, known, given.get("id"), form, line, faults)
        except Invalid as error:
            faults.append(Fault(line, error.field, None, error.message.rstrip("."), error.hint))
            continue
        counts[what] += 1
        changes += [change] if change else []
    if not dry_run:
        for first in range(0, len(changes), ROWS_A_WRITE):
            node.write(changes[first : first + ROWS_A_WRITE], None)
    return {**counts, "faults": [fault.as_dict() for fault in faults]}


def _of_row(
    node: Node, known: _Known, given_id: str | None, form: dict[str, Any], line: int, faults: list[Fault]
) -> tuple[str, Change | None]:
    """(created, changed or unchanged; the change to write)."""
    here = known.find(given_id, form)
    if here is None:
        record_id = uuid.UUID(known.free_id(given_id))
        known.add(str(record_id), form)
        return "created", NOUN.create(record_id, CITY, form)
    wanted = {name: value for name, value in NOUN.clean(_joined(here, form)).items() if value != here[name]}
    if wanted:
        told, wanted = without_what_people_said(node, here, wanted, line)
        faults += told
    if not wanted:
        return "unchanged", None
    seen = node.versions("shelters", CITY, here.id)
    return "changed", NOUN.edit(uuid.UUID(here.id), CITY, wanted, seen)


def _joined(here: Record, form: dict[str, Any]) -> dict[str, Any]:
    """Of two lists of one city each adds what it knows; the first id stays."""
    joined = dict(form)
    for name in UNIONS:
        if name in joined:
            joined[name] = sorted({*(here[name] or ()), *joined[name]})
    if here["common_id"] and "common_id" in joined:
        del joined["common_id"]
    return joined


class _Known:
    """The shelters of the node by what they are found with."""

    def __init__(self, node: Node) -> None:
        db = node.reader()
        self._by_id: dict[str, Record] = {}
        self._by_common_id: dict[str, Record] = {}
        self._by_name: dict[str, list[Record]] = {}
        self._taken = {str(found[0]) for found in db.execute(f"SELECT id FROM {NOUN.kind.table}")}
        for record in row.select(db, NOUN.kind, Where(), "ORDER BY created_at, id"):
            self._by_id[record.id] = record
            self._by_name.setdefault(column(record["name"] or ""), []).append(record)
            if record["common_id"]:
                self._by_common_id.setdefault(record["common_id"], record)

    def find(self, given_id: str | None, form: Mapping[str, Any]) -> Record | None:
        if given_id is not None and given_id in self._by_id:
            return self._by_id[given_id]
        if (common_id := form.get("common_id")) and common_id in self._by_common_id:
            return self._by_common_id[common_id]
        return next(self._of_place(form), None)

    def _of_place(self, form: Mapping[str, Any]) -> Iterator[Record]:
        for record in self._by_name.get(column(form["name"]), ()):
            if near(record["location"], form.get("location")) and may_be_one(
                record["common_id"], form.get("common_id")
            ):
                yield record

    def free_id(self, given_id: str | None) -> str:
        """The id that the file gives, unless a record that was removed here had it."""
        return given_id if given_id is not None and given_id not in self._taken else str(uuid7())

    def add(self, record_id: str, form: Mapping[str, Any]) -> None:
        self._taken.add(record_id)
