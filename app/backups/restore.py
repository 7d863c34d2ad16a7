"""`restore` and `verify`: what a backup holds, checked page by page, and put back as a node with a new incarnation.

The node keeps its name and its certificate; the numbers that it gave after the backup are never given again, because
its next operation begins new streams. What other nodes hold of it comes back by itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import digests, doctor
from app.backups.archive import DATABASES, Archive, BadBackup
from app.errors import CommandFailed
from app.queries import drafts, grants
from app.records import KINDS, damage_report_people
from app.sealing import CLOSED
from app.store import engine, meta
from app.store.blobs import key_of
from app.store.durable import sync_folder, write_durably
from app.store.errors import StoreExists
from app.store.folder import DataFolder, Incarnation
from app.store.integrity import page_faults
from app.store.keys import NodeKeys, write_keys
from sync.blobs import KEY_TYPE

SET_ASIDE = "replaced-%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the databases of a backup hold."""

    operations: int
    streams: int
    attachments: int
    digest: str


def verify(path: Path, secret: bytes | None) -> dict[str, Any]:
    """Compare the files with their hashes; with the secret also every page, chain, signature and the digest.

    Raises BadBackup, WrongKey.
    """
    with Archive(path) as archive:
        told = {"node_id": archive.about.node_id, "made_at_ms": archive.about.made_at_ms}
        if secret is None:
            for name in DATABASES:
                archive.copy(name, None)
            return {**told, "opened": False}
        keys = archive.keys(secret)
        with tempfile.TemporaryDirectory(prefix=".verify-", dir=path.parent) as folder:
            found = _unpacked(archive, keys, Path(folder))
        return {**told, "opened": True, "operations": found.operations, "streams": found.streams,
                "attachments": found.attachments, "digest": found.digest}  # fmt: skip


def restore(
    path: Path, secret: bytes, folder: DataFolder, passphrase: bytes | None, *, replace: bool = False
) -> dict[str, Any]:
    """Make the node of a backup in a data folder. Raises BadBackup, WrongKey, StoreExists, FolderLocked.

    A node that is there already is set aside in a folder of its own, where ``replace`` says so. Nothing is changed
    before everything of the backup has been read and found good.
    """
    with Archive(path) as archive:
        keys = archive.keys(secret)
        folder.make()
        with folder.lock():
            if folder.is_whole() and not replace:
                raise StoreExists(
                    f"there is already a node in {folder.path}",
                    hint="Name another folder with --home, or give --replace: then it is set aside, not deleted.",
                )
            with tempfile.TemporaryDirectory(prefix=".restoring-", dir=folder.path) as fresh:
                found = _unpacked(archive, keys, Path(fresh))
                _close_what_is_sealed(Path(fresh) / DATABASES[0], keys, folder.shredded_keys())
                aside = _set_aside(folder)
                _put_in_place(folder, Path(fresh), keys, passphrase)
    return {"home": str(folder.path), "node_id": archive.about.node_id, "made_at_ms": archive.about.made_at_ms,
            "operations": found.operations, "attachments": found.attachments,
            "set_aside": str(aside) if aside else None}  # fmt: skip


def _close_what_is_sealed(database: Path, keys: NodeKeys, destroyed: frozenset[bytes]) -> None:
    """Take away what the backup had opened: a shredding may have been ordered since. It opens again once others were
    heard; a key that was destroyed in this folder, never.
    """
    connection = engine.open_connection(database, keys.data_key)
    try:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        connection.execute("BEGIN IMMEDIATE")
        for kind in KINDS:
            if kind.sealed and kind.table in tables:
                connection.execute(f"DELETE FROM {kind.table}")
        if "wrapped_key" in tables:
            for one in grants.wrapped(connection):
                if one.key in destroyed:
                    connection.execute("DELETE FROM wrapped_key WHERE name = ?", (one.name,))
            meta.write(connection, CLOSED, b"1")
        drafts.forget_fields(connection, damage_report_people.FIELDS)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def _unpacked(archive: Archive, keys: NodeKeys, folder: Path) -> Contents:
    """Write the databases into ``folder`` and examine them. Raises BadBackup."""
    for name in DATABASES:
        archive.copy(name, folder / name)
    log, blobs = (folder / name for name in DATABASES)
    operations, streams, digest = _examined(log, keys.data_key, _log_contents, archive.path)
    (attachments,) = _examined(blobs, key_of(keys.data_key), _blob_contents, archive.path)
    return Contents(operations, streams, attachments, digest)


def _examined(database: Path, key: bytes, contents: Callable[[engine.Connection], Any], path: Path) -> Any:
    write_durably(engine.check_path(database), engine.check_value(key).encode())
    if faults := page_faults(database, key):
        raise BadBackup("backup_altered", f"{path.name}: {faults[0]}", "Use another copy or an older backup.")
    connection = engine.open_connection(database, key)
    try:
        return contents(connection)
    finally:
        connection.close()


def _log_contents(connection: engine.Connection) -> tuple[int, int, str]:
    operations = streams = 0
    for number, _, node, fault in doctor.verified(connection):
        if fault:
            raise BadBackup("backup_chain", f"the log of {node} in it: {fault}", "Use another copy or an older backup.")
        operations, streams = operations + number, streams + 1
    return operations, streams, digests.kept(connection)


def _blob_contents(connection: engine.Connection) -> tuple[int]:
    return (int(connection.execute("SELECT count(*) FROM blob WHERE media_type IS NOT ?", (KEY_TYPE,)).fetchone()[0]),)


def _set_aside(folder: DataFolder) -> Path | None:
    """Move what is there into a folder with the time in its name; None where nothing was."""
    there = [path for path in folder.node_files() if path.exists()]
    if not there:
        return None
    aside = folder.path / time.strftime(SET_ASIDE)
    if aside.exists():
        raise CommandFailed("too_soon", f"{aside.name} is there already", "Wait a second and try again.")
    aside.mkdir(mode=0o700)
    for path in there:
        path.replace(aside / path.name)
    sync_folder(folder.path)
    return aside


def _put_in_place(folder: DataFolder, fresh: Path, keys: NodeKeys, passphrase: bytes | None) -> None:
    # Whatever happens from here on: a store beside this note begins new streams when it is opened.
    folder.note_incarnation(Incarnation(b"", {}))
    for database in (folder.blobs, folder.database):
        for suffix in (".check", ".db"):
            name = database.with_suffix(suffix).name
            (fresh / name).replace(folder.path / name)
    write_keys(folder.keys, keys, passphrase)
    sync_folder(folder.path)
