"""A city's TLS authority with a hub and a tablet, all in memory."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass

from app.pki import authority, leaf, peer
from app.pki.authority import Authority, Key

NOW = 1_790_000_000_000
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Holder:
    """A node with its key and the chain that it shows."""

    node_id: bytes
    key: Key
    chain: tuple[bytes, bytes]


@dataclass(frozen=True)
class City:
    seed: bytes
    root: bytes  # DER
    hub_id: bytes
    issuer: Authority

    def node(self, name: str, *, hub: bool = False, now: int = NOW, names: tuple[str, ...] = ()) -> Holder:
        node_id = self.hub_id if hub else ident(name)
        key = authority.new_key()
        made = leaf.issue_node(self.issuer, key.public_key(), node_id, name, now, hub=hub, names=names)
        return Holder(node_id, key, (made, self.issuer.der))


def ident(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()[:16]


@functools.cache
def city(name: str = "戸田") -> City:
    seed = hashlib.sha256(name.encode()).digest()
    hub_id, key = ident(name + " hub"), authority.new_key()
    issuing = authority.issue_intermediate(seed, key.public_key(), hub_id)
    return City(seed, authority.city_authority(seed).der, hub_id, Authority(peer.load(issuing), key))
