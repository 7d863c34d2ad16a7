"""Pages that are not what was written are found, and those that a power cut may leave are not called damage."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

import pytest

from app.store import engine
from app.store.integrity import page_faults

PAGE, FRAME, KEY = 4096, 24, os.urandom(32)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.db"
    engine.create_database(path, KEY, ["CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB)"])
    connection = engine.open_connection(path, KEY)
    for _ in range(200):
        connection.execute("INSERT INTO t (b) VALUES (?)", (os.urandom(600),))
    connection.close()
    return path


def flip(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE + random.randrange(PAGE)] ^= 1
    path.write_bytes(content)


def test_a_whole_store_has_no_faults(store: Path) -> None:
    assert page_faults(store, KEY) == []


def test_a_flipped_bit_is_found_wherever_it_is(store: Path) -> None:
    whole = store.read_bytes()
    for page in range(1, len(whole) // PAGE + 1):
        flip(store, page)
        assert page_faults(store, KEY), page
        store.write_bytes(whole)


def test_a_page_that_is_whole_in_the_log_is_no_fault(store: Path) -> None:
    """A power cut in the middle of a checkpoint: the file is torn, the log has it all."""
    writer = engine.open_connection(store, KEY)
    writer.execute("UPDATE t SET b = zeroblob(600) WHERE id = 20")
    log = store.with_name("s.db-wal").read_bytes()
    pages = {struct.unpack_from(">I", log, at)[0] for at in range(32, len(log), FRAME + PAGE)}
    after = store.parent / "after.db"
    after.write_bytes(store.read_bytes())
    after.with_name("after.db-wal").write_bytes(log)
    writer.close()
    for page in pages:
        flip(after, page)
    assert page_faults(after, KEY) == []
    held = engine.open_connection(after, KEY)
    assert held.execute("SELECT b FROM t WHERE id = 20").fetchone()[0] == bytes(600)
    held.close()
