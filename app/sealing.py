"""What a node does about sealed scopes: begin HQ's key, bring wrapped keys to where they open, carry out shred orders.

Before: a commit brought a key, a grant or an order. After: ``sync/keyring`` opens what there is a key for. Wrapped keys
travel as files (``blobs``), named by the grants; the file ``shredded.json`` beside the store remembers what was
destroyed, so that a store which is put back does not open it again.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from app.errors import CommandFailed
from app.queries import drafts, grants
from app.records import damage_report_people, shred_receipts
from app.store import engine, meta
from app.threads import in_native_thread
from sync import grants as issuing
from sync.blobs import KEY_TYPE
from sync.certificate import Certificate
from sync.replica import Replica
from sync.seal import WRAPPED_BYTES

if TYPE_CHECKING:
    from app.effects import Changed
    from app.node import Node

HQ = damage_report_people.SCOPE
CLOSED = "sealed_closed"  # in `meta`: the store was put back, and nothing sealed is opened before it has heard others
HEARD_OUT_MS = 10_000  # of a link, without anything new: then there was no order that this store had not heard of
_MOVED_BY = frozenset({"scope-keys", "grants", "shred-orders"})
log = logging.getLogger(__name__)


class Sealing:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._one_at_a_time = threading.Lock()  # an order is carried out by its command and by the effect of its commit
        self._quiet_since: tuple[int, int] | None = None  # (position of the log, since when nothing came)

    # -- beginning -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Before anything is shown: what the file beside the store says is destroyed, this store must not show."""
        if self._node.folder.shredded_keys() - grants.shredded(self._node.replica.connection):
            self._set_closed(self.closed)
        self._begin_hq()

    def _begin_hq(self) -> None:
        """The first hub makes HQ's key, for itself: at its birth, or at the first start of this release."""
        node, held = self._node, self._node.certificate
        if not node.is_hub or held is None or "enrol" not in held.capabilities:
            return
        if not any(key.scope == HQ for key in tuple(node.replica.keyring.known.values())):
            members = {held.node_id: held.sealing}
            node.writer.call(lambda replica: issuing.begin(replica, HQ, members, None))

    # -- keys and orders, after a commit ---------------------------------------------------------

    def after_commit(self, changed: Changed, moved: Sequence[bytes]) -> None:
        if moved or any(kind in _MOVED_BY for kind, _, _ in changed):
            self.settle()

    def settle(self) -> None:
        """Carry out what is ordered, and bring wrapped keys to where they are looked for. Safe to run again."""
        with self._one_at_a_time:
            self._settle()

    def _settle(self) -> None:
        node = self._node
        db = node.reader()
        gone = grants.shredded(db) | node.folder.shredded_keys()
        self._carry_out(gone)
        live = [one for one in grants.wrapped(db) if one.key not in gone]
        here = grants.kept_here(db, (one.name for one in live))
        for wrapped in here.values():
            node.blobs.put(wrapped, KEY_TYPE)
        mine = [one.name for one in live if one.member.hex() == node.node_id and one.name not in here]
        come = [node.blobs.read(name.hex()) for name in mine if node.blobs.has(name.hex())]
        if come:
            node.writer.call(lambda replica: replica.keep_wrapped(come), 0)

    def wanted(self) -> list[tuple[bytes, int]]:
        """(name, size) of the wrapped keys that every node holds for every other: any peer can bring them."""
        db = self._node.reader()
        gone = grants.shredded(db) | self._node.folder.shredded_keys()
        return [(one.name, WRAPPED_BYTES) for one in grants.wrapped(db) if one.key not in gone]

    def named(self) -> set[str]:
        """The files that are not to be cleaned away."""
        return {name.hex() for name, _ in self.wanted()}

    # -- shredding -------------------------------------------------------------------------------

    def _carry_out(self, gone: frozenset[bytes]) -> None:
        """Destroy keys and what they had opened, then say so. The tables were written in the order's own commit."""
        node = self._node
        if gone - node.folder.shredded_keys():
            node.folder.note_shredded(gone)
        names = [one.name for one in grants.wrapped(node.reader()) if one.key in gone]
        if here := node.blobs.whole_among(names):
            node.blobs.delete_all(sorted(here))
        told = [order for order in grants.orders(node.reader()) if node.node_id not in order.receipts]
        if told and node.enrolled:
            node.local_write(lambda db: drafts.forget_fields(db, damage_report_people.FIELDS))
            self._scrub()
            node.write([shred_receipts.carried_out(order.id, node.node_id) for order in told], None)

    def _scrub(self) -> None:
        """What was deleted was overwritten (`secure_delete`); the log of changes before that is folded and emptied."""
        for path, key in self._node.stores():
            if not in_native_thread(partial(engine.empty_log, path, key)):
                log.warning("%s was read meanwhile: its log is emptied at the next start", path.name)

    # -- a store that was put back ---------------------------------------------------------------

    def holds(self, scope: str = HQ) -> bool:
        """Whether this node can open what is sealed to a scope."""
        return self._node.replica.keyring.holds(scope)

    @property
    def closed(self) -> bool:
        return self._node.replica.sealed_closed

    def open(self) -> None:
        self._set_closed(False)
        self.settle()

    def hear(self, connected: bool) -> None:
        """Each second: open again when a peer was there for a while and had nothing more to tell."""
        if not self.closed:
            return
        now, position = self._node.wall(), self._node.published().position
        if not connected or self._quiet_since is None or self._quiet_since[0] != position:
            self._quiet_since = (position, now) if connected else None
        elif now - self._quiet_since[1] >= HEARD_OUT_MS:
            log.info("the other nodes were heard: what is sealed is opened again")
            self.open()

    def _set_closed(self, closed: bool) -> None:
        destroyed = self._node.folder.shredded_keys()

        def job(replica: Replica) -> None:
            meta.write(replica.connection, CLOSED, b"1" if closed else b"")
            replica.open_again(destroyed, closed=closed)

        self._node.writer.call(job, 0)

    # -- what commands ask for -------------------------------------------------------------------

    def grant(self, node_id: bytes, scope: str = HQ, *, certificate: Certificate | None = None) -> int:
        """Let a node open what is sealed to a scope. How many epochs are new to it.

        ``certificate``: of a device that has written nothing yet. Raises CommandFailed, sync.errors.NoScopeKey.
        """
        self._require_issuer()
        sealing = certificate.sealing if certificate is not None else None

        def job(replica: Replica) -> int:
            found = sealing or issuing.sealing_of(replica, node_id) or _given(replica, node_id)
            if found is None:
                raise CommandFailed(
                    "no_sealing_key", "this node does not know the device's sealing key yet",
                    "Grant it after the device has written something, or where it was enrolled.",
                )  # fmt: skip
            if replica.is_revoked(node_id):
                raise CommandFailed("revoked", "this device was revoked", "Enrol it again first.")
            return issuing.grant(replica, scope, node_id, found, None)

        number: int = self._node.writer.call(job)
        self.settle()
        return number

    def shred(self, scope: str, epochs: Collection[int] | None, reason: str, author: bytes | None = None) -> int:
        """Order that keys are destroyed everywhere, and carry it out here. How many. Raises BadChange."""
        self._require_issuer()
        record = uuid.UUID(bytes=self._node.replica.random(16), version=4).bytes
        doomed = self._node.writer.call(lambda replica: issuing.order(replica, record, scope, epochs, reason, author))
        self.settle()
        return len(doomed)

    def status(self) -> dict[str, Any]:
        """{closed, holds, keys, orders}: what `grants` prints."""
        db = self._node.reader()
        orders = [
            {"id": order.id, "keys": [key.hex() for key in order.keys], "reason": order.reason, "at": order.at,
             "receipts": list(order.receipts)}
            for order in grants.orders(db)
        ]  # fmt: skip
        return {"closed": self.closed, "holds": self.holds(), "keys": grants.listed(db), "orders": orders}

    def _require_issuer(self) -> None:
        held = self._node.certificate
        if held is None or "enrol" not in held.capabilities:
            raise CommandFailed("not_an_issuer", "this node may neither grant nor shred", "Do it on the hub.")


def _given(replica: Replica, node_id: bytes) -> bytes | None:
    """The sealing key of a device that was enrolled here, and has written nothing since."""
    row = replica.connection.execute(
        "SELECT certificate FROM enrol_codes WHERE used_by = ? AND certificate IS NOT NULL", (node_id.hex(),)
    ).fetchone()
    return Certificate.decode(bytes(row[0])).sealing if row is not None else None
