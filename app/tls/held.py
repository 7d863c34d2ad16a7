"""What a node holds for TLS: facts of its `meta`, so encrypted with the store, in its backups, and never in a file.

Before: birth, enrolment and `pki init` write them. After: ``own`` serves and calls with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.serialization import load_der_private_key

from app.pki import authority, leaf, peer
from app.pki.authority import Authority, Key
from app.pki.peer import Peer
from app.store import meta
from app.store.engine import Connection


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing is held of what is empty. A key before its leaf is one that waits for an answer."""

    authority: bytes = b""  # the city's, DER
    endorsement: bytes = b""  # by the city's root
    key: bytes = field(default=b"", repr=False)  # PKCS#8
    leaf: bytes = b""
    above: bytes = b""  # the issuing authority that signed the leaf
    issuing: bytes = b""  # this node's own issuing authority
    issuing_key: bytes = field(default=b"", repr=False)

    @property
    def chain(self) -> tuple[bytes, bytes] | None:
        return (self.leaf, self.above) if self.leaf and self.key else None

    @property
    def own(self) -> Peer | None:
        """What this node's leaf says of it."""
        return peer.read(self.leaf) if self.leaf else None

    @property
    def issuer(self) -> Authority | None:
        if not self.issuing:
            return None
        return Authority(peer.load(self.issuing), self.issuing_private)

    @property
    def issuing_private(self) -> Key:
        return _key_of(self.issuing_key)

    @property
    def private(self) -> Key:
        return _key_of(self.key)

    def facts(self) -> dict[str, bytes]:
        return {f"tls_{name}": getattr(self, name) for name in self.__slots__}

    def write(self, connection: Connection) -> None:
        for name, value in self.facts().items():
            meta.write(connection, name, value)

    def with_key(self) -> Held:
        return self if self.key else replace(self, key=authority.key_bytes(authority.new_key()))

    def renewed(self, node_id: bytes, label: str, names: tuple[str, ...], now_ms: int, *, hub: bool) -> Held:
        """An issuer gives itself a leaf: with no network, and without the root."""
        issuer, keyed = self.issuer, self.with_key()
        assert issuer is not None
        made = leaf.issue_node(issuer, keyed.private.public_key(), node_id, label, now_ms, hub=hub, names=names)
        return replace(keyed, leaf=made, above=self.issuing)


def read(connection: Connection) -> Held:
    return Held(**{name: meta.read(connection, f"tls_{name}") or b"" for name in Held.__slots__})


def of_root(root_seed: bytes, node_id: bytes, before: Held | None = None) -> Held:
    """The city's authority, and an issuing authority for this node below it. The root is needed once, here."""
    key = authority.new_key()
    return replace(
        before or Held(),
        authority=authority.city_authority(root_seed).der,
        endorsement=authority.endorse(root_seed),
        issuing=authority.issue_intermediate(root_seed, key.public_key(), node_id),
        issuing_key=authority.key_bytes(key),
    )


def _key_of(der: bytes) -> Key:
    key = load_der_private_key(der, None)
    assert isinstance(key, authority.Key)
    return key
