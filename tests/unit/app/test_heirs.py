"""With hub and root gone an heir lets a replacement tablet in, and every node believes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from app import birth, enrol_wire, heirs
from app.commands import enrol_code
from app.commands import heirs as command
from app.enrol import enrol
from app.enrol_codes import make_code
from app.enrol_door import Door
from app.errors import AppError
from app.node import Node
from app.queries import nodes
from app.records import damage_reports, incidents, scope_of
from app.records import heirs as records
from sync.heirs import HeirList
from sync.operation import CITY
from sync.signing import SigningKey
from tests.unit.app.conftest import OpenNode
from tests.unit.app.test_revoking import INCIDENT, carry, counted, report


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> list[SigningKey]:
    """The roots that were made, as a recovery file would give them."""
    made: list[SigningKey] = []

    def keep(path: Path, key: SigningKey) -> str:
        made.append(key)
        return "secret"

    monkeypatch.setattr(birth, "_write_recovery", keep)
    return made


@pytest.fixture
def city(root: list[SigningKey], open_node: OpenNode, monkeypatch: pytest.MonkeyPatch) -> tuple[Node, Node, Node]:
    """A hub, and two terminals that know of each other."""
    hub, heir, witness = open_node("hub"), open_node("terminal"), open_node("terminal")
    for node in (heir, witness):
        let_in(hub, node, monkeypatch)
    hub.write([incidents.create(INCIDENT, CITY, {"name": "台風", "mode": "drill", "kind": "typhoon"})], None)
    report(heir, "一つ目")
    for source, target in ((heir, hub), (hub, heir), (hub, witness)):
        carry(source, target)
    return hub, heir, witness


def let_in(issuer: Node, node: Node, monkeypatch: pytest.MonkeyPatch, code: str = "") -> dict[str, Any]:
    door = Door(issuer)

    def fetch(url: str, document: dict[str, Any] | None) -> Any:
        said = door.hello() if document is None else getattr(door, url.rpartition("/")[2])(document)
        return json.loads(json.dumps(said))

    with monkeypatch.context() as patch:
        patch.setattr(enrol_wire, "fetch", fetch)
        return enrol(node, "http://issuer.test", code or make_code(issuer).code)


def add(hub: Node, root: SigningKey, named: str) -> dict[str, Any]:
    asked = command.perform(hub, "ask", named=named)
    listed = heirs.signed(root, asked, heirs.sleeping(root, asked))
    return command.perform(hub, "keep", listed=json.loads(json.dumps(listed)), added=asked["node_id"])


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(AppError) as caught:
        call(*arguments, **named)
    assert caught.value.hint
    return caught.value.code


def test_an_heir_lets_a_replacement_in_and_every_node_believes_it(
    city: tuple[Node, Node, Node], root: list[SigningKey], open_node: OpenNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, heir, witness = city
    shown = add(hub, root[0], "T01")
    assert [(one["label"], one["awake"]) for one in shown["heirs"]] == [("T01", False)]
    carry(hub, heir)
    assert "enrol" not in heir.certificate.capabilities  # type: ignore[union-attr]
    assert refused(make_code, heir) == "not_an_issuer"

    code = enrol_code.perform(heir, as_heir=True)["code"]
    before = heir.replica.vector
    heirs.wake(heir)
    assert heir.replica.vector == before, "awake is awake"
    assert refused(heirs.wake, witness) == "no_heir"
    replacement = open_node("terminal")
    assert let_in(heir, replacement, monkeypatch, code)["label"] == "T03"
    carry(heir, replacement)
    replacement.write([damage_reports.create(uuid7(), scope_of("drill", str(INCIDENT)), {"category": "flood",
                       "summary": "引き継いだ端末から"})], None)  # fmt: skip
    for node in (heir, replacement):
        carry(node, witness)
    assert "引き継いだ端末から" in counted(witness)
    found = {device.node["label"]: device.node for device in nodes.devices(witness)}
    assert "enrol" in found["T01"]["capabilities"] and found["T01"]["woke_at"]
    assert witness.reader().execute("SELECT count(*) FROM quarantine").fetchone()[0] == 0
    assert replacement.tls.held.own is not None, "its leaf for TLS came from the heir as well"


def test_a_revoked_heir_stays_asleep(city: tuple[Node, Node, Node], root: list[SigningKey]) -> None:
    hub, heir, _ = city
    add(hub, root[0], "T01")
    hub.revoke(heir.node_id, None, "紛失")
    carry(hub, heir)
    assert refused(heirs.wake, heir) == "revoked"
    assert command.perform(hub, "list")["heirs"][0]["revoked"] is True


def test_the_order_is_the_roots_and_one_is_taken_out_by_it(
    city: tuple[Node, Node, Node], root: list[SigningKey]
) -> None:
    hub, heir, witness = city
    add(hub, root[0], "T02")
    assert [one["label"] for one in add(hub, root[0], "T01")["heirs"]] == ["T02", "T01"]
    assert [one["label"] for one in add(hub, root[0], "T02")["heirs"]] == ["T01", "T02"]
    asked = command.perform(hub, "ask", named="T01")
    left = command.perform(hub, "keep", listed=heirs.signed(root[0], asked, None))
    assert [one["label"] for one in left["heirs"]] == ["T02"]
    carry(hub, heir)
    assert refused(heirs.wake, heir) == "no_heir"
    assert witness.label == "T02"


def test_a_list_by_another_root_or_an_old_one_is_refused(city: tuple[Node, Node, Node], root: list[SigningKey]) -> None:
    hub, heir, _ = city
    asked = command.perform(hub, "ask", named="T01")
    stranger = SigningKey(b"\x07" * 32)
    forged = heirs.signed(stranger, asked, heirs.sleeping(root[0], asked))
    assert refused(command.perform, hub, "keep", listed=forged) == "other_root"
    listed = heirs.signed(root[0], asked, heirs.sleeping(root[0], asked))
    command.perform(hub, "keep", listed=listed)
    assert refused(command.perform, hub, "keep", listed=listed) == "list_changed"
    assert refused(command.perform, hub, "ask", named="H1") == "own_node"
    assert refused(command.perform, heir, "ask", named="T01") == "not_an_issuer"


def test_a_hub_cannot_make_an_heir_by_itself(city: tuple[Node, Node, Node], root: list[SigningKey]) -> None:
    """What it writes without the root is no list, and a certificate that it signs with `enrol` holds nowhere."""
    hub, heir, _ = city
    asked = command.perform(hub, "ask", named="T01")
    own = SigningKey(hub.keys.signing_seed)
    listed = HeirList.make(own, 9, [heirs.sleeping(own, asked)])
    hub.write([records.ordered(hub.root_public or b"", listed)], None)
    carry(hub, heir)
    assert command.perform(hub, "list")["heirs"] == []
    assert refused(heirs.wake, heir) == "no_heir"
