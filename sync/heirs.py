"""Who may go on when hub and root are gone: an ordered list that the root signs, with a sleeping certificate for each.

Each heir's certificate (and what else it needs) is boxed for that device's sealing key, so it travels by sync like any
record and only its heir can wake it. Pure. Before: ``app/heirs`` has the root for a moment. After: the same room, on
the heir. The bytes are in docs/protocol-enrolment.md, "Heirs".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync import seal, signing
from sync.errors import BadSignature
from sync.signing import SigningKey

HEIRS_TAG = b"tomoshibi:heirs:1\0"
HEIRS_MAX = 6
BOX_BYTES_MAX = 2_400  # six of them fit into a body
_BOX_KEY = b"tomoshibi:heir\0\0"
_ONCE = b"\0" * 12  # the nonce of a key that is used once

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Heir:
    node: bytes
    box: bytes


@dataclass(frozen=True, slots=True)
class HeirList:
    """The first takes over before the second. ``number`` grows: of two lists the later one holds."""

    number: int
    heirs: tuple[Heir, ...]
    signature: bytes

    @staticmethod
    def make(root: SigningKey, number: int, heirs: Sequence[Heir]) -> HeirList:
        if len(heirs) > HEIRS_MAX or any(len(heir.box) > BOX_BYTES_MAX for heir in heirs):
            raise ValueError("the list has no room for that")
        return HeirList(number, tuple(heirs), root.sign(_message(number, heirs)))

    def to_field(self) -> list[Any]:
        return [self.number, [[heir.node, heir.box] for heir in self.heirs], self.signature]

    @staticmethod
    def read(value: Any, root_public: bytes) -> HeirList | None:
        """The list of a record's field, or None where it is not one that this root has signed."""
        if type(value) is not list or len(value) != 3 or type(value[0]) is not int or type(value[1]) is not list:
            return None
        heirs = []
        for item in value[1]:
            if type(item) is not list or len(item) != 2 or not all(type(part) is bytes for part in item):
                return None
            heirs.append(Heir(*item))
        try:
            signing.verify(root_public, value[2], _message(value[0], heirs))
        except BadSignature:
            return None
        return HeirList(value[0], tuple(heirs), value[2])


def box(payload: bytes, node: bytes, sealing: bytes, chance: bytes) -> bytes:
    """What only the device with this sealing key can open. ``chance``: 64 random bytes, used for nothing else."""
    key, ephemeral = chance[:32], chance[32:]
    return seal.wrap(key, _BOX_KEY, node, sealing, ephemeral) + AESGCM(key).encrypt(_ONCE, payload, HEIRS_TAG + node)


def unbox(boxed: bytes, node: bytes, seed: bytes) -> bytes | None:
    """The payload, or None where the box is not for this device."""
    key = seal.unwrap(boxed[: seal.WRAPPED_BYTES], _BOX_KEY, node, seed)
    if key is None:
        return None
    try:
        return AESGCM(key).decrypt(_ONCE, boxed[seal.WRAPPED_BYTES :], HEIRS_TAG + node)
    except (InvalidTag, ValueError):
        return None


def _message(number: int, heirs: Sequence[Heir]) -> bytes:
    return HEIRS_TAG + _pack([number, [[heir.node, hashlib.sha256(heir.box).digest()] for heir in heirs]])
