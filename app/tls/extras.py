"""A leaf for a device rides along with its enrolment: the row of ``enrol_extras`` that is TLS's.

The request is a PKCS#10, the answer ``msgpack({authority, endorsement, leaf, above})`` (docs/protocol-enrolment.md).
"""

from __future__ import annotations

from typing import Any

import msgspec

from app.errors import CommandFailed
from app.pki.authority import BadTlsCertificate
from app.tls import door
from sync.certificate import Certificate


def ask(node: Any) -> bytes:
    request: bytes = node.tls.request()
    return request


def answer(node: Any, certificate: Certificate, asked: bytes | None) -> bytes | None:
    """Nothing where this city has no TLS authority yet: the device asks for its leaf when there is one."""
    if asked is None or not node.tls.issues:
        return None
    return msgspec.msgpack.encode(door.answer(node, asked, certificate.node_id, certificate.label))


def adopt(node: Any, root_public: bytes, answered: bytes) -> None:
    try:
        given = msgspec.msgpack.decode(answered, type=dict[str, bytes])
        node.tls.adopt(root_public, given["authority"], given["endorsement"], (given["leaf"], given["above"]))
    except (BadTlsCertificate, KeyError, ValueError) as error:
        hint = "Check the hub's address; nothing was kept."
        raise CommandFailed("bad_tls_answer", f"the hub's TLS certificate does not hold: {error}", hint) from error
