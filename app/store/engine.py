"""Connections to the encrypted store. Everything that touches SQLite comes through here first.

Before: ``keys`` unwraps the data key. After: ``store`` and ``migrations`` use the connection.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlcipher3
from sqlcipher3 import dbapi2
from sqlcipher3.dbapi2 import Connection, Row

from app.store.durable import sync_file, sync_folder, write_durably
from app.store.errors import EngineTooOld, StoreCorrupt, StoreError, StoreExists, StoreMissing, WrongKey
from sync.writer import store_error

# sqlite-utils prefers a module called pysqlite3 to the standard library's. The errors it catches must be
# our engine's (sqlcipher3's are no subclasses of sqlite3's), so this stands before its first import.
sys.modules.setdefault("pysqlite3", sqlcipher3)
sys.modules.setdefault("pysqlite3.dbapi2", dbapi2)

# Of each null and each bytes the engine's module asks in vain how it is to be adapted, unless it is told: a report's
# row took 24 us to insert, and takes 6 with these two, which give back what they are given.
dbapi2.register_adapter(type(None), {None: None}.get)
dbapi2.register_adapter(bytes, bytes)

DATABASE_ERRORS: tuple[type[Exception], ...] = (dbapi2.Error, sqlite3.Error)

# SQLite 3.7.0 to 3.51.2: two connections that write and checkpoint at the same moment can lose a commit.
ENGINE_OLDEST = (3, 51, 3)
CACHE_KIB_HUB = 65_536
CACHE_KIB_TERMINAL = 16_384
BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_PAGES, CHECKPOINT_PAGES_SHORT = 4_000, 250
KEY_BYTES = 32
_CANNOT_OPEN: tuple[type[Exception], ...] = (StoreError, *DATABASE_ERRORS)
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_CHECK_TAG = b"tomoshibi:key-check:1\0"


def refuse_old_engine(version: str = dbapi2.sqlite_version) -> None:
    """Raise EngineTooOld where the engine may lose a commit."""
    parts = tuple(int(part) for part in version.split(".")[:3])
    if parts < ENGINE_OLDEST:
        oldest = ".".join(map(str, ENGINE_OLDEST))
        raise EngineTooOld(f"the database engine is SQLite {version}; {oldest} or newer is needed")


def open_connection(
    path: Path, key: bytes, *, readonly: bool = False, cache_kib: int = CACHE_KIB_TERMINAL
) -> Connection:
    """Open an existing store. Raises StoreMissing, WrongKey or StoreCorrupt."""
    if not path.exists():
        raise StoreMissing(f"there is no store at {path}")
    connection = connect(path, key, mode="rw")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        _set_up(connection, cache_kib)
        if readonly:
            connection.execute("PRAGMA query_only = ON")
    except dbapi2.DatabaseError as error:
        connection.close()
        if getattr(error, "sqlite_errorname", "") != "SQLITE_NOTADB":
            raise
        # A wrong key and a damaged file give one error: the check value beside the file tells them apart.
        if _fits_check(path, key):
            raise StoreCorrupt(f"{path.name} cannot be read although its key is right") from error
        raise WrongKey(f"the key does not open {path.name}") from error
    return connection


@contextlib.contextmanager
def saying_why(path: Path) -> Iterator[None]:
    """Turn what the engine raises into our words: StoreCorrupt, StoreFull or StoreFailed."""
    try:
        yield
    except DATABASE_ERRORS as error:
        if getattr(error, "sqlite_errorname", "").startswith(_DAMAGE):
            raise StoreCorrupt(f"{path.name} is damaged: {error}") from error
        raise store_error(error) from error


def create_database(
    path: Path, key: bytes, statements: Iterable[str] = (), fill: Callable[[Connection], None] | None = None
) -> None:
    """Make a store that is whole or not there: a temporary name, synced, renamed, the folder synced."""
    refuse_old_engine()
    if path.exists():
        raise StoreExists(f"there is already a store at {path}")
    fresh = path.with_name(f".{path.name}.new")
    _remove_database(fresh)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _fill(fresh, key, statements, fill)
        sync_file(fresh)
        write_durably(check_path(path), check_value(key).encode())
        os.replace(fresh, path)
    except BaseException:
        _remove_database(fresh)
        raise
    sync_folder(path.parent)


def copy_database(path: Path, key: bytes, target: Path) -> None:
    """A copy of a store under the same key, as one moment saw it; whoever writes meanwhile is not held up."""
    source = open_connection(path, key, readonly=True)
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy = connect(target, key, mode="rwc")
        try:
            source.backup(copy)  # in one step: in parts it would begin anew at every commit
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            copy.close()
    finally:
        source.close()
    sync_file(target)


def change_key(path: Path, old: bytes, new: bytes) -> None:
    """Encrypt a store anew that nobody else has open; a cut in between leaves it unreadable, so give it a copy."""
    connection = connect(path, old, mode="rw")
    try:
        # In WAL the new key's pages would lie in a log that only the new key reads.
        connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        connection.execute("PRAGMA temp_store = MEMORY").fetchall()
        connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"").fetchall()
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    finally:
        connection.close()


def _fill(path: Path, key: bytes, statements: Iterable[str], fill: Callable[[Connection], None] | None) -> None:
    connection = connect(path, key, mode="rwc")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        _set_up(connection, CACHE_KIB_TERMINAL)
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
        if fill is not None:
            fill(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def connect(path: Path, key: bytes, mode: str) -> Connection:
    """A bare connection, not set up for the store."""
    if len(key) != KEY_BYTES:
        raise WrongKey(f"a data key has {KEY_BYTES} bytes, not {len(key)}")
    connection: Connection = dbapi2.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    # The engine writes its own lines to stderr when a page does not decrypt; we raise one clear error.
    connection.execute("PRAGMA cipher_log_level = NONE").fetchall()
    # A raw key: a passphrase would cost each connection 80 ms of key derivation, which keys.py pays once.
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"").fetchall()
    connection.row_factory = Row
    return connection


def _set_up(connection: Connection, cache_kib: int) -> None:
    for pragma, value in (
        # An acknowledged row outlives a power cut: NORMAL lost some in 1,920 of 3,000 simulated cuts.
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
        ("busy_timeout", str(BUSY_TIMEOUT_MS)),
        ("cache_size", str(-cache_kib)),
        ("wal_autocheckpoint", str(CHECKPOINT_PAGES)),
        ("secure_delete", "ON"),  # what was sealed and is shredded must not stay in a page that is free
        ("temp_store", "MEMORY"),  # a temporary file would lie on the disk in clear
    ):
        connection.execute(f"PRAGMA {pragma} = {value}").fetchall()


def keep_log_short(connection: Any) -> None:
    """On a disk that is nearly full: fold the log into the file long before it would be quickest to."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES_SHORT}").fetchall()


