"""Taking a device out of the city, from the page of devices and from `revoke`; and taking in later what it had written.

Before: a person with the right, or the command line. After: ``node.revoke`` writes the revocation and drops the links;
the gates for new connections ask the same facts.
"""

from __future__ import annotations

from typing import Any

from app.enrol_codes import require_issuer
from app.errors import Conflict
from app.queries import nodes


def revoke(node: Any, node_id: str, until_ms: int | None, reason: str, author: str | None) -> None:
    """Out at once. What had arrived here counts, or of it only what had arrived by ``until_ms``."""
    require_issuer(node)
    if node_id == node.node_id:
        raise Conflict("own_node", "a node does not revoke itself", "Do it on another issuer.")
    if node.replica.is_revoked(bytes.fromhex(node_id)):
        # Not a second revocation: it would accept what came since the first, which may be a thief's.
        raise Conflict("already_revoked", "this device is revoked already", "See what came since, and accept that.")
    accepted = None if until_ms is None else nodes.arrived_until(node.reader(), node_id, until_ms)
    node.revoke(node_id, accepted, reason, author)


def accept(node: Any, node_id: str, author: str | None) -> None:
    """What is here by now of a revoked device counts; it stays revoked, and what comes after this does not count."""
    require_issuer(node)
    found = nodes.revocation(node.reader(), node_id)
    if found is None:
        raise Conflict("not_revoked", "this device is not revoked", "There is nothing to accept.")
    node.revoke(node_id, None, found["reason"] or "", author)
