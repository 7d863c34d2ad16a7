"""The slots of a key file: each wraps, in its own way, the one key under which a node's keys are sealed. No disk here.

``file`` holds that key in clear; ``passphrase`` seals it with argon2id; ``recovery`` seals it to the city's X25519 key,
whose private half comes out of the recovery file; ``pin`` is a passphrase envelope that is sealed once more with the
device secret (``device_secret``), so that a guess needs both, and that can be turned to a new device secret without
the PIN.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.store.envelope import seal, unseal
from app.store.errors import KeyFileDamaged, WrongKey

KINDS = ("file", "passphrase", "pin", "recovery")
SLOTS_MAX = 16
NONCE_BYTES = 12
_PURPOSE = "tomoshibi:slot:1"
_RECOVERY_TAG = b"tomoshibi:slot:recovery:1\0"


@dataclass(frozen=True, slots=True)
class Slot:
    id: str
    kind: str
    made_ms: int
    content: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "made_ms": self.made_ms, **self.content}

    @staticmethod
    def from_dict(document: Any) -> Slot:
        """Raises KeyFileDamaged."""
        try:
            rest = dict(document)
            slot = Slot(str(rest.pop("id")), str(rest.pop("kind")), int(rest.pop("made_ms")), rest)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise KeyFileDamaged("a slot of the key file cannot be read") from error
        if slot.kind not in KINDS:
            raise KeyFileDamaged("the key file has a slot of a kind that this release does not know")
        return slot

    @property
    def bound(self) -> bytes:
        return f"{_PURPOSE}:{self.kind}:{self.id}".encode()


def in_clear(key: bytes, now_ms: int) -> Slot:
    return Slot(_new_id(), "file", now_ms, {"key": key.hex()})


def of_passphrase(key: bytes, passphrase: bytes, now_ms: int) -> Slot:
    slot = Slot(_new_id(), "passphrase", now_ms, {})
    return replace(slot, content=seal(key, passphrase, slot.bound.decode()))


def of_pin(key: bytes, pin: bytes, device_secret: bytes, tries: int, now_ms: int) -> Slot:
    slot = Slot(_new_id(), "pin", now_ms, {})
    inner = json.dumps(seal(key, pin, slot.bound.decode())).encode()
    return _outer(slot, inner, device_secret, tries)


def of_recovery(key: bytes, public: bytes, now_ms: int) -> Slot:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    slot = Slot(_new_id(), "recovery", now_ms, {})
    ephemeral = X25519PrivateKey.generate()
    once = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    sealed = seal_under(_mixed(shared, once, public), key, slot.bound)
    return replace(slot, content={"public": public.hex(), "once": once.hex(), "sealed": sealed})


def open_clear(slot: Slot) -> bytes:
    return _hex(slot, "key")


def open_passphrase(slot: Slot, passphrase: bytes) -> bytes:
    """Raises WrongKey, KeyFileDamaged."""
    return unseal(slot.content, passphrase, slot.bound.decode())


def open_recovery(slot: Slot, seed: bytes) -> bytes:
    """Raises WrongKey where the recovery key is another city's, KeyFileDamaged."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    private = X25519PrivateKey.from_private_bytes(seed)
    public, once = private.public_key().public_bytes_raw(), _hex(slot, "once")
    if public != _hex(slot, "public"):
        raise WrongKey("the recovery file is not of this node's city", hint="Take the recovery file of its city.")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(once))
    except ValueError as error:
        raise KeyFileDamaged("the recovery slot cannot be read") from error
    return unseal_under(_mixed(shared, once, public), slot.content.get("sealed"), slot.bound)


def open_pin(inner: bytes, slot: Slot, pin: bytes) -> bytes:
    """The key out of what ``uncovered`` gave. Raises WrongKey, KeyFileDamaged."""
    try:
        envelope = json.loads(inner)
    except ValueError as error:
        raise KeyFileDamaged("the PIN's slot cannot be read") from error
    return unseal(envelope, pin, slot.bound.decode())


def uncovered(slot: Slot, device_secret: bytes, tries: int) -> bytes:
    """What the device secret alone opens of a PIN's slot. Raises KeyFileDamaged where it is another secret."""
    return unseal_under(device_secret, slot.content.get("sealed"), _with_tries(slot, tries))


def turned(slot: Slot, inner: bytes, device_secret: bytes, tries: int) -> Slot:
    """The same PIN's slot under a new device secret and count: what lay under the old one never opens again."""
    return _outer(slot, inner, device_secret, tries)


def seal_under(key: bytes, secret: bytes, bound: bytes) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, secret, bound)).decode()


def unseal_under(key: bytes, sealed: Any, bound: bytes) -> bytes:
    """Raises KeyFileDamaged: whoever has a key of 32 random bytes has the right one."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        data = base64.b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
    except (InvalidTag, TypeError, ValueError, binascii.Error) as error:
        raise KeyFileDamaged("what the key file seals does not open with its own key") from error


def _outer(slot: Slot, inner: bytes, device_secret: bytes, tries: int) -> Slot:
    return replace(slot, content={"sealed": seal_under(device_secret, inner, _with_tries(slot, tries))})


def _with_tries(slot: Slot, tries: int) -> bytes:
    return slot.bound + b":" + str(tries).encode()


def _mixed(shared: bytes, once: bytes, public: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(hashes.SHA256(), 32, salt=None, info=_RECOVERY_TAG + once + public).derive(shared)


def _hex(slot: Slot, name: str) -> bytes:
    try:
        value = bytes.fromhex(slot.content[name])
    except (KeyError, TypeError, ValueError) as error:
        raise KeyFileDamaged("a slot of the key file cannot be read") from error
    if len(value) != 32:
        raise KeyFileDamaged("a key in a slot has another length")
    return value


def _new_id() -> str:
    return os.urandom(4).hex()
