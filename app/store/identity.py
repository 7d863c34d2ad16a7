"""Who a node is, once more beside its store: name, role, certificate, the city's root, the hub. For ``mend`` alone.

Sealed with the data key, for a lost tablet tells nothing. Written when it changes; the store's `meta` is what counts.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec

from app.store import meta
from app.store.durable import write_durably
from app.store.engine import Connection

_OF_TLS = ("authority", "endorsement", "key", "leaf", "above", "issuing", "issuing_key")
_OF_NODE = ("name", "role", "certificate", "root_public", "hub_url", "hub_node", "recovery")
NAMES = (*_OF_NODE, *(f"tls_{name}" for name in _OF_TLS))
_TAG, _NONCE_BYTES = b"tomoshibi:identity:1\0", 12


def keep(path: Path, data_key: bytes, connection: Connection) -> None:
    """Write what `meta` says where the file says otherwise. A full disk is no reason not to start."""
    facts = {name: value for name in NAMES if (value := meta.read(connection, name)) is not None}
    if facts != read(path, data_key):
        with contextlib.suppress(OSError):
            write(path, data_key, facts)


def write(path: Path, data_key: bytes, facts: dict[str, bytes]) -> None:
    nonce = os.urandom(_NONCE_BYTES)
    write_durably(path, nonce + _cipher(data_key).encrypt(nonce, msgspec.msgpack.encode(facts), _TAG))


def read(path: Path, data_key: bytes) -> dict[str, bytes]:
    """What was kept; nothing where the file is missing or damaged."""
    from cryptography.exceptions import InvalidTag

    try:
        data = path.read_bytes()
        plain = _cipher(data_key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _TAG)
    except (OSError, InvalidTag, ValueError):
        return {}
    return msgspec.msgpack.decode(plain, type=dict[str, bytes])


def _cipher(data_key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.blake2b(_TAG, key=data_key, digest_size=32).digest())
