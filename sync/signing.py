"""Keys, names and signature domains (docs/protocol.md §1, §3).

One domain tag for each use: a signature never fits another.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.errors import BadSignature

ROOT_TAG = b"tomoshibi:root:1\0"
NODE_TAG = b"tomoshibi:node:1\0"
ORIGIN_TAG = b"tomoshibi:origin:1\0"
STREAM_TAG = b"tomoshibi:stream:1\0"
SERIES_TAG = b"tomoshibi:series:1\0"
SERIES_LETTERS = "abcdefghjkmnpqrstuvwxyz"  # without i, l, o: they are read aloud
LOG_TAG = b"tomoshibi:log:1\0"
CERTIFICATE_TAG = b"tomoshibi:certificate:1\0"
HELLO_TAG = b"tomoshibi:hello:1\0"


def _name(tag: bytes, rest: bytes) -> bytes:
    return hashlib.sha256(tag + rest).digest()[:16]


def root_fingerprint(root_public: bytes) -> bytes:
    return _name(ROOT_TAG, root_public)


def node_id_of(device_public: bytes) -> bytes:
    return _name(NODE_TAG, device_public)


def origin_of(node_id: bytes, incarnation: bytes) -> bytes:
    return _name(ORIGIN_TAG, node_id + incarnation)


def series_of(incarnation: bytes) -> str:
    """Two letters that keep the numbers of a store that was put back apart from those given before: 1 in 529 agree."""
    first, second = hashlib.sha256(SERIES_TAG + incarnation).digest()[:2]
    return SERIES_LETTERS[first % len(SERIES_LETTERS)] + SERIES_LETTERS[second % len(SERIES_LETTERS)]


def chain_seed(stream: bytes) -> bytes:
    return hashlib.sha256(STREAM_TAG + stream).digest()


def chain(head: bytes, bodies: list[bytes]) -> bytes:
    """The chain value after ``bodies``."""
    sha256 = hashlib.sha256
    for body in bodies:
        head = sha256(head + body).digest()
    return head


def log_message(stream: bytes, seq: int, head: bytes) -> bytes:
    return LOG_TAG + stream + seq.to_bytes(8, "big") + head


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key: the city's root or a device."""

    seed: bytes = field(repr=False)

    @functools.cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)  # takes longer than to sign

    @staticmethod
    def generate() -> SigningKey:
        return SigningKey(Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def sealing_public(seed: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def verify(public: bytes, signature: bytes, message: bytes) -> None:
    """Raise BadSignature unless ``signature`` is of ``message`` by ``public``."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise BadSignature("the signature does not fit") from error
