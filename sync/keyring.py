"""The scope keys that a node knows and those that it can open with: from the grants, the shred orders and what lies
beside the log.

Before: ``projector`` folded a key, a grant or an order. After: the records that a key opens, or no longer opens, are
built anew. Private halves are in memory only; what lies on the disk is wrapped for this node's own sealing key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync import merge, seal
from sync.kinds import GRANTS, OF_SEALING, SCOPE_KEYS, SHRED_ORDERS, Kind
from sync.merge import State
from sync.oplog import Connection
from sync.projection import Projection
from sync.seal import ScopeKey


@dataclass(frozen=True, slots=True)
class Grant:
    """A key that was granted to a node. ``wrapped``: the hashes of its bytes, wrapped for that node."""

    key: bytes
    member: bytes
    sealing: bytes
    wrapped: tuple[bytes, ...]


@dataclass(slots=True)
class Keyring:
    """``banned``: keys that an order has destroyed which this store may not know (any more). ``closed``: nothing is
    opened, because this store may be older than such an order.
    """

    connection: Connection
    node: bytes
    seed: bytes | None = field(repr=False)  # of the sealing key; None: this store opens nothing
    banned: frozenset[bytes] = frozenset()
    closed: bool = False
    known: dict[bytes, ScopeKey] = field(default_factory=dict)
    grants: dict[bytes, Grant] = field(default_factory=dict)
    orders: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    secrets: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    def load(self, projection: Projection) -> None:
        """Read what is kept in memory from the tables."""
        for about in (self.known, self.grants, self.orders):
            about.clear()
        for kind in OF_SEALING:
            for _, record, row in projection.rows(kind):
                self._note(kind, record, merge.unpack(kind, row.state, row.values), row.values)
        self.refresh()

    def note(self, kind: Kind, record: bytes, state: State) -> set[bytes]:
        """A record of keys, grants or orders changed. The keys that open more or less than before."""
        self._note(kind, record, state, merge.shown(kind, state).values)
        return self.refresh()

    def refresh(self) -> set[bytes]:
        """Open what can be opened; the keys of which that changed. What was shredded is deleted."""
        before = dict(self.secrets)
        gone = self.shredded
        names = [name for grant in self.grants.values() if grant.key in gone for name in grant.wrapped]
        for name in names:
            self.connection.execute("DELETE FROM wrapped_key WHERE name = ?", (name,))
        self.secrets = {} if self.closed or self.seed is None else self._opened(gone)
        return {key for key in before.keys() | self.secrets.keys() if before.get(key) != self.secrets.get(key)}

    @property
    def shredded(self) -> frozenset[bytes]:
        return self.banned.union(*self.orders.values())

    def current(self, scope: str) -> ScopeKey | None:
        """The key that is sealed to now: of the newest epoch (of two the greater name), and not shredded."""
        gone = self.shredded
        found = [key for id_, key in self.known.items() if key.scope == scope and id_ not in gone]
        return max(found, key=lambda key: (key.epoch, key.id), default=None)

    def of_scope(self, scope: str) -> list[ScopeKey]:
        """Every key of a scope that was not shredded, the oldest first."""
        gone = self.shredded
        found = [key for id_, key in self.known.items() if key.scope == scope and id_ not in gone]
        return sorted(found, key=lambda key: (key.epoch, key.id))

    def members(self, key: bytes) -> dict[bytes, bytes]:
        """The nodes that a key was granted to, with their public sealing keys."""
        return {grant.member: grant.sealing for grant in self.grants.values() if grant.key == key}

    def holds(self, scope: str) -> bool:
        """Whether this node can open what is sealed to a scope now."""
        key = self.current(scope)
        return key is not None and key.id in self.secrets

    # -- below -----------------------------------------------------------------------------------

    def _note(self, kind: Kind, record: bytes, state: State, values: Mapping[str, Any]) -> None:
        if kind.name == SCOPE_KEYS.name:
            self._note_key(record, values)
        elif kind.name == GRANTS.name:
            self._note_grant(record, state, values)
        elif kind.name == SHRED_ORDERS.name:
            keys = values.get("keys")
            listed = keys if type(keys) is list else []
            self.orders[record] = frozenset(key for key in listed if type(key) is bytes)

    def _note_key(self, record: bytes, values: Mapping[str, Any]) -> None:
        scope, epoch, public = (values.get(name) for name in ("for_scope", "epoch", "public"))
        self.known.pop(record, None)
        if seal.is_scope_key(scope, epoch, public):
            key = ScopeKey(str(scope), int(str(epoch)), bytes(public or b""))
            if key.id == record:
                self.known[record] = key

    def _note_grant(self, record: bytes, state: State, values: Mapping[str, Any]) -> None:
        key, member, sealing = (values.get(name) for name in ("key", "member", "sealing"))
        self.grants.pop(record, None)
        if type(key) is not bytes or type(member) is not bytes or type(sealing) is not bytes or len(sealing) != 32:
            return
        if seal.grant_id(key, member) == record:
            names = sorted(head[3] for head in state.heads.get("wrapped", ()) if type(head[3]) is bytes)
            self.grants[record] = Grant(key, member, sealing, tuple(names))

    def _opened(self, gone: frozenset[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for grant in self.grants.values():
            if grant.member == self.node and grant.key not in gone and grant.key in self.known:
                secret = self.secrets.get(grant.key) or self._unwrapped(grant.key, grant.wrapped)
                if secret is not None:
                    found[grant.key] = secret
        return found

    def _unwrapped(self, key: bytes, names: Iterable[bytes]) -> bytes | None:
        assert self.seed is not None
        for name in names:
            row = self.connection.execute("SELECT bytes FROM wrapped_key WHERE name = ?", (name,)).fetchone()
            secret = seal.unwrap(bytes(row[0]), key, self.node, self.seed) if row is not None else None
            if secret is not None and seal.public_of(secret) == self.known[key].public:
                return secret
        return None
