"""A damaged store is set aside, and a new one of the same node filled with all that can be read. Nothing is lost by it.

Before: ``doctor --mend``, under the folder's lock. After: `serve` fetches from other nodes what was not readable here.
The new store begins a new incarnation, so no number is used twice whatever was lost. Cut short anywhere, the same
command goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from app.errors import CommandFailed
from app.records import KINDS
from app.records.judge import judge
from app.store import engine, identity, meta, search, tally
from app.store.blobs import key_of
from app.store.durable import sync_folder
from app.store.engine import Connection
from app.store.folder import DataFolder
from app.store.integrity import page_faults
from app.store.keys import NodeKeys
from app.store.migrations import migrate
from app.store.pages import copy_readable, put_bits_right
from app.store.projection import SqlProjection
from app.store.salvage import Salvage
from app.store.salvaged_files import refill
from app.store.salvaged_log import Log
from sync import signing
from sync.blobs import CREATE
from sync.certificate import Certificate
from sync.errors import BadCertificate
from sync.replica import Identity, Replica
from sync.signing import SigningKey

WORK = ".mending"
_SIDE_FILES = ("-wal", "-journal", "-shm")
_NOT_COPIED = {"projector"}  # the new tables are this release's, whatever the old ones were


@dataclass
class Mended:
    """What was done, for whoever gave the command at night."""

    aside: str = ""  # the folder with the damaged files, as they were
    bits_put_right: int = 0
    pages_lost: int = 0
    operations: int = 0  # in the new store
    written_again: int = 0  # of these, in new streams: what came before them is lost for ever
    waiting: int = 0  # operations kept beside it until what stands before them comes from another node
    attachments: int = 0
    attachments_lost: int = 0
    enrolled: bool = True
    files: list[str] = field(default_factory=list)  # which were damaged

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def mend(folder: DataFolder, keys: NodeKeys) -> Mended:
    """Mend what is damaged of a node's two files. The caller holds the folder's lock."""
    engine.refuse_old_engine()
    done = Mended()
    for path, key, fill in (
        (folder.database, keys.data_key, _fill_log),
        (folder.blobs, key_of(keys.data_key), _fill_files),
    ):
        aside = _begun(folder, path)
        if aside is None and not (path.exists() and page_faults(path, key)):
            continue
        aside = aside or _new_folder(folder)
        _require_room(folder, path if path.exists() else aside / path.name)
        _set_aside(path, aside)
        done.files.append(path.name)
        done.aside = str(aside)
        _make_anew(folder, path, key, aside, lambda new, old, fill=fill: fill(new, old, folder, keys, done), done)
    shutil.rmtree(folder.path / WORK, ignore_errors=True)
    return done


# -- setting aside -----------------------------------------------------------------------------------


def _begun(folder: DataFolder, path: Path) -> Path | None:
    """Where a file lies that was set aside by a mending that was cut short."""
    if path.exists():
        return None
    found = [place for place in sorted(folder.path.glob("damaged-*")) if (place / path.name).exists()]
    return found[-1] if found else None


def _new_folder(folder: DataFolder) -> Path:
    place = folder.path / time.strftime("damaged-%Y%m%d-%H%M%S")
    place.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.path)
    return place


def _require_room(folder: DataFolder, source: Path) -> None:
    needed = 3 * source.stat().st_size + 16 * 1024**2
    free = shutil.disk_usage(folder.path).free
    if free < needed:
        text = f"mending needs {needed // 1024**2} MiB free, and there are {free // 1024**2}"
        raise CommandFailed("store_full", text, "Free some space and give the command again; nothing was changed.")


def _set_aside(path: Path, aside: Path) -> None:
    """Move a store and its log as they are. The log first to go would be a store without its last commits."""
    for name in (path.name, *(path.name + end for end in _SIDE_FILES)):
        if path.with_name(name).exists():
            os.replace(path.with_name(name), aside / name)
    sync_folder(aside)
    sync_folder(path.parent)


def _make_anew(folder: DataFolder, path: Path, key: bytes, aside: Path, fill: Any, done: Mended) -> None:
    """Fill a new store from a copy of the old one; it appears whole, or not at all."""
    work = folder.path / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    for name in (path.name, *(path.name + end for end in _SIDE_FILES[:2])):
        if (aside / name).exists():
            copy_readable(aside / name, work / name)
    mended, lost = put_bits_right(work / path.name, key)
    done.bits_put_right += len(mended)
    done.pages_lost += len(lost)
    old = Salvage(work / path.name, key)
    try:
        with engine.saying_why(path):
            engine.create_database(path, key, fill=lambda new: fill(new, old))
    finally:
        old.close()


# -- filling -----------------------------------------------------------------------------------------


def _fill_log(new: Connection, old: Salvage, folder: DataFolder, keys: NodeKeys, done: Mended) -> None:
    migrate(new)
    _copy_local(new, old)
    who = _identity(new, old, folder, keys)
    done.enrolled = who.certificate is not None
    log = Log(new, old)
    replica = Replica(new, KINDS, judge, SqlProjection(new, KINDS), who, log.arrived_at, os.urandom)
    done.operations, done.written_again, done.waiting = log.fill(replica)
    meta.write(new, "projector", str(KINDS.schema))


def _fill_files(new: Connection, old: Salvage, folder: DataFolder, keys: NodeKeys, done: Mended) -> None:
    for statement in CREATE:
        new.execute(statement)
    done.attachments, done.attachments_lost = refill(new, old)


def _copy_local(new: Connection, old: Salvage) -> None:
    """The tables that are this node's alone: who logs in here, its settings, drafts."""
    projected = {kind.table for kind in KINDS} | {tally.TABLE}
    of_the_log = {row[0] for row in new.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")} & Log.TABLES
    for (table,) in new.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if table in projected | of_the_log or table.startswith(("sqlite_", "_sqlite", search.PREFIX)):
            continue
        columns = [row["name"] for row in new.execute(f"PRAGMA table_info({table})")]
        marks = ", ".join("?" * len(columns))
        for row in old.table(table, columns):
            if table != "meta" or row[0] not in _NOT_COPIED:
                new.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)


