"""The same node on the same engine without a key: what encryption at rest costs, measured beside it.

Only a benchmark can open such a store: the product has no door to one.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlcipher3 import dbapi2

from app.store import engine
from app.store.engine import Connection
from app.store.folder import DataFolder
from app.store.keys import read_keys


@contextlib.contextmanager
def copied(home: Path, target: Path) -> Iterator[Path]:
    """A copy of a node that is closed, its store in clear; readable as long as the block lasts, here alone."""
    shutil.copytree(home, target)
    folder = DataFolder(target)
    for suffix in ("", "-wal", "-shm"):
        folder.database.with_name(folder.database.name + suffix).unlink(missing_ok=True)
    source = engine.open_connection(DataFolder(home).database, read_keys(folder.keys, None).data_key)
    try:
        source.execute("ATTACH DATABASE ? AS clear KEY ''", (str(folder.database),))
        source.execute("SELECT sqlcipher_export('clear')").fetchall()
        source.execute(f"PRAGMA clear.user_version = {engine.pragma(source, 'user_version')}")
        source.execute("PRAGMA clear.journal_mode = WAL").fetchall()
    finally:
        source.close()
    assert folder.database.read_bytes()[:15] == b"SQLite format 3", "the copy is not in clear"
    keyed = engine.connect

    def without_key(path: Path, key: bytes, mode: str) -> Connection:
        if path != folder.database:
            return keyed(path, key, mode)
        address = f"{path.absolute().as_uri()}?mode={mode}"
        connection: Connection = dbapi2.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        connection.row_factory = engine.Row
        return connection

    engine.connect = without_key
    try:
        yield target
    finally:
        engine.connect = keyed
