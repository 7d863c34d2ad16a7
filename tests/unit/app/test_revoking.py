"""Taking a device out: what still counts of it, what came later, and that it is out at once."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from uuid6 import uuid7

from app.commands import revoke as command
from app.errors import AppError
from app.node import Node
from app.queries import nodes
from app.records import damage_reports, incidents, scope_of
from app.records import nodes as node_records
from sync import signing
from sync.certificate import Certificate
from sync.operation import CITY
from tests.integration.cluster import eventually
from tests.unit.app.conftest import OpenNode
from tests.unit.sync.nodes import everything

INCIDENT = uuid7()


@pytest.fixture
def lost(hub: Node, open_node: OpenNode) -> Node:
    """A terminal of the hub's city, with one report that has reached the hub."""
    terminal = open_node("terminal")
    key = signing.SigningKey(terminal.keys.signing_seed)
    certificate = Certificate.make(
        signing.SigningKey(hub.keys.signing_seed),
        hub.certificate,
        root=signing.root_fingerprint(hub.root_public or b""),
        public=key.public,
        sealing=signing.sealing_public(terminal.keys.sealing_seed),
        name=terminal.name,
        label="T01",
        capabilities=frozenset({"field"}),
        issued_ms=hub.clock(),
        serial=secrets.token_bytes(16),
    )
    terminal.adopt_certificate(certificate.encode(), hub.root_public or b"", "http://hub.test")
    hub.write([node_records.enrolled(terminal.node_id, terminal.name, "T01", "terminal", ["field"])], None)
    hub.write([incidents.create(INCIDENT, CITY, {"name": "台風", "mode": "drill", "kind": "typhoon"})], None)
    report(terminal, "一つ目")
    carry(terminal, hub)
    return terminal


def report(terminal: Node, summary: str) -> None:
    form = {"category": "flood", "summary": summary}
    terminal.write([damage_reports.create(uuid7(), scope_of("drill", str(INCIDENT)), form)], None)


def carry(source: Node, target: Node) -> None:
    segments = everything(source.replica)
    target.writer.call(lambda replica: replica.receive(segments, source.replica.identity.node_id), 0)


def counted(node: Node) -> list[str]:
    rows = node.reader().execute("SELECT summary FROM damage_reports WHERE hidden = 0 ORDER BY created_at")
    return [row[0] for row in rows.fetchall()]


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AppError) as caught:
        call(*arguments, **named)
    assert caught.value.hint
    return caught.value.code


def test_what_is_held_counts_and_what_comes_later_does_not_until_it_is_accepted(hub: Node, lost: Node) -> None:
    command.perform(hub, "T01", "紛失")
    report(lost, "二つ目")
    carry(lost, hub)
    assert counted(hub) == ["一つ目"]
    assert nodes.held(hub.reader(), lost.node_id).refused == 1
    command.perform(hub, "T01", "", accept=True)
    assert counted(hub) == ["一つ目", "二つ目"] and hub.replica.is_revoked(bytes.fromhex(lost.node_id))
    report(lost, "三つ目")
    carry(lost, hub)
    assert counted(hub) == ["一つ目", "二つ目"], "accepting takes in what was here, and nothing that comes after"


def test_a_second_revocation_does_not_quietly_accept_what_came_since(hub: Node, lost: Node) -> None:
    command.perform(hub, "T01", "紛失")
    report(lost, "盗んだ人の報告")
    carry(lost, hub)
    assert refused(command.perform, hub, "T01", "もう一度") == "already_revoked"
    assert counted(hub) == ["一つ目"]
    found = {device.node["label"]: device for device in nodes.devices(hub)}
    assert (found["H1"].state, found["T01"].state) == ("self", "revoked")
    assert found["T01"].revocation is not None and found["T01"].revocation["reason"] == "紛失"


def test_nothing_that_arrived_after_a_time_counts(hub: Node, lost: Node) -> None:
    first = nodes.held(hub.reader(), lost.node_id)
    assert first.last_at is not None and first.count == 2  # its certificate and the report
    while hub.wall() <= first.last_at:
        pass
    report(lost, "二つ目")
    carry(lost, hub)
    assert counted(hub) == ["一つ目", "二つ目"]
    assert nodes.arrived_until(hub.reader(), lost.node_id, 0) == {}
    command.perform(hub, "T01", "紛失", until_ms=first.last_at)
    assert counted(hub) == ["一つ目"]
    assert sum(count for _, count in nodes.held(hub.reader(), lost.node_id).hours) == 3


def test_a_node_revokes_neither_itself_nor_a_stranger(hub: Node, lost: Node) -> None:
    assert refused(command.perform, hub, "T01", "", accept=True) == "not_revoked"
    assert refused(command.perform, hub, "H1", "") == "own_node"
    assert refused(command.perform, hub, "T99", "") == "unknown_node"
    carry(hub, lost)
    assert refused(command.perform, lost, "H1", "") == "not_an_issuer"


def test_a_revocation_that_comes_from_another_node_drops_the_links_at_once(
    hub: Node, lost: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[bytes] = []
    monkeypatch.setattr(hub.links, "drop", lambda node_id, code, text: dropped.append(node_id))
    key = bytes.fromhex(lost.node_id)
    hub.writer.call(lambda replica: replica.revoke(key, None, "紛失", None))
    eventually(lambda: dropped == [key], 5, "the link was dropped")
