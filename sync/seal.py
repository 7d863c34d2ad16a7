"""Sealed operations: what is written to a scope's key, who can open it, and how the key itself is handed on. Pure.

Whoever knows a scope's public key seals for it; only who holds its private half opens, and only such a one can prove
that it may replace what stands there. Before: ``authoring`` seals a change as it is numbered. After: ``projector``
opens what this node has the key for. The bytes are in docs/protocol.md, "Sealed operations".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync import limits
from sync.errors import BadChange, BadOperation
from sync.operation import REMOVE, Change, Operation, check_value

KEY_TAG = b"tomoshibi:scope-key:1\0"
GRANT_TAG = b"tomoshibi:grant:1\0"
SEAL_TAG = b"tomoshibi:seal:1\0"
EDIT_TAG = b"tomoshibi:seal-edit:1\0"
WRAP_TAG = b"tomoshibi:wrap:1\0"
FILE_TAG = b"tomoshibi:file:1\0"
OUTER = frozenset({"scope", "epoch", "key", "sealed"})  # what is to be seen of a sealed operation
PAD_BYTES = 64  # a sealed text tells its length only so roughly
SCOPE_CHARS_MAX = 80
EPOCH_MAX = 1 << 31
WRAPPED_BYTES = 1 + 32 + 32 + 16
_ONCE = b"\0" * 12  # the nonce of a key that is used once
_PROOF_BYTES = 16

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class ScopeKey:
    """The public half of a scope's key, of one epoch."""

    scope: str
    epoch: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The name of a key says all of it: two issuers that begin one epoch apart make two keys."""
        return hashlib.sha256(KEY_TAG + _pack([self.scope, self.epoch, self.public])).digest()[:16]


def is_scope_key(scope: object, epoch: object, public: object) -> bool:
    return (
        type(scope) is str
        and 0 < len(scope) <= SCOPE_CHARS_MAX
        and type(epoch) is int
        and 1 <= epoch <= EPOCH_MAX
        and type(public) is bytes
        and len(public) == 32
    )


def public_of(secret: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def grant_id(key: bytes, node: bytes) -> bytes:
    """The record of the grant of a key to a node."""
    return hashlib.sha256(GRANT_TAG + key + node).digest()[:16]


# -- operations --------------------------------------------------------------------------------------


def seal(
    change: Change, key: ScopeKey, secret: bytes | None, node: bytes, author: bytes | None, hlc: int, chance: bytes
) -> Change:
    """The change as it goes into the log. ``secret``: the key's private half, where the writer has it; ``chance``: 32
    random bytes that are used for nothing else.
    """
    outer = {"scope": key.scope, "epoch": key.epoch, "key": key.id}
    header = _header(outer, change.scope, change.kind, change.record, change.type, author, hlc, node)
    proof = _edit_proof(secret, header) if secret is not None else None
    size = len(_pack([1, dict(change.fields), proof, b""]))
    plain = _pack([1, dict(change.fields), proof, b"\0" * (-size % PAD_BYTES)])
    ephemeral = X25519PrivateKey.from_private_bytes(chance)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(key.public))
    public = ephemeral.public_key().public_bytes_raw()
    sealed = public + AESGCM(_derive(shared, SEAL_TAG, public + key.public)).encrypt(_ONCE, plain, header)
    if len(sealed) > limits.TEXT_BYTES_MAX:
        raise BadChange("what is to be sealed is larger than 8 KiB")
    return replace(change, fields={**outer, "sealed": sealed})


def open_sealed(operation: Operation, secret: bytes, node: bytes) -> Operation | None:
    """The operation that was sealed, or None where it was not sealed so: by this node, for this record, to this key.

    Who sealed it without the key's private half could only add: what it names is not replaced, and it removes nothing.
    """
    outer = operation.fields
    header = _header(
        outer, operation.scope, operation.kind, operation.record, operation.type, operation.author, operation.hlc, node
    )
    public, boxed = outer["sealed"][:32], outer["sealed"][32:]
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
        plain = AESGCM(_derive(shared, SEAL_TAG, public + public_of(secret))).decrypt(_ONCE, boxed, header)
        fields, proof = _inner(_unpack(plain))
    except (InvalidTag, ValueError, RecursionError, OverflowError, BadOperation):
        return None  # msgspec's errors, and that of a public key of small order, are ValueErrors
    if type(proof) is bytes and hmac.compare_digest(proof, _edit_proof(secret, header)):
        return replace(operation, fields=fields)
    return None if operation.type == REMOVE else replace(operation, fields=fields, replaces=())


def is_outer(fields: Mapping[str, Any], family: str) -> bool:
    """Whether these are the fields of an operation that is sealed to ``family`` or to one of its scopes."""
    scope = fields.get("scope")
    if not is_scope_key(scope, fields.get("epoch"), b"\0" * 32) or type(scope) is not str:
        return False
    key, sealed = fields.get("key"), fields.get("sealed")
    if type(key) is not bytes or len(key) != 16 or type(sealed) is not bytes or len(sealed) <= 48:
        return False
    return fields.keys() == OUTER and (scope == family or scope.startswith(family + ":"))


def _header(
    outer: Mapping[str, Any],
    scope: bytes,
    kind: str,
    record: bytes,
    type_: int,
    author: bytes | None,
    hlc: int,
    node: bytes,
) -> bytes:
    # Not the number in the stream, nor what is replaced: an own operation of a broken stream is written once more
    # elsewhere, by a node that may not be able to open it. The node is in it, so nobody else can write it again.
    return SEAL_TAG + _pack(
        [outer["scope"], outer["epoch"], outer["key"], scope, kind, record, type_, author, hlc, node]
    )


def _inner(items: Any) -> tuple[dict[str, Any], Any]:
    if type(items) is not list or len(items) != 4 or items[0] != 1 or type(items[1]) is not dict:
        raise BadOperation("what was sealed has another shape")
    fields: dict[str, Any] = items[1]
    if len(fields) > limits.FIELDS_MAX:
        raise BadOperation("there are more than 64 fields")
    check_value(fields, 1)
    return fields, items[2]


def _edit_proof(secret: bytes, header: bytes) -> bytes:
    return hmac.new(_derive(secret, EDIT_TAG, b""), header, hashlib.sha256).digest()[:_PROOF_BYTES]


def _derive(secret: bytes, tag: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=tag + info).derive(secret)


# -- files -------------------------------------------------------------------------------------------


def seal_file(data: bytes, key: bytes) -> bytes:
    """A file as it is kept and travels, under the hash of these bytes. ``key``: 32 random bytes for this file alone."""
    return AESGCM(key).encrypt(_ONCE, data, FILE_TAG)


def open_file(sealed: bytes, key: bytes) -> bytes | None:
    """The file, or None where it is not what was sealed to this key."""
    try:
        return AESGCM(key).decrypt(_ONCE, sealed, FILE_TAG)
    except (InvalidTag, ValueError):
        return None


# -- the keys themselves -----------------------------------------------------------------------------


def wrap(secret: bytes, key: bytes, node: bytes, sealing: bytes, chance: bytes) -> bytes:
    """A scope key's private half, for one node's sealing key. It travels beside the log, where it can be deleted."""
    ephemeral = X25519PrivateKey.from_private_bytes(chance)
    public = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(sealing))
    boxed = AESGCM(_derive(shared, WRAP_TAG, public + sealing)).encrypt(_ONCE, secret, WRAP_TAG + key + node)
    return b"\1" + public + boxed


def unwrap(wrapped: bytes, key: bytes, node: bytes, seed: bytes) -> bytes | None:
    """The private half, or None where the bytes are not for this node and key."""
    if len(wrapped) != WRAPPED_BYTES or wrapped[:1] != b"\1":
        return None
    public, boxed = wrapped[1:33], wrapped[33:]
    try:
        own = X25519PrivateKey.from_private_bytes(seed)
        shared = own.exchange(X25519PublicKey.from_public_bytes(public))
        derived = _derive(shared, WRAP_TAG, public + own.public_key().public_bytes_raw())
        return AESGCM(derived).decrypt(_ONCE, boxed, WRAP_TAG + key + node)
    except (InvalidTag, ValueError):
        return None


def wrapped_name(wrapped: bytes) -> bytes:
    """The hash that a grant names: wrapped bytes are fetched like a file."""
    return hashlib.sha256(wrapped).digest()
