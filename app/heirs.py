"""Heirs: devices that can let others in when the hub and the city's root are both gone.

Before: `heirs`, where the root is for a moment in the command's own process. After: the list travels by sync, and on
an heir ``wake`` takes its sleeping certificate into use: from then on it signs with it, and every node sees that.
The full succession of a hub is another matter; this lets an heir enrol a replacement tablet.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

import msgspec

from app.enrol_codes import require_issuer
from app.errors import CommandFailed, Conflict
from app.pki import authority, peer
from app.pki.authority import BadTlsCertificate
from app.queries import heirs as queries
from app.queries import nodes
from app.records import heirs as records
from app.records import nodes as node_records
from app.tls import issued
from sync import heirs, signing
from sync.certificate import CAPABILITIES, Certificate
from sync.errors import BadCertificate, NoScopeKey
from sync.heirs import Heir, HeirList
from sync.replica import Replica
from sync.signing import SigningKey

log = logging.getLogger(__name__)
OTHER_ROOT = "Check that the recovery file is this city's."


# -- with the root, in the command's own process -----------------------------------------------------


def sleeping(root: SigningKey, asked: dict[str, Any]) -> Heir:
    """An heir's certificate and its issuing authority for TLS, made with the root and boxed for the heir alone."""
    held = Certificate.decode(bytes.fromhex(asked["certificate"]))
    made = Certificate.make(
        root,
        None,
        root=signing.root_fingerprint(root.public),
        public=held.public,
        sealing=held.sealing,
        name=held.name,
        label=held.label,
        capabilities=CAPABILITIES,
        issued_ms=asked["now"],
        serial=secrets.token_bytes(16),
    )
    leaf = bytes.fromhex(asked["leaf"])
    issuing = authority.issue_intermediate(root.seed, peer.public_of(leaf), held.node_id) if leaf else b""
    payload = msgspec.msgpack.encode([made.encode(), issuing])
    return Heir(held.node_id, heirs.box(payload, held.node_id, held.sealing, secrets.token_bytes(64)))


def signed(root: SigningKey, asked: dict[str, Any], added: Heir | None) -> list[Any]:
    """The next list: with an heir more, or with ``asked['node_id']`` left out."""
    kept = [Heir(bytes.fromhex(node), bytes.fromhex(box)) for node, box in asked["heirs"] if node != asked["node_id"]]
    listed = HeirList.make(root, asked["number"] + 1, [*kept, *([added] if added else [])])
    return [listed.number, [[heir.node.hex(), heir.box.hex()] for heir in listed.heirs], listed.signature.hex()]


# -- on the node -------------------------------------------------------------------------------------


def ask(node: Any, node_id: str) -> dict[str, Any]:
    """What the root needs to know, to sign."""
    require_issuer(node)
    key = bytes.fromhex(node_id)
    if key == node.replica.identity.node_id:
        raise Conflict("own_node", "this node is an issuer already", "Name a device that shall take over from it.")
    listed = queries.current(node.reader(), node.root_public)
    held = node.writer.call(lambda replica: _certificate(replica, key), 0)
    return {
        "node_id": node_id,
        "root_public": node.root_public.hex(),
        "certificate": held.encode().hex() if held else "",
        "leaf": _leaf(node, key).hex(),
        "now": node.clock(),
        "number": listed.number,
        "heirs": [[heir.node.hex(), heir.box.hex()] for heir in listed.heirs],
    }


def keep(node: Any, listed: list[Any]) -> None:
    """Write the list that the root signed. Raises CommandFailed where this city's root did not."""
    require_issuer(node)
    number, items, signature = listed
    field = [number, [[bytes.fromhex(part) for part in item] for item in items], bytes.fromhex(signature)]
    found = HeirList.read(field, node.root_public)
    if found is None:
        raise CommandFailed("other_root", "the list is not signed by this city's root", OTHER_ROOT)
    if found.number <= queries.current(node.reader(), node.root_public).number:
        raise Conflict("list_changed", "the list of heirs has changed meanwhile", "Give the command again.")
    node.write([records.ordered(node.root_public, found)], None)


