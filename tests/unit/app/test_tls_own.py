"""What a node takes for its own, when it renews it, and where its keys lie."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app import birth, doctor
from app.config import Settings
from app.node import Node
from app.pki import authority, leaf, peer
from app.pki.authority import BadTlsCertificate
from app.store import identity
from app.store.errors import KeyFileDamaged, WrongKey
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls import contexts, door, held, issued
from app.tls.held import Held
from sync.signing import SigningKey
from tests.unit.app.conftest import Clock, OpenNode
from tests.unit.app.tls_nodes import enrolled, let_in

DAY_MS = 86_400_000
YEAR_MS = 366 * DAY_MS


def answers(hub: Node, node: Node) -> dict[str, Callable[[dict[str, bytes]], None]]:
    """What a hostile door may change in an answer."""
    node_id = node.replica.identity.node_id
    strange = held.of_root(os.urandom(32), node_id).renewed(node_id, "T01", (), hub.wall(), hub=False)
    public = leaf.read_request(node.tls.request())
    issuer = hub.tls.held.issuer
    assert issuer is not None
    other_node = leaf.issue_node(issuer, public, os.urandom(16), "T01", hub.wall())
    other_key = leaf.issue_node(issuer, authority.new_key().public_key(), node_id, "T01", hub.wall())
    return {
        "another authority": lambda given: given.update(authority=strange.authority),
        "another authority with its own word": lambda given: given.update(
            authority=strange.authority, endorsement=strange.endorsement, leaf=strange.leaf, above=strange.above
        ),
        "no word of the root": lambda given: given.update(endorsement=bytes(64)),
        "another node": lambda given: given.update(leaf=other_node),
        "another key": lambda given: given.update(leaf=other_key),
        "the issuer's own leaf": lambda given: given.update(leaf=hub.tls.held.leaf),
        "nothing": lambda given: given.update(leaf=b"", above=b""),
    }


NAMES = (
    "another authority",
    "another authority with its own word",
    "no word of the root",
    "another node",
    "another key",
    "the issuer's own leaf",
    "nothing",
)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_is_not_the_citys_or_not_for_this_node_is_not_taken(
    name: str, hub: Node, open_node: OpenNode
) -> None:
    node = let_in(hub, open_node("terminal"))
    given = door.answer(hub, node.tls.request(), node.replica.identity.node_id, "T01")
    before = node.tls.held
    changes = answers(hub, node)
    assert tuple(changes) == NAMES
    changes[name](given)
    with pytest.raises(BadTlsCertificate):
        node.tls.adopt(
            node.root_public or b"", given["authority"], given["endorsement"], (given["leaf"], given["above"])
        )
    assert node.tls.held == before


def test_what_is_held_outlives_a_restart_and_lies_beside_the_store_once_more(hub: Node) -> None:
    assert held.read(hub.reader()) == hub.tls.held
    kept = identity.read(hub.folder.identity, hub.keys.data_key)
    assert kept["tls_issuing_key"] == hub.tls.held.issuing_key
    assert {f"tls_{name}" for name in Held.__slots__} <= set(identity.NAMES)


def test_no_file_of_a_hub_has_a_key_of_tls_in_it(hub: Node, tmp_path: Path) -> None:
    contexts.serving(hub.tls.held)
    own = hub.tls.held
    secrets = [own.key, own.issuing_key]
    secrets += [key.private_numbers().private_value.to_bytes(32, "big") for key in (own.private, own.issuing_private)]
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        data = path.read_bytes()
        assert not [secret for secret in secrets if secret in data], path
        assert not re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY", data), path
    assert "key=b" not in repr(own)


def test_without_files_in_memory_the_library_reads_a_sealed_one_that_is_gone_at_once(
    hub: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(contexts.tempfile, "tempdir", str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    read: list[bytes] = []
    whole = contexts._in_a_file

    def spied(data: bytes) -> object:
        read.append(data)
        return whole(data)

    monkeypatch.setattr(contexts, "_in_a_file", spied)
    contexts.serving(hub.tls.held)
    assert list((tmp_path / "given").iterdir()) == []
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in read[0] and b"BEGIN PRIVATE KEY" not in read[0]


def test_a_hub_renews_itself_where_half_is_over_or_a_name_is_new(hub: Node) -> None:
    hub.tls.renew_own()
    clock, first = Clock(hub), hub.tls.held.leaf
    assert not hub.tls.renew_own() and hub.tls.held.leaf == first
    clock.advance(YEAR_MS)
    assert hub.tls.renew_own()
    second = hub.tls.held
    assert second.own is not None and second.own.ends_ms > hub.clock() + YEAR_MS
    hub.settings = dataclasses.replace(hub.settings, host="192.0.2.9", names="bousai.lan")
    assert hub.tls.renew_own()
    assert hub.tls.held.own is not None
    assert {"192.0.2.9", "bousai.lan", "hub.tomoshibi.internal", "h1.tomoshibi.internal"} <= hub.tls.held.own.names
    assert peer.check_chain(hub.tls.held.authority, hub.tls.held.chain or ()).speaks_for_the_hub  # type: ignore[arg-type]


def test_a_context_that_serves_hears_of_each_new_leaf(hub: Node) -> None:
    told: list[bytes] = []
    hub.tls.serving(told.append)
    hub.tls.renew_own(always=True)
    assert told[-1] == hub.tls.held.leaf and len(told) == 2 and told[0] != told[1]


def test_a_tablet_whose_leaf_is_half_over_or_was_refused_asks_again(hub: Node, open_node: OpenNode) -> None:
    node = enrolled(hub, open_node("terminal"))
    assert not node.tls.is_due()
    node.tls.distrust_own()
    assert node.tls.is_due()
    enrolled(hub, node)
    assert not node.tls.is_due()
    Clock(node).advance(YEAR_MS)
    assert node.tls.is_due()


def test_a_hub_of_an_older_release_becomes_an_issuer_with_the_root_and_without_handing_it_over(
    hub: Node, open_node: OpenNode
) -> None:
    root = os.urandom(32)
    node = open_node("terminal")  # holds nothing of TLS, as a hub that an older release made
    node.replica.identity = dataclasses.replace(hub.replica.identity, node_id=node.replica.identity.node_id)
    public = leaf.read_request(node.tls.request_issuing())
    assert leaf.read_request(node.tls.request_issuing()).public_numbers() == public.public_numbers()
    own = authority.city_authority(root)
    made = authority.issue_intermediate(root, public, node.replica.identity.node_id)
    with pytest.raises(BadTlsCertificate):
        node.tls.take_issuing(hub.root_public or b"", own.der, authority.endorse(root), made)
    assert not node.tls.issues
    node.tls.take_issuing(SigningKey(root).public, own.der, authority.endorse(root), made)
    assert node.tls.issues and node.tls.held.own is not None


def test_the_recovery_file_makes_an_heir_that_can_give_leaves_of_the_same_city(
    open_node: OpenNode, tmp_path: Path
) -> None:
    folder = DataFolder(tmp_path / "hub")
    settings = Settings(folder.path, ballast_mb=0)
    born = birth.make_node(folder, "hub", "本部", settings, None)
    hub = Node.open(folder, read_keys(folder.keys, None), settings)
    try:
        heir, other = enrolled(hub, open_node("terminal"), "T01"), enrolled(hub, open_node("terminal"), "T02")
        known = issued.leaf_of(hub.reader(), heir.replica.identity.node_id)
        assert known == heir.tls.held.leaf
        root = birth.read_recovery(folder.recovery, (born.recovery_secret or "").lower().encode())
        made = authority.issue_intermediate(root.seed, peer.public_of(known), heir.replica.identity.node_id)
        strange = authority.issue_intermediate(os.urandom(32), peer.public_of(known), heir.replica.identity.node_id)
        for node, given in ((other, made), (heir, strange)):
            with pytest.raises(BadTlsCertificate):
                node.tls.adopt_intermediate(given)
        heir.tls.adopt_intermediate(made)
        answer = door.answer(heir, leaf.request(authority.new_key()), bytes(16), "T03")
        given_by = peer.check_chain(hub.tls.held.authority, (answer["leaf"], answer["above"])).issuer_node
        assert given_by == heir.replica.identity.node_id
        assert not heir.tls.held.own.speaks_for_the_hub  # type: ignore[union-attr] - it sleeps until it is the hub
    finally:
        hub.close()


@pytest.mark.parametrize("secret", [b"", b"ABCD-EFGH", "もも".encode()])
def test_a_recovery_file_opens_with_its_secret_only(secret: bytes, hub: Node, tmp_path: Path) -> None:
    with pytest.raises(WrongKey):
        birth.read_recovery(hub.folder.recovery, secret)
    (tmp_path / "no-recovery").write_bytes(b"{}")
    with pytest.raises(KeyFileDamaged):
        birth.read_recovery(tmp_path / "no-recovery", secret)


def finding(node: Node) -> doctor.Finding:
    return doctor._certificate(node)


def test_doctor_says_when_a_certificate_is_missing_nearly_over_or_ended(hub: Node, open_node: OpenNode) -> None:
    assert finding(hub).state == "ok"
    clock = Clock(hub)
    clock.advance(310 * DAY_MS)
    assert (finding(hub).state, finding(hub).text) == ("warning", "it ends in 89 days")
    clock.advance(100 * DAY_MS)
    assert finding(hub).state == "wrong" and "pki renew" in finding(hub).hint
    bare = open_node("terminal")
    assert finding(bare).state == "ok"
    let_in(hub, bare)
    assert finding(bare).state == "warning" and "pki init" in finding(bare).hint
