"""The file of a backup: a zip of the two encrypted databases, with the keys sealed beside them.

What is in clear says which node it is of and when it was made. The hashes of the databases stand in the sealed part
too: who can alter the file cannot alter what its owner will be told about it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.errors import AppError
from app.store.durable import sync_file, sync_folder
from app.store.envelope import seal, unseal
from app.store.keys import NodeKeys

MANIFEST, SEALED = "manifest.json", "keys.json"
DATABASES = ("tomoshibi.db", "blobs.db")
PURPOSE = "tomoshibi:backup:1"
VERSION = 1
MANIFEST_BYTES_MAX, SEALED_BYTES_MAX = 65_536, 65_536
PIECE_BYTES = 1 << 20


class BadBackup(AppError):
    """The file is no backup, or not the one that was written."""

    code = "bad_backup"


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself in clear."""

    node_id: str
    made_at_ms: int
    release: str
    files: Mapping[str, Mapping[str, Any]]  # name -> {size, sha256}


def write(target: Path, folder: Path, about: Mapping[str, Any], keys: NodeKeys, secret: bytes) -> About:
    """Pack the databases of ``folder`` into ``target``, which is whole afterwards or not there."""
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with zipfile.ZipFile(fresh, "x", zipfile.ZIP_STORED) as packed:  # encrypted pages do not shrink
            files = {name: _pack(packed, folder / name, name) for name in DATABASES}
            told = {"version": VERSION, "holds": "tomoshibi backup", **about, "files": files}
            packed.writestr(MANIFEST, json.dumps(told, indent=1))
            secrets = {**keys.as_hex(), "files": files, "node_id": about["node_id"]}
            packed.writestr(SEALED, json.dumps(seal(json.dumps(secrets).encode(), secret, PURPOSE)))
        fresh.chmod(0o600)
        sync_file(fresh)
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return About(about["node_id"], about["made_at_ms"], about["release"], files)


def _pack(packed: zipfile.ZipFile, path: Path, name: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, packed.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
        for piece in _pieces(source):
            digest.update(piece)
            target.write(piece)
            size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


class Archive:
    """A backup that lies on a disk. Raises BadBackup where it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._packed = zipfile.ZipFile(path)
            self.about = _about(json.loads(self._read(MANIFEST, MANIFEST_BYTES_MAX)))
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError, NotImplementedError) as error:
            raise _no_backup(path) from error

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._packed.close()

    def keys(self, secret: bytes) -> NodeKeys:
        """The keys that open the databases. Raises WrongKey, BadBackup."""
        try:
            envelope = json.loads(self._read(SEALED, SEALED_BYTES_MAX))
        except (zipfile.BadZipFile, ValueError, KeyError) as error:
            raise _no_backup(self.path) from error
        secrets = json.loads(unseal(envelope, secret, PURPOSE))
        if secrets["files"] != dict(self.about.files) or secrets["node_id"] != self.about.node_id:
            raise _altered(self.path, MANIFEST)
        return NodeKeys.from_hex(secrets)

    def copy(self, name: str, target: Path | None) -> None:
        """Compare a database with its hash, and write it to ``target`` where one is given. Raises BadBackup."""
        digest, wanted = hashlib.sha256(), self.about.files[name]
        try:
            with self._packed.open(name) as source:
                if target is None:
                    for piece in _pieces(source):
                        digest.update(piece)
                else:
                    _write_out(source, target, digest, wanted["size"])
        except (zipfile.BadZipFile, KeyError, NotImplementedError) as error:
            raise _altered(self.path, name) from error
        if digest.hexdigest() != wanted["sha256"]:
            raise _altered(self.path, name)

    def _read(self, name: str, bytes_max: int) -> bytes:
        with self._packed.open(name) as member:
            data = member.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise ValueError(f"{name} is too large")
        return data


def _write_out(source: IO[bytes], target: Path, digest: Any, size_max: int) -> None:
    with target.open("xb") as file:
        target.chmod(0o600)
        for piece in _pieces(source):
            digest.update(piece)
            file.write(piece)
            if file.tell() > size_max:
                return  # its hash cannot fit any more
    sync_file(target)


def _pieces(source: IO[bytes]) -> Iterator[bytes]:
    while piece := source.read(PIECE_BYTES):
        yield piece


def _about(document: Any) -> About:
    if document["version"] != VERSION or document["holds"] != "tomoshibi backup":
        raise ValueError("another version")
    files = {
        str(name): {"size": int(file["size"]), "sha256": str(file["sha256"])}
        for name, file in document["files"].items()
    }
    if set(files) != set(DATABASES):
        raise ValueError("other files")
    return About(str(document["node_id"]), int(document["made_at_ms"]), str(document["release"]), files)


def _no_backup(path: Path) -> BadBackup:
    return BadBackup(
        "not_a_backup", f"{path.name} is not a backup of this release, or its head is damaged",
        "Name a file that `tomoshibi backup` wrote; try another copy of it.",
    )  # fmt: skip


def _altered(path: Path, name: str) -> BadBackup:
    return BadBackup(
        "backup_altered", f"{path.name} is damaged or was altered: {name} is not what was written",
        "Use another copy or an older backup; nothing was changed here.",
    )  # fmt: skip
