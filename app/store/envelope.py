"""A secret under a passphrase: argon2id makes a key, AES-256-GCM seals with it, parameters beside."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from app.store.errors import KeyFileDamaged, WrongKey

# RFC 9106's second recommendation: 129 ms on the slowest of our machines, and it fits a tablet's memory.
MEMORY_KIB, TIME, LANES = 65_536, 3, 4
MEMORY_KIB_MAX, TIME_MAX, LANES_MAX = 1_048_576, 16, 16
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
SECRET_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # read from paper: without 0 O 1 I L
_SECRET = re.compile(f"[{SECRET_ALPHABET}]{{32}}")


def new_secret() -> str:
    """A secret to be printed once: thirty-two signs of 31, 158 bits, in groups of four."""
    signs = [secrets.choice(SECRET_ALPHABET) for _ in range(32)]
    return "-".join("".join(signs[at : at + 4]) for at in range(0, 32, 4))


def as_passphrase(line: bytes) -> bytes:
    """What a typed line opens: of a printed secret its signs only, however they were grouped; else the line itself."""
    signs = re.sub(r"[\s-]", "", line.decode("utf-8", "replace")).upper()
    return signs.encode() if _SECRET.fullmatch(signs) else line


def seal(secret: bytes, passphrase: bytes, purpose: str) -> dict[str, Any]:
    """Seal ``secret``; ``purpose`` is bound in, so that an envelope of one use never opens as another's."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    kdf = {"name": "argon2id", "memory_kib": MEMORY_KIB, "time": TIME, "lanes": LANES, "salt": salt.hex()}
    sealed = AESGCM(_derive(passphrase, kdf)).encrypt(nonce, secret, _bound(purpose, kdf))
    return {"kdf": kdf, "cipher": "aes-256-gcm", "sealed": base64.b64encode(nonce + sealed).decode()}


def unseal(envelope: Mapping[str, Any], passphrase: bytes, purpose: str) -> bytes:
    """The secret. Raises WrongKey where the passphrase does not fit, KeyFileDamaged for no envelope."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        kdf, data = dict(envelope["kdf"]), base64.b64decode(envelope["sealed"], validate=True)
        key = _derive(passphrase, kdf)
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise KeyFileDamaged("the sealed key file cannot be read") from error
    try:
        return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], _bound(purpose, kdf))
    except InvalidTag as error:
        raise WrongKey("the passphrase does not open the key") from error
    except ValueError as error:
        raise KeyFileDamaged("the sealed key file is too short") from error


def _derive(passphrase: bytes, kdf: Mapping[str, Any]) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    memory, time, lanes = int(kdf["memory_kib"]), int(kdf["time"]), int(kdf["lanes"])
    # The file may have been exchanged: it must not make this machine spend all its memory.
    if not (8 <= memory <= MEMORY_KIB_MAX and 1 <= time <= TIME_MAX and 1 <= lanes <= LANES_MAX):
        raise ValueError("parameters out of range")
    salt = bytes.fromhex(kdf["salt"])
    try:
        return hash_secret_raw(passphrase, salt, time, memory, lanes, KEY_BYTES, Type.ID)
    except HashingError as error:
        raise ValueError(str(error)) from error


def _bound(purpose: str, kdf: Mapping[str, Any]) -> bytes:
    return purpose.encode() + b"\0" + json.dumps(kdf, sort_keys=True).encode()
