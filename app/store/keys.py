"""The keys of a node: the data key that opens the store, and the two seeds that are its identity.

All three lie in ``key.json``, sealed under one random key that the file's slots wrap (``slots``). The seeds are kept
out of the database on purpose: a node whose store is damaged, or is put back from a backup, must still be able to
prove who it is and keep its certificate. A slot then guards them exactly as it guards the data.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.store import device_secret, key_file, slots
from app.store.envelope import unseal
from app.store.errors import KeyFileDamaged, KeyLocked, SlotUnknown, StoreExists, WrongKey
from app.store.key_file import KeyFile
from app.store.slots import Slot

_PURPOSE_1 = "tomoshibi:node-keys:1"  # of an older release
_NAMES = ("data_key", "signing_seed", "sealing_seed")
PASSPHRASE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """Never printed: each field is left out of the repr."""

    data_key: bytes = field(repr=False)  # 32 bytes, SQLCipher's raw key
    signing_seed: bytes = field(repr=False)  # Ed25519: the device key, which names the node
    sealing_seed: bytes = field(repr=False)  # X25519: receives sealed keys
    # What the slots of its file wrap: no key of the node, and never in a backup.
    slot_key: bytes = field(default_factory=lambda: os.urandom(32), repr=False, compare=False)

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
    _file_of(keys, passphrase).write(path)


def read_keys(path: Path, passphrase: bytes | None) -> NodeKeys:
    """Unlock the key file. Raises KeyLocked, WrongKey, KeyFileDamaged or StoreMissing.

    A clear slot goes at the first start with a passphrase, so that none stays clear beside one.
    """
    document = key_file.load(path)
    if document["version"] == 1:
        return _upgraded(path, document, passphrase)
    file = KeyFile.from_document(document)
    sealed, clear = file.of_kind("passphrase"), file.of_kind("file")
    if passphrase is not None and sealed:
        return _opened(file, _first_that_opens(file, sealed, passphrase))
    if clear:
        keys = _opened(file, slots.open_clear(clear[0]))
        if passphrase is not None:
            slot = slots.of_passphrase(keys.slot_key, passphrase, _now_ms())
            file.with_slots(slot, without="file").write(path)
        return keys
    if sealed:
        raise KeyLocked("this node's key is sealed with a passphrase, and none was given")
    if file.of_kind("pin"):
        hint = "Start it, and type the PIN on its page on this machine; or use `tomoshibi unlock`."
        raise KeyLocked("this node is locked with a PIN", hint=hint)
    raise KeyLocked("this node opens only with the city's recovery file", hint="Use `tomoshibi unlock`.")


def keys_under(path: Path, slot_key: bytes) -> NodeKeys:
    """The keys, by what a PIN gave. Raises KeyFileDamaged."""
    return _opened(key_file.read(path), slot_key)


def keys_by_recovery(path: Path, seed: bytes) -> NodeKeys:
    """The keys, by the city's recovery key. Raises KeyLocked, WrongKey, KeyFileDamaged."""
    file = key_file.read(path)
    found = file.of_kind("recovery")
    if not found:
        raise KeyLocked("this node has no recovery slot", hint="Only its own PIN or passphrase opens it.")
    try:
        return _opened(file, slots.open_recovery(found[0], seed))
    except WrongKey as error:
        raise file.blame(error) from error


def keep_recovery(path: Path, keys: NodeKeys, public: bytes) -> None:
    """Seal the slot key to the city's recovery key, where that was not done."""
    file = key_file.read(path)
    if not any(slot.content.get("public") == public.hex() for slot in file.of_kind("recovery")):
        slot = slots.of_recovery(keys.slot_key, public, _now_ms())
        file.with_slots(slot, without="recovery").write(path)


def slots_of(path: Path) -> list[dict[str, Any]]:
    """What opens this node: id, kind and when it was made."""
    document = key_file.load(path)
    if document["version"] == 1:
        return [{"id": "-", "kind": str(document.get("protection")), "made_ms": None}]
    file = KeyFile.from_document(document)
    return [{"id": slot.id, "kind": slot.kind, "made_ms": slot.made_ms} for slot in file.slots]


def remove_slot(path: Path, slot_id: str) -> Slot:
    """Raises SlotUnknown, and WayBackMissing for the last that opens this node."""
    file = key_file.read(path)
    found = [slot for slot in file.slots if slot.id == slot_id]
    if not found:
        raise SlotUnknown(f"there is no slot {slot_id}")
    changed = replace(file, slots=tuple(slot for slot in file.slots if slot.id != slot_id))
    changed.require_way_back()
    changed.write(path)
    if found[0].kind == "pin":
        device_secret.destroy(path.with_name(device_secret.NAME))
    return found[0]


def is_sealed(path: Path) -> bool:
    """True where the key file alone opens nothing."""
    return not any(slot["kind"] == "file" for slot in slots_of(path))


def is_locked(path: Path) -> bool:
    """True where, with no passphrase given, a PIN opens it, or only recovery does."""
    kinds = {slot["kind"] for slot in slots_of(path)}
    return "file" not in kinds and ("pin" in kinds or "passphrase" not in kinds)


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


def _file_of(keys: NodeKeys, passphrase: bytes | None) -> KeyFile:
    if passphrase is None:
        slot = slots.in_clear(keys.slot_key, _now_ms())
    else:
        slot = slots.of_passphrase(keys.slot_key, passphrase, _now_ms())
    return KeyFile.make([slot], keys.slot_key, json.dumps(keys.as_hex()).encode())


def _first_that_opens(file: KeyFile, sealed: list[Slot], passphrase: bytes) -> bytes:
    wrong = WrongKey("the passphrase does not open the key")
    for slot in sealed:
        try:
            return slots.open_passphrase(slot, passphrase)
        except WrongKey as error:
            wrong = error
    raise file.blame(wrong) from wrong


def _opened(file: KeyFile, slot_key: bytes) -> NodeKeys:
    return replace(NodeKeys.from_hex(_parse(file.open(slot_key))), slot_key=slot_key)


def _upgraded(path: Path, document: dict[str, Any], passphrase: bytes | None) -> NodeKeys:
    """A file of version 1: clear, or under one passphrase. A full disk is no reason not to start."""
    if document.get("protection") != "passphrase":
        keys = NodeKeys.from_hex(document.get("secrets"))
    elif passphrase is None:
        raise KeyLocked("this node's key is sealed with a passphrase, and none was given")
    else:
        keys = NodeKeys.from_hex(_parse(unseal(document, passphrase, _PURPOSE_1)))
    with contextlib.suppress(OSError):
        _file_of(keys, passphrase).write(path)
    return keys


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise KeyFileDamaged("the key file cannot be read") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
