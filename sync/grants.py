"""What an issuer does with scope keys: begin an epoch, grant, turn the key away from a lost device, order a shredding.

Each is a job of the writer. Before: ``grant``, ``revoke`` or ``shred`` asked for it. After: the operations are in the
log, and the wrapped bytes beside it (``wrapped_key``), from where the application gives them to the other nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sync import seal
from sync.authoring import Recorded
from sync.errors import BadChange, NoScopeKey
from sync.kinds import GRANTS, SCOPE_KEYS, SHRED_ORDERS
from sync.operation import CITY, Change
from sync.seal import ScopeKey

if TYPE_CHECKING:
    from sync.replica import Replica


def begin(replica: Replica, scope: str, members: Mapping[bytes, bytes], author: bytes | None) -> ScopeKey:
    """A new epoch of a scope's key, granted to ``members`` (node id -> public sealing key)."""
    secret = replica.random(32)
    epochs = [key.epoch for key in replica.keyring.known.values() if key.scope == scope]
    key = ScopeKey(scope, max(epochs, default=0) + 1, seal.public_of(secret))
    fields = {"for_scope": key.scope, "epoch": key.epoch, "public": key.public}
    changes = [Change(SCOPE_KEYS.name, key.id, CITY, fields)]
    changes += [_granted(replica, key.id, secret, node, sealing) for node, sealing in sorted(members.items())]
    _write(replica, changes, author)
    return key


def grant(replica: Replica, scope: str, node: bytes, sealing: bytes, author: bytes | None) -> int:
    """Let a node open what is sealed to a scope, also what was sealed before. How many epochs are new to it.

    Raises NoScopeKey where this node has none of the scope's keys itself.
    """
    keyring = replica.keyring
    held = [key for key in keyring.of_scope(scope) if key.id in keyring.secrets]
    if not held:
        raise NoScopeKey(f"this node cannot open what is sealed to {scope}, so it cannot let others")
    changes = [
        _granted(replica, key.id, keyring.secrets[key.id], node, sealing)
        for key in held
        if node not in keyring.members(key.id)
    ]
    if changes:
        _write(replica, changes, author)
    return len(changes)


def rotate_away(replica: Replica, node: bytes, author: bytes | None) -> list[ScopeKey]:
    """After a revocation: of each scope that the device could open, a new key for those who remain."""
    held = replica.identity.certificate
    if held is None or "enrol" not in held.capabilities:
        return []
    keyring = replica.keyring
    scopes = sorted({key.scope for key in keyring.known.values()})
    begun: list[ScopeKey] = []
    for scope in scopes:
        current = keyring.current(scope)
        if current is not None and node in keyring.members(current.id):
            begun.append(begin(replica, scope, _remaining(replica, current.id), author))
    return begun


def order(
    replica: Replica, record: bytes, scope: str, epochs: Collection[int] | None, reason: str, author: bytes | None
) -> list[ScopeKey]:
    """Order that the keys of a scope (None: of all its epochs) are destroyed everywhere. What was sealed to them can
    be opened by nobody again. Where the newest goes, another is begun, so that sealing goes on.

    Raises BadChange where there is no such key.
    """
    keyring = replica.keyring
    doomed = [key for key in keyring.of_scope(scope) if epochs is None or key.epoch in epochs]
    if not doomed:
        raise BadChange(f"{scope} has no such epoch that is not destroyed", hint="See `tomoshibi grants`.")
    current = keyring.current(scope)
    members = _remaining(replica, current.id) if current in doomed and current is not None else None
    fields = {"keys": [key.id for key in doomed], "reason": reason}
    _write(replica, [Change(SHRED_ORDERS.name, record, CITY, fields, expects="absent")], author)
    if members is not None:
        begin(replica, scope, members, author)
    return doomed


def sealing_of(replica: Replica, node: bytes) -> bytes | None:
    """The public sealing key of a node, from the newest certificate in its streams."""
    found = [held for stream in replica.streams.values() if stream.node == node for _, held in stream.certificates]
    newest = max(found, key=lambda held: (held.issued_ms, held.serial), default=None)
    return newest.sealing if newest is not None else None


def _remaining(replica: Replica, key: bytes) -> dict[bytes, bytes]:
    """The members of a key that are not revoked, with their sealing keys."""
    members = replica.keyring.members(key)
    return {node: sealing for node, sealing in members.items() if not replica.is_revoked(node)}


def _granted(replica: Replica, key: bytes, secret: bytes, node: bytes, sealing: bytes) -> Change:
    wrapped = seal.wrap(secret, key, node, sealing, replica.random(32))
    name = seal.wrapped_name(wrapped)
    replica.connection.execute("INSERT OR IGNORE INTO wrapped_key VALUES (?, ?)", (name, wrapped))
    fields = {"key": key, "member": node, "sealing": sealing, "wrapped": name}
    return Change(GRANTS.name, seal.grant_id(key, node), CITY, fields, replaces=None)


def _write(replica: Replica, changes: list[Change], author: bytes | None) -> None:
    result = replica.record(changes, author)
    if not isinstance(result, Recorded):
        raise BadChange("this was written already")
