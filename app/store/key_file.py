"""``key.json`` on the disk, version 2: slots, and under the key that they wrap the node's own keys, sealed.

``sum`` is a SHA-256 of the rest. A file whose sum does not fit may still open, for the seals are what counts; where it
does not, it is called damaged, and not the passphrase wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.store.durable import write_durably
from app.store.errors import KeyFileDamaged, StoreMissing, WayBackMissing, WrongKey
from app.store.slots import SLOTS_MAX, Slot, seal_under, unseal_under

VERSION = 2
BYTES_MAX = 65_536
_BOUND = b"tomoshibi:node-keys:2"


@dataclass(frozen=True, slots=True)
class KeyFile:
    slots: tuple[Slot, ...]
    sealed: str
    whole: bool = True

    @staticmethod
    def make(slots: Sequence[Slot], slot_key: bytes, secrets: bytes) -> KeyFile:
        return KeyFile(tuple(slots), seal_under(slot_key, secrets, _BOUND))

    @staticmethod
    def from_document(document: dict[str, Any]) -> KeyFile:
        """Raises KeyFileDamaged."""
        listed, sealed = document.get("slots"), document.get("keys")
        if not isinstance(listed, list) or not isinstance(sealed, str) or not 1 <= len(listed) <= SLOTS_MAX:
            raise KeyFileDamaged("the key file lacks its slots or its keys")
        return KeyFile(tuple(map(Slot.from_dict, listed)), sealed, document.get("sum") == _sum(document))

    def of_kind(self, *kinds: str) -> list[Slot]:
        return [slot for slot in self.slots if slot.kind in kinds]

    def open(self, slot_key: bytes) -> bytes:
        """The node's keys, as they were sealed. Raises KeyFileDamaged."""
        return unseal_under(slot_key, self.sealed, _BOUND)

    def with_slots(self, *slots: Slot, without: str | Sequence[str] = ()) -> KeyFile:
        """With these, in place of those of the kinds ``without``."""
        gone = (without,) if isinstance(without, str) else without
        return replace(self, slots=(*(slot for slot in self.slots if slot.kind not in gone), *slots), whole=True)

    def blame(self, error: WrongKey) -> WrongKey | KeyFileDamaged:
        """Why nothing opened: the wrong key, or the file."""
        return error if self.whole else KeyFileDamaged("the key file is damaged: its sum does not fit")

    def require_way_back(self) -> None:
        """A PIN that ten wrong tries can destroy must not be the only way in."""
        if not self.of_kind("file", "passphrase", "pin"):
            raise WayBackMissing("this is the last slot that opens on this machine")
        if self.of_kind("pin") and not self.of_kind("passphrase", "recovery"):
            raise WayBackMissing("a PIN needs a recovery or a passphrase slot beside it")

    def write(self, path: Path) -> None:
        document: dict[str, Any] = {
            "version": VERSION,
            "slots": [slot.as_dict() for slot in self.slots],
            "keys": self.sealed,
        }
        write_durably(path, json.dumps({**document, "sum": _sum(document)}, indent=1).encode() + b"\n")


def load(path: Path) -> dict[str, Any]:
    """The document of either version. Raises StoreMissing, KeyFileDamaged."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(BYTES_MAX))
    except FileNotFoundError as error:
        raise StoreMissing(f"there is no key file at {path}") from error
    except (ValueError, RecursionError) as error:
        raise KeyFileDamaged("the key file cannot be read") from error
    if not isinstance(document, dict) or document.get("version") not in (1, VERSION):
        raise KeyFileDamaged(f"{path.name} is not a key file of this release")
    return document


def read(path: Path) -> KeyFile:
    """A file of version 2; one of version 1 is upgraded where the node is opened."""
    document = load(path)
    if document["version"] != VERSION:
        raise KeyFileDamaged(
            "the key file is of an older release", hint="Start the node once, or run `tomoshibi status`."
        )
    return KeyFile.from_document(document)


def _sum(document: dict[str, Any]) -> str:
    rest = {name: value for name, value in document.items() if name != "sum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
