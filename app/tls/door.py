"""The issuer's side: a leaf for a device that has proved who it is, at its enrolment or later.

Before: ``views/enrol``. A device that is enrolled asks again with its device key, whatever became of its leaf: so
one that lay in a box for two years, or that an older release enrolled, comes in with no hand at HQ. Nothing that is
answered is secret: a leaf helps only who holds its key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.errors import BadRequest, Forbidden
from app.pki import leaf
from app.pki.authority import BadTlsCertificate
from app.tls import issued
from sync import signing
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadSignature

if TYPE_CHECKING:
    from app.node import Node

VERSION = 1
RENEW_TAG = b"tomoshibi:tls-renew:1\0"
SAME_RELEASE = "Use the same release on both nodes."


def answer(node: Node, request: bytes, node_id: bytes, label: str) -> dict[str, bytes]:
    """A leaf for the node that sent this request, with what it needs to check it. Raises Forbidden, BadRequest."""
    _require_issuer(node)
    try:
        public = leaf.read_request(request)
    except BadTlsCertificate as error:
        raise BadRequest("bad_tls_request", str(error), SAME_RELEASE) from error
    held = node.tls.held
    issuer = held.issuer
    assert issuer is not None
    now = node.tls.now()
    made = leaf.issue_node(issuer, public, node_id, label, now)
    node.local_write(lambda connection: issued.keep(connection, made, label, now))
    return {"authority": held.authority, "endorsement": held.endorsement, "leaf": made, "above": held.issuing}


def renewal_message(request: bytes) -> bytes:
    """What a device signs with its device key, to ask for a leaf again."""
    return RENEW_TAG + msgspec.msgpack.encode([request])


def renew(node: Node, document: Any) -> dict[str, Any]:
    """Answer a device that is enrolled already."""
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise BadRequest("bad_request", "this is no request for a certificate", SAME_RELEASE)
    try:
        certificate, request, signature = (
            bytes.fromhex(document[name]) for name in ("certificate", "request", "signature")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("bad_request", "a value of the request is missing or wrong", SAME_RELEASE) from error
    device = _device_of(node, certificate, request, signature)
    answered = answer(node, request, device.node_id, device.label)
    return {"version": VERSION, **{name: value.hex() for name, value in answered.items()}}


def _device_of(node: Node, certificate: bytes, request: bytes, signature: bytes) -> Certificate:
    _require_issuer(node)
    try:
        device = Certificate.decode(certificate)
        device.verify(node.root_public or b"")
        signing.verify(device.public, signature, renewal_message(request))
    except (BadCertificate, BadSignature) as error:
        raise Forbidden(error.code, str(error), error.hint) from error
    if node.replica.is_revoked(device.node_id):
        raise Forbidden("revoked", "this device was revoked", "Bring it to HQ.")
    return device


def _require_issuer(node: Node) -> None:
    if not node.tls.issues:
        raise Forbidden(
            "no_tls_authority",
            "this node gives no TLS certificates",
            "On the hub: `tomoshibi pki init --recovery-file FILE --secret-file FILE`.",
        )
