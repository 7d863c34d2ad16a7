"""A temporary database laid over the store: it has tables of its own and reads all else from the store beside it.

Encrypted under a key that is in memory only: what a cut leaves of it on the disk is noise. Before: ``replay/past``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from app.store import engine
from app.store.engine import Connection

LOG = "log"  # what the store is called over there
FOLDER = "replay"
CACHE_KIB = 8_192


def new_path(home: Path) -> Path:
    """A name for another such database, in the node's data folder."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{os.urandom(8).hex()}.db"


def create(path: Path, key: bytes, store: Path, store_key: bytes, *, new: bool = True) -> Connection:
    """Make one, or write on. It need not outlive a power cut, so no write waits for the disk."""
    if new:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = engine.connect(path, key, mode="rwc")
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    _attach(connection, store, store_key)
    return connection


def copy(path: Path, target: Path) -> None:
    """Another one that begins with what this one holds, under the same key; nobody writes into this one."""
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened, path.open("rb") as held:
        shutil.copyfileobj(held, opened)


def open_again(path: Path, key: bytes, store: Path, store_key: bytes) -> Connection:
    """To read only. The temporary schema is for the caller to make."""
    connection = engine.connect(path, key, mode="ro")
    connection.execute("PRAGMA temp_store = MEMORY").fetchall()
    _attach(connection, store, store_key)
    return connection


def remove(path: Path) -> None:
    """Take one away; where somebody still has it open and the system minds, ``sweep`` does later."""
    with contextlib.suppress(OSError):
        path.unlink()


def sweep(home: Path) -> None:
    """At a start: what an earlier process left."""
    for path in _left(home):
        remove(path)


def _left(home: Path) -> Iterator[Path]:
    folder = home / FOLDER
    return folder.iterdir() if folder.is_dir() else iter(())


def _attach(connection: Connection, store: Path, store_key: bytes) -> None:
    address = f"{store.absolute().as_uri()}?mode=ro"
    connection.execute(f"ATTACH DATABASE ? AS {LOG} KEY \"x'{store_key.hex()}'\"", (address,))
    connection.execute(f"PRAGMA busy_timeout = {engine.BUSY_TIMEOUT_MS}").fetchall()
