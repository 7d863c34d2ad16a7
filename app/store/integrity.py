"""Whether the pages of a store are what was written. Before: `doctor`, the node's daily look. Reads; may checkpoint."""

from __future__ import annotations

from pathlib import Path

from app.store import engine
from app.store.engine import Connection
from app.store.errors import StoreError
from sync.errors import SyncError


def page_faults(path: Path, key: bytes) -> list[str]:
    """What is wrong with a file's pages; an empty list where nothing is. Takes a second for 300 MB."""
    try:
        with engine.saying_why(path):
            connection = engine.open_connection(path, key)
    except (StoreError, SyncError, OSError) as error:
        return [str(error)]
    try:
        return _checked(connection) and _checked_alone(connection)
    finally:
        connection.close()


def _checked_alone(connection: Connection) -> list[str]:
    """Look again where something was found: a page that a power cut tore is whole in the log beside the file.

    The engine's check of seals reads the file only, so the log is written into it first; and nobody writes meanwhile.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        connection.execute("BEGIN IMMEDIATE")
    except engine.DATABASE_ERRORS as error:
        return [str(error)]
    try:
        return _checked(connection)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _checked(connection: Connection) -> list[str]:
    try:
        found = [row[0] for row in connection.execute("PRAGMA cipher_integrity_check").fetchall()]
        found += [row[0] for row in connection.execute("PRAGMA quick_check").fetchall() if row[0] != "ok"]
    except engine.DATABASE_ERRORS as error:
        return [str(error)]
    lines = [line for text in found for line in str(text).splitlines()]  # one row may be a list of a hundred lines
    return [line for line in lines if not line.startswith("***")]
