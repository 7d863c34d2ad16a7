"""Tables as the projection makes them, in memory, with rows that a test puts there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from app.records import KINDS
from app.store import tally
from app.store.schema import create_statements
from sync.projection import Row

INCIDENT = "01920000-0000-7000-8000-000000000001"
Insert = Callable[..., str]


@pytest.fixture
def db() -> Iterator[Any]:
    connection = dbapi2.connect(":memory:")
    for statement in create_statements(KINDS):
        connection.execute(statement)
    yield connection
    connection.close()


@pytest.fixture
def insert(db: Any) -> Insert:
    """insert(kind, incident_id=…, field=…) puts a row there and returns its id."""

    def put(kind_name: str, record_id: str | None = None, /, **values: Any) -> str:
        kind = KINDS.by_name[kind_name]
        record_id = record_id or str(uuid.uuid4())
        head: dict[str, Any] = {
            "id": record_id,
            "scope": "63" if kind.city else "64" + INCIDENT.replace("-", ""),
            "incident_id": None if kind.city else INCIDENT,
            "created_at": 1_000,
            "updated_at": 1_000,
            "author": None,
            "node": "00" * 16,
            "order_key": 0,
            "origin": b"o" * 16,
            "seq": 1,
            "merge_state": b"",
            "row_hash": b"",
        }
        for key, value in values.items():
            spec = kind.fields.get(key)
            as_json = spec is not None and spec.shape in ("point", "ids", "json") and value is not None
            head[key] = json.dumps(value) if as_json else value
        names = ", ".join(f'"{name}"' for name in head)
        marks = ", ".join("?" * len(head))
        db.execute(f"INSERT INTO {kind.table} ({names}) VALUES ({marks})", tuple(head.values()))
        if tally.is_counted(kind):
            hidden = bool(values.get("hidden"))
            row = Row(dict(values), b"", b"", b"o" * 16, 1, 0, 0, None, hidden)
            tally.count(db, [(head["incident_id"], row, 1)])
        return record_id

    return put
