"""The tables give back exactly what was hashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from app.records import KINDS
from app.records.noun import scope_of
from app.store import search
from app.store.projection import SqlProjection, id_bytes, id_text
from app.store.schema import create_statements
from sync.projector import Row

KIND = KINDS.by_name["damage-reports"]
RECORD = bytes(range(16))
SCOPE = scope_of("drill", id_text(bytes(16)))


@pytest.fixture
def projection() -> Iterator[SqlProjection]:
    connection = dbapi2.connect(":memory:", isolation_level=None)
    connection.row_factory = dbapi2.Row
    for statement in create_statements(KINDS):
        connection.execute(statement)
    yield SqlProjection(connection, KINDS)
    connection.close()


def row_of(values: dict[str, Any], **others: Any) -> Row:
    given: dict[str, Any] = {"state": b"s", "row_hash": b"h", "origin": b"o" * 16, "seq": 1} | others
    return Row(values, created_hlc=1 << 16, updated_hlc=2 << 16, author=None, **given)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"location": [139, 35.5]}, {"location": [139.0, 35.5]}),
        ({"rescue_needed": True}, {"rescue_needed": None}),
        ({"rescue_needed": False}, {"rescue_needed": True}),
        ({"accuracy_m": 1.0}, {"accuracy_m": 2.5}),
        ({"summary": "前"}, {"summary": "後", "water_depth_cm": 0}),
        ({"attachments": ["1"]}, {"attachments": []}),
    ],
)
def test_an_update_keeps_values_that_only_look_equal_apart(
    projection: SqlProjection, before: dict[str, Any], after: dict[str, Any]
) -> None:
    projection.insert(KIND, [(SCOPE, RECORD, b"n" * 16, row_of(before))])
    old = projection.load(KIND, SCOPE, RECORD)
    assert old is not None
    projection.update(KIND, SCOPE, RECORD, b"n" * 16, row_of(after, row_hash=b"i"), old)
    found = projection.load(KIND, SCOPE, RECORD)
    assert found is not None
    wanted = {name: value for name, value in after.items() if value is not None}
    assert found.values == wanted
    assert repr(found.values) == repr(wanted), "1, 1.0 and True are told apart"


def test_one_record_id_in_two_scopes_makes_two_rows(projection: SqlProjection) -> None:
    other = scope_of("real", id_text(bytes(16)))
    projection.insert(KIND, [(SCOPE, RECORD, b"n" * 16, row_of({"summary": "訓練"}))])
    projection.insert(KIND, [(other, RECORD, b"n" * 16, row_of({"summary": "実災害"}))])
    summaries = {scope: row.values["summary"] for scope, _, row in projection.rows(KIND)}
    assert summaries == {SCOPE: "訓練", other: "実災害"}


def test_ids_are_read_as_they_are_written() -> None:
    assert id_bytes(id_text(RECORD)) == RECORD
    assert id_text(RECORD) == "00010203-0405-0607-0809-0a0b0c0d0e0f"


def counted(projection: SqlProjection) -> set[tuple[str, int, int]]:
    rows = projection.connection.execute("SELECT response_status, red, reports FROM report_counts WHERE reports > 0")
    return {tuple(row) for row in rows.fetchall()}


def test_the_counts_of_reports_follow_what_comes_changes_and_goes(projection: SqlProjection) -> None:
    other = bytes(reversed(RECORD))
    red = row_of({"urgency": "red"})
    projection.insert(KIND, [(SCOPE, RECORD, b"n" * 16, red), (SCOPE, other, b"n" * 16, row_of({}))])
    assert counted(projection) == {("open", 1, 1), ("open", 0, 1)}
    given = row_of({"urgency": "red", "team": id_text(RECORD), "response_status": "in_progress"})
    projection.update(KIND, SCOPE, RECORD, b"n" * 16, given, red)
    assert counted(projection) == {("in_progress", 0, 1), ("open", 0, 1)}
    projection.update(KIND, SCOPE, other, b"n" * 16, row_of({}, hidden=True), row_of({}))
    assert counted(projection) == {("in_progress", 0, 1)}
    projection.delete(KIND, SCOPE, RECORD)
    assert counted(projection) == set()


@pytest.mark.parametrize(
    ("values", "others", "is_noted"),
    [
        ({"summary": "前", "water_depth_cm": 3}, {}, False),
        ({"summary": "後"}, {}, True),
        ({"summary": "前"}, {"order_key": 7 << 16}, True),
        ({"summary": "前"}, {"hidden": True}, True),
    ],
)
def test_what_a_search_finds_otherwise_is_noted_for_the_index(
    projection: SqlProjection, values: dict[str, Any], others: dict[str, Any], is_noted: bool
) -> None:
    """Also another place in the order: the index is in the order of its lists."""
    projection.insert(KIND, [(SCOPE, RECORD, b"n" * 16, row_of({"summary": "前"}))])
    projection.connection.execute(f"DELETE FROM {search.NOTED}")
    old = projection.load(KIND, SCOPE, RECORD)
    assert old is not None
    projection.update(KIND, SCOPE, RECORD, b"n" * 16, row_of(values, row_hash=b"i", **others), old)
    assert bool(projection.connection.execute(f"SELECT count(*) FROM {search.NOTED}").fetchone()[0]) == is_noted