def fold_log(path: Path, key: bytes) -> bool:
    """Write a store's log into its file, so that it grows no further; False where there was nothing, or no room."""
    try:
        connection = open_connection(path, key)
    except _CANNOT_OPEN:
        return False
    try:
        busy, pages, folded = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return not busy and pages > 0 and folded == pages
    except DATABASE_ERRORS:
        return False
    finally:
        connection.close()


def empty_log(path: Path, key: bytes) -> bool:
    """Fold a store's log into its file and cut it to nothing: no older page stays in it. False where somebody read."""
    try:
        connection = open_connection(path, key)
    except _CANNOT_OPEN:
        return False
    try:
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except DATABASE_ERRORS:
        return False
    finally:
        connection.close()


def check_path(path: Path) -> Path:
    """Where the check value of a store's key lies: in clear, for it tells nothing about a random key."""
    return path.with_suffix(".check")


def check_value(key: bytes) -> str:
    """What lies in the file beside a store: it fits one key only."""
    return hmac.new(key, _CHECK_TAG, hashlib.sha256).hexdigest()


def _fits_check(path: Path, key: bytes) -> bool:
    try:
        kept = check_path(path).read_bytes().strip()
    except FileNotFoundError:
        return False  # a disk that cannot read it says so itself: that is no wrong key
    return hmac.compare_digest(kept, check_value(key).encode())


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def pragma(connection: Connection, name: str) -> Any:
    """The value of a pragma, for doctor and tests."""
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return None if row is None else row[0]