def _identity(new: Connection, old: Salvage, folder: DataFolder, keys: NodeKeys) -> Identity:
    """Who the node is. What `meta` no longer says is in the sealed file beside it, or in what is left of the log."""
    key = SigningKey(keys.signing_seed)
    for name, value in identity.read(folder.identity, keys.data_key).items():
        if meta.read(new, name) is None:
            meta.write(new, name, value)
    held = meta.read(new, "certificate")
    certificate = Certificate.decode(held) if held else _own_certificate(old, key)
    root = meta.read(new, "root_public") or _root_of(folder)
    if certificate is None or root is None:
        certificate = None
    else:
        meta.write(new, "certificate", certificate.encode())
        meta.write(new, "root_public", root)
    if meta.read(new, "name") is None:
        meta.write(new, "name", certificate.name if certificate else "?")
    if meta.read(new, "role") is None:
        hub = certificate is not None and "hub" in certificate.capabilities
        meta.write(new, "role", "hub" if hub or folder.recovery.exists() else "terminal")
    return Identity(key, signing.node_id_of(key.public), root, certificate, keys.sealing_seed)


def _own_certificate(old: Salvage, key: SigningKey) -> Certificate | None:
    found: list[Certificate] = []
    for (data,) in old.table("certificate", ("data",)):
        try:
            certificate = Certificate.decode(bytes(data))
        except (BadCertificate, TypeError):
            continue
        if certificate.public == key.public:
            found.append(certificate)
    return max(found, key=lambda one: one.issued_ms, default=None)


def _root_of(folder: DataFolder) -> bytes | None:
    try:
        return bytes.fromhex(json.loads(folder.recovery.read_bytes())["root_public"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
