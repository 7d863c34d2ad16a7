"""The keys of a node: the data key that opens the store, and the two seeds that are its identity.

All three lie in ``key.json``, under one envelope when a passphrase is set. The seeds are kept out of the
database on purpose: a node whose store is damaged, or is put back from a backup, must still be able to prove
who it is and keep its certificate. A passphrase then guards them exactly as it guards the data.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.store.durable import write_durably
from app.store.envelope import seal, unseal
from app.store.errors import KeyFileDamaged, KeyLocked, StoreExists, StoreMissing

_PURPOSE = "tomoshibi:node-keys:1"
_NAMES = ("data_key", "signing_seed", "sealing_seed")
PASSPHRASE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Never printed: each field is left out of the repr."""

    data_key: bytes = field(repr=False)  # 32 bytes, SQLCipher's raw key
    signing_seed: bytes = field(repr=False)  # Ed25519: the device key, which names the node
    sealing_seed: bytes = field(repr=False)  # X25519: receives sealed keys

    @staticmethod
    def generate() -> NodeKeys:
        return NodeKeys(os.urandom(32), os.urandom(32), os.urandom(32))

    def as_hex(self) -> dict[str, str]:
        """For an envelope: never written in clear but into the owner's own key file."""
        return {name: getattr(self, name).hex() for name in _NAMES}

    @staticmethod
    def from_hex(secrets: Any) -> NodeKeys:
        """Raises KeyFileDamaged."""
        try:
            values = [bytes.fromhex(secrets[name]) for name in _NAMES]
        except (KeyError, TypeError, ValueError) as error:
            raise KeyFileDamaged("the key file lacks a key") from error
        if any(len(value) != 32 for value in values):
            raise KeyFileDamaged("a key in the key file has another length")
        return NodeKeys(*values)


def write_keys(path: Path, keys: NodeKeys, passphrase: bytes | None) -> None:
    """Write a new key file; an existing one is never replaced."""
    if path.exists():
        raise StoreExists(f"there is already a key file at {path}")
    write_durably(path, _to_json(keys, passphrase))


def read_keys(path: Path, passphrase: bytes | None) -> NodeKeys:
    """Unlock the key file. Raises KeyLocked, WrongKey, KeyFileDamaged or StoreMissing.

    A clear file is sealed at the first start with a passphrase, so that none stays clear beside one.
    """
    document = _read(path)
    if document.get("protection") == "passphrase":
        if passphrase is None:
            raise KeyLocked("this node's key is sealed with a passphrase, and none was given")
        return NodeKeys.from_hex(_parse(unseal(document, passphrase, _PURPOSE)))
    keys = NodeKeys.from_hex(document.get("secrets"))
    if passphrase is not None:
        write_durably(path, _to_json(keys, passphrase))
    return keys


def is_sealed(path: Path) -> bool:
    """True where the key file needs a passphrase."""
    return _read(path).get("protection") == "passphrase"


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file: its first line, without the line end."""
    try:
        with path.open("rb") as file:
            data = file.read(PASSPHRASE_BYTES_MAX + 1)
    except OSError as error:
        raise KeyLocked(f"the passphrase file {path} cannot be read: {error.strerror}") from error
    line = data.splitlines()[0] if data else b""
    if not line or len(data) > PASSPHRASE_BYTES_MAX:
        hint = "Write the passphrase on its first line."
        raise KeyLocked(f"the passphrase file {path} is empty or too long", hint=hint)
    return line


def _to_json(keys: NodeKeys, passphrase: bytes | None) -> bytes:
    secrets = keys.as_hex()
    document: dict[str, Any] = {"version": 1}
    if passphrase is None:
        document |= {"protection": "file", "secrets": secrets}
    else:
        document |= {"protection": "passphrase", **seal(json.dumps(secrets).encode(), passphrase, _PURPOSE)}
    return json.dumps(document, indent=1).encode() + b"\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        document = _parse(path.read_bytes())
    except FileNotFoundError as error:
        raise StoreMissing(f"there is no key file at {path}") from error
    if not isinstance(document, dict) or document.get("version") != 1:
        raise KeyFileDamaged(f"{path.name} is not a key file of this release")
    return document


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise KeyFileDamaged("the key file cannot be read") from error
