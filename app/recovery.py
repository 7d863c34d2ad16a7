"""The city's recovery key: an X25519 pair out of the root's seed; each device seals its slot key to the public half.

Before: ``birth`` and ``pki init`` have the root, and sign the public half with it; enrolment hands it on
(``enrol_extras``). After: ``unlock`` makes the private half again from the recovery file, where a PIN is gone.
"""

from __future__ import annotations

from typing import Any

from app.errors import CommandFailed
from app.store import meta
from app.store.keys import keep_recovery
from sync import signing
from sync.certificate import Certificate
from sync.errors import BadSignature
from sync.signing import SigningKey

_SEED_TAG = b"tomoshibi:recovery-key:1\0"
_SIGNED_TAG = b"tomoshibi:recovery-public:1\0"
FACT = "recovery"


def seed_of(root_seed: bytes) -> bytes:
    """The private half."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(hashes.SHA256(), 32, salt=None, info=_SEED_TAG).derive(root_seed)


def signed_public(root: SigningKey) -> bytes:
    """The public half, and the root's signature: what every device keeps."""
    public = signing.sealing_public(seed_of(root.seed))
    return public + root.sign(_SIGNED_TAG + public)


def check(root_public: bytes, signed: bytes) -> bytes:
    """The public half. Raises BadSignature unless the city's root signed it."""
    public = signed[:32]
    signing.verify(root_public, signed[32:], _SIGNED_TAG + public)
    return public


def keep(node: Any) -> None:
    """Make the recovery slot where the city's key is known and the slot is not there."""
    signed = meta.read(node.reader(), FACT)
    if signed is None or node.root_public is None:
        return
    keep_recovery(node.folder.keys, node.keys, check(node.root_public, signed))


def take(node: Any, root_public: bytes, signed: bytes) -> None:
    """Keep the city's recovery key, and seal to it at once. Raises BadSignature."""
    public = check(root_public, signed)
    node.local_write(lambda connection: meta.write(connection, FACT, signed))
    node.keep_identity()
    keep_recovery(node.folder.keys, node.keys, public)


# -- the row of enrol_extras --------------------------------------------------------------------


def ask(node: Any) -> bytes | None:
    return None


def answer(node: Any, certificate: Certificate, asked: bytes | None) -> bytes | None:
    return meta.read(node.reader(), FACT)


def adopt(node: Any, root_public: bytes, answered: bytes) -> None:
    try:
        take(node, root_public, answered)
    except BadSignature as error:
        hint = "Check the hub's address; nothing was kept."
        raise CommandFailed("bad_recovery_key", "the hub's recovery key is not of its city", hint) from error
