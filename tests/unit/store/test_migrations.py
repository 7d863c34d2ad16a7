"""The shape of a store: made once, safe to run again, refused when it comes from a newer release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.records import KINDS
from app.store import engine, meta
from app.store.errors import NewerStore
from app.store.migrations import migrate

KEY = b"\x01" * 32
LOCAL = {"meta", "settings", "credentials", "api_tokens", "sessions", "enrol_codes", "login_codes"}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[engine.Connection]:
    engine.create_database(tmp_path / "tomoshibi.db", KEY, fill=migrate)
    connection = engine.open_connection(tmp_path / "tomoshibi.db", KEY)
    yield connection
    connection.close()


def tables(connection: engine.Connection) -> set[str]:
    return {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_store_has_the_log_the_projections_and_the_local_tables(connection: engine.Connection) -> None:
    assert tables(connection) >= LOCAL | {"op", "stream"} | {kind.table for kind in KINDS}


def test_migrating_again_changes_nothing(connection: engine.Connection) -> None:
    before = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    migrate(connection)
    assert connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() == before


def test_a_store_of_a_newer_release_is_refused_unchanged(connection: engine.Connection) -> None:
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('tomoshibi', 'm9999_later', '')"
    )
    with pytest.raises(NewerStore, match="m9999_later"):
        migrate(connection)


def test_facts_about_the_node_come_back_as_they_were_written(connection: engine.Connection) -> None:
    assert meta.read(connection, "name") is None
    meta.write(connection, "name", "第一避難所")
    meta.write(connection, "name", "第二避難所")
    meta.write(connection, "root_public", b"\x00\xff")
    assert meta.read_text(connection, "name") == "第二避難所"
    assert meta.read(connection, "root_public") == b"\x00\xff"