def share_sealed(node: Any, node_id: str) -> bool:
    """Let an heir open what is sealed to HQ: whoever takes over must be able to read it."""
    try:
        node.sealing.grant(bytes.fromhex(node_id))
    except (CommandFailed, NoScopeKey):
        return False
    return True


def listed(node: Any) -> list[dict[str, Any]]:
    """The heirs in their order; ``awake``: it lets devices in already."""
    found = []
    for place, heir in enumerate(queries.current(node.reader(), node.root_public).heirs, 1):
        record = nodes.get(node.reader(), heir.node.hex())
        named = {"name": record["name"], "label": record["label"]} if record else {"name": None, "label": None}
        awake = bool(record and "enrol" in (record["capabilities"] or ()))
        revoked = node.replica.is_revoked(heir.node)
        found.append({"place": place, "node_id": heir.node.hex(), **named, "awake": awake, "revoked": revoked})
    return found


def wake(node: Any) -> None:
    """Take the sleeping certificate into use; again is no harm. Raises CommandFailed where this node is no heir."""
    if not _may_enrol(node):
        own = queries.own(node.reader(), node.root_public, node.replica.identity.node_id)
        if own is None:
            raise CommandFailed("no_heir", "this node is not an heir", "On the hub: `tomoshibi heirs add`.")
        if node.replica.is_revoked(own.node):
            raise CommandFailed("revoked", "this device was revoked", "Use another heir.")
        certificate, issuing = _opened(node, own)
        _wake_tls(node, issuing)
        node.use_certificate(certificate)
    record = nodes.get(node.reader(), node.node_id)
    if record is None or "enrol" not in (record["capabilities"] or ()):
        # The first operation under the new certificate: it stands in the log, and on the page of devices everywhere.
        node.write([node_records.woke(node.node_id, sorted(CAPABILITIES), node.clock())], None)


def _may_enrol(node: Any) -> bool:
    return node.certificate is not None and "enrol" in node.certificate.capabilities


def _wake_tls(node: Any, issuing: bytes) -> None:
    """Without it devices are let in all the same; they get their leaf when the city has an issuer of those again."""
    if not issuing or not node.tls.has_authority:
        return
    try:
        node.tls.adopt_intermediate(issuing)
    except BadTlsCertificate as error:
        log.warning("the sleeping TLS certificate does not hold: %s", error)


def _opened(node: Any, own: Heir) -> tuple[Certificate, bytes]:
    payload = heirs.unbox(own.box, own.node, node.keys.sealing_seed)
    try:
        encoded, issuing = msgspec.msgpack.decode(payload or b"", type=tuple[bytes, bytes])
        certificate = Certificate.decode(encoded)
        certificate.verify(node.root_public)
    except (ValueError, BadCertificate) as error:
        raise CommandFailed("bad_heir", f"the sleeping certificate does not hold: {error}", OTHER_ROOT) from error
    if certificate.node_id != own.node or "enrol" not in certificate.capabilities:
        raise CommandFailed("bad_heir", "the sleeping certificate is for another use", OTHER_ROOT)
    return certificate, issuing


def _certificate(replica: Replica, node_id: bytes) -> Certificate | None:
    """The newest certificate of a node: of its streams, or as this node has given it."""
    found = [held for stream in replica.streams.values() if stream.node == node_id for _, held in stream.certificates]
    rows = replica.connection.execute(
        "SELECT certificate FROM enrol_codes WHERE used_by = ? AND certificate IS NOT NULL", (node_id.hex(),)
    ).fetchall()
    found += [Certificate.decode(bytes(row[0])) for row in rows]
    return max(found, key=lambda held: (held.issued_ms, held.serial), default=None)


def _leaf(node: Any, node_id: bytes) -> bytes:
    return issued.leaf_of(node.reader(), node_id) or b""
