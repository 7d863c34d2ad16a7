"""The engine: what it refuses, how it opens, and how it tells a wrong key from a damaged file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.store import engine
from app.store.errors import EngineTooOld, StoreCorrupt, StoreExists, StoreMissing, WrongKey

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
TABLE = ("CREATE TABLE words (word TEXT)",)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "tomoshibi.db"
    engine.create_database(path, KEY, TABLE)
    return path


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0"])
def test_an_engine_that_may_lose_a_commit_is_refused(version: str) -> None:
    with pytest.raises(EngineTooOld, match=version):
        engine.refuse_old_engine(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.53.4", "4.0.0"])
def test_a_sound_engine_is_accepted(version: str) -> None:
    engine.refuse_old_engine(version)


def test_the_engine_installed_here_is_sound() -> None:
    engine.refuse_old_engine()


def test_a_connection_waits_for_the_disk_at_each_commit(store: Path) -> None:
    connection = engine.open_connection(store, KEY, cache_kib=engine.CACHE_KIB_HUB)
    values = {name: engine.pragma(connection, name) for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert engine.pragma(connection, "cache_size") == -65_536
    assert engine.pragma(connection, "wal_autocheckpoint") == 4_000
    assert engine.pragma(connection, "temp_store") == 2
    connection.close()


def test_rows_are_read_by_name(store: Path) -> None:
    connection = engine.open_connection(store, KEY)
    connection.execute("INSERT INTO words VALUES (?)", ("灯",))
    assert connection.execute("SELECT word FROM words").fetchone()["word"] == "灯"
    connection.close()


def test_a_reading_connection_cannot_write(store: Path) -> None:
    connection = engine.open_connection(store, KEY, readonly=True)
    with pytest.raises(engine.DATABASE_ERRORS, match="readonly"):
        connection.execute("INSERT INTO words VALUES ('x')")
    connection.close()


def test_nothing_of_the_text_stands_in_the_file(store: Path) -> None:
    connection = engine.open_connection(store, KEY)
    connection.execute("INSERT INTO words VALUES ('conspicuous plaintext')")
    in_wal = store.with_name(store.name + "-wal").read_bytes()
    connection.close()
    assert b"conspicuous" not in in_wal + store.read_bytes()
    assert not store.read_bytes().startswith(b"SQLite format")


def test_a_wrong_key_is_one_clear_error(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = store.read_bytes()
    with pytest.raises(WrongKey) as caught:
        engine.open_connection(store, OTHER)
    assert caught.value.hint
    assert capfd.readouterr().err == "", "the engine's own noise reaches nobody"
    assert store.read_bytes() == before


def test_a_damaged_file_is_not_called_a_wrong_key(store: Path) -> None:
    data = bytearray(store.read_bytes())
    data[100:200] = os.urandom(100)
    store.write_bytes(bytes(data))
    with pytest.raises(StoreCorrupt):
        engine.open_connection(store, KEY)


def test_a_missing_store_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        engine.open_connection(tmp_path / "none.db", KEY)
    assert not list(tmp_path.iterdir())


def test_an_existing_store_is_never_replaced(store: Path) -> None:
    before = store.read_bytes()
    with pytest.raises(StoreExists):
        engine.create_database(store, OTHER, TABLE)
    assert store.read_bytes() == before


def test_a_store_that_could_not_be_made_whole_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(engine.DATABASE_ERRORS):
        engine.create_database(tmp_path / "tomoshibi.db", KEY, ("CREATE NONSENSE",))
    assert not list(tmp_path.iterdir())


def test_what_a_crash_left_behind_does_not_stand_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".tomoshibi.db.new").write_bytes(b"half")
    (tmp_path / ".tomoshibi.db.new-wal").write_bytes(b"half")
    engine.create_database(tmp_path / "tomoshibi.db", KEY, TABLE)
    assert {path.name for path in tmp_path.iterdir()} == {"tomoshibi.db", "tomoshibi.check"}


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes of this kind")
def test_only_the_owner_may_read_the_store(store: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in store.parent.iterdir()} == {0o600}


def test_sqlite_utils_catches_the_errors_of_our_engine(store: Path) -> None:
    from sqlite_utils import Database

    database = Database(engine.open_connection(store, KEY))
    database["words"].insert({"word": "灯", "reading": "ともしび"}, alter=True)
    assert list(database["words"].rows) == [{"word": "灯", "reading": "ともしび"}]
    database.close()
