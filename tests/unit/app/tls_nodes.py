"""A terminal that a hub has let in, with its leaf, as after `enrol`; without a door and a socket."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import birth
from app.config import Settings
from app.node import Node
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls import door
from sync import signing
from sync.certificate import Certificate


def certificate_for(hub: Node, node: Node, label: str) -> Certificate:
    assert hub.root_public is not None and hub.certificate is not None
    return Certificate.make(
        signing.SigningKey(hub.keys.signing_seed),
        hub.certificate,
        root=signing.root_fingerprint(hub.root_public),
        public=signing.SigningKey(node.keys.signing_seed).public,
        sealing=signing.sealing_public(node.keys.sealing_seed),
        name=node.name,
        label=label,
        capabilities=frozenset({"field"}),
        issued_ms=1,
        serial=os.urandom(16),
    )


def let_in(hub: Node, node: Node, label: str = "T01") -> Node:
    """With its certificate alone, as an older release enrolled devices."""
    assert hub.root_public is not None
    certificate = certificate_for(hub, node, label)
    node.adopt_certificate(certificate.encode(), hub.root_public, "https://127.0.0.1:1")
    return node


def enrolled(hub: Node, node: Node, label: str = "T01") -> Node:
    let_in(hub, node, label)
    given = door.answer(hub, node.tls.request(), node.replica.identity.node_id, label)
    assert hub.root_public is not None
    node.tls.adopt(hub.root_public, given["authority"], given["endorsement"], (given["leaf"], given["above"]))
    return node


@contextlib.contextmanager
def nodes(folder: Path, *roles: str) -> Iterator[list[Node]]:
    """Nodes for a whole file of tests that change nothing of them, or put it back."""
    opened: list[Node] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "MEMORY_KIB", 64)
        patch.setattr(envelope, "TIME", 1)
        for number, role in enumerate(roles):
            place = DataFolder(folder / f"{role}{number}")
            settings = Settings(place.path, ballast_mb=0)
            birth.make_node(place, role, f"{role} {number}", settings, None)
            opened.append(Node.open(place, read_keys(place.keys, None), settings))
    try:
        yield opened
    finally:
        for node in opened:
            node.close()
