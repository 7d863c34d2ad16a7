"""The mail of a call-out against a real mail server, and the personal answer link: no login, one person."""

from __future__ import annotations

import contextlib
import dataclasses
import email
import email.policy
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from app.mail import carrier, post, spool
from app.node import Node
from app.queries import musters as queries
from tests import house
from tests.house import House

LINK = "https://answer.city.example"


@dataclasses.dataclass
class Postbox:
    """What a mail server took, and what it says to whom."""

    letters: list[Any] = dataclasses.field(default_factory=list)
    answers: dict[str, str] = dataclasses.field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def to(self, address: str) -> list[Any]:
        return [letter for letter in self.letters if letter["To"] == address]


@pytest.fixture(scope="module")
def hq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for built in house.built(tmp_path_factory.mktemp("mail")):
        for name in ("森", "林", "港"):
            built.ids[name] = built.made(
                "staff", name=f"{name} さん", from_level="first", mail=f"{name_of(name)}@city.example"
            )
        yield built


@pytest.fixture
def mail_server() -> Iterator[Postbox]:
    box = Postbox()
    with free_port() as port:
        pass
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    box.port = port  # type: ignore[attr-defined]
    yield box
    server.stop()


def name_of(name: str) -> str:
    return {"森": "mori", "林": "hayashi", "港": "minato"}[name]


@contextlib.contextmanager
def free_port(listening: bool = False) -> Iterator[int]:
    """A port; ``listening``: of a server that takes the call and never says a word."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        if listening:
            bound.listen()
        yield bound.getsockname()[1]


def served_by(node: Node, port: int) -> None:
    node.settings = dataclasses.replace(
        node.settings, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", answer_url=LINK,
        mail_from="灯 <saigai@city.example>",
    )  # fmt: skip


def called(hq: House) -> str:
    for one in queries.listed(hq.node.reader(), hq.ids["incident_id"], standing=True):
        hq.node.local_write(
            lambda db, muster=one.id: db.execute("DELETE FROM muster_letters WHERE muster_id = ?", (muster,))
        )
        lifted = hq.app.test_client().patch(
            f"/api/v1/musters/{one.id}", json={"lifted_at": "2026-01-01T00:00:00Z"},
            headers={"Authorization": f"Bearer {hq.tokens['commander']}", "If-Match": "*"},
        )  # fmt: skip
        assert lifted.status_code == 200
    return hq.made("musters", incident_id=hq.ids["incident_id"], level="first", message="土のうを積みます")


def states(hq: House, muster: str) -> dict[str, str]:
    found = spool.of_muster(hq.node.reader(), muster)
    return {name: found[hq.ids[name]].state for name in ("森", "林", "港")}


def link_of(hq: House, muster: str, name: str) -> str:
    return f"/answer/{spool.of_muster(hq.node.reader(), muster)[hq.ids[name]].token}"


def test_each_called_person_with_an_address_gets_one_letter_with_a_link_of_their_own(
    hq: House, mail_server: Any
) -> None:
    served_by(hq.node, mail_server.port)
    muster = called(hq)
    assert (hq.node.mail.collect(), hq.node.mail.collect()) == (3, 0)
    while hq.node.mail.carry():
        pass
    assert states(hq, muster) == dict.fromkeys(("森", "林", "港"), "sent")
    (letter,) = mail_server.to("mori@city.example")
    assert letter["Subject"] == "【訓練】参集連絡 第1配備(警戒)" and "saigai@city.example" in letter["From"]
    body = letter.get_content()
    assert "森 さん" in body and "土のうを積みます" in body and "これは訓練です" in body
    links = {re.search(rf"{LINK}/answer/([\w-]+)", one.get_content())[1] for one in mail_server.letters}  # type: ignore[index]
    assert len(links) == 3 and all(len(token) == 22 for token in links)
    assert not any(token in str(one["Message-ID"]) for token in links for one in mail_server.letters)
    assert not hq.node.mail.carry() and len(mail_server.letters) == 3


def test_a_mail_server_that_hangs_blocks_nothing_and_gets_the_letters_later(
    hq: House, mail_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT_S", 0.2)
    with free_port(listening=True) as silent:
        served_by(hq.node, silent)
        muster = called(hq)
        hq.node.mail.collect()
        assert not hq.node.mail.carry()
        assert states(hq, muster) == dict.fromkeys(("森", "林", "港"), "waiting")
        assert hq.made("chronicle", incident_id=hq.ids["incident_id"], text="書ける")
    page = hq.ask("viewer", "GET", f"/incidents/{hq.ids['incident_id']}/musters/{muster}").text
    assert "メール 3通が送信待ち" in page and "電話連絡網" in page
    assert spool.due(hq.node.reader(), hq.node.clock(), 50) == []  # not again at once
    served_by(hq.node, mail_server.port)
    hq.node.local_write(lambda db: db.execute("UPDATE muster_letters SET next_at = 0"))
    assert hq.node.mail.carry()
    assert states(hq, muster) == dict.fromkeys(("森", "林", "港"), "sent") and len(mail_server.letters) == 3


def test_one_mailbox_that_is_not_there_holds_up_nobody_else(hq: House, mail_server: Any) -> None:
    served_by(hq.node, mail_server.port)
    mail_server.answers = {"mori@city.example": "550 no such user", "hayashi@city.example": "451 try again later"}
    muster = called(hq)
    hq.node.mail.collect()
    hq.node.mail.carry()
    assert states(hq, muster) == {"森": "refused", "林": "waiting", "港": "sent"}
    letter = spool.of_muster(hq.node.reader(), muster)[hq.ids["林"]]
    assert letter.tries == 1 and "451" in (letter.fault or "") and letter.next_at > hq.node.clock()


def test_the_wait_for_the_next_try_doubles_up_to_five_minutes() -> None:
    waits = [spool.retry_ms(tries) for tries in range(12)]
    assert waits[:3] == [15_000, 30_000, 60_000] and waits == sorted(waits) and waits[-1] == 300_000


def test_a_node_without_a_mail_server_or_without_the_key_writes_no_letter(hq: House) -> None:
    hq.node.settings = dataclasses.replace(hq.node.settings, smtp_host=None)
    called(hq)
    assert not hq.node.mail.has_server
    held = hq.node.replica.keyring.secrets
    hq.node.replica.keyring.secrets = {}
    try:
        assert hq.node.mail.collect() == 0
    finally:
        hq.node.replica.keyring.secrets = held


def test_a_letter_of_a_lifted_call_out_is_not_sent(hq: House, mail_server: Any) -> None:
    served_by(hq.node, mail_server.port)
    muster = called(hq)
    hq.node.mail.collect()
    seen = {"If-Match": "*", "Authorization": f"Bearer {hq.tokens['commander']}"}
    hq.app.test_client().patch(f"/api/v1/musters/{muster}", json={"lifted_at": "2026-01-01T00:00:00Z"}, headers=seen)
    hq.node.mail.carry()
    assert set(states(hq, muster).values()) == {"too_late"} and mail_server.letters == []


def test_a_link_answers_for_its_person_without_a_login_and_the_safety_is_sealed(hq: House) -> None:
    muster = called(hq)
    hq.node.mail.collect()
    link, browser = link_of(hq, muster, "森"), hq.app.test_client()
    page = browser.get(link)
    assert (
        page.status_code == 200 and "森 さん" in page.text and "自分の安否" in page.text and "家族の安否" in page.text
    )
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    typed = {"late": "60", "own_safety": "safe", "family_safety": "unknown", "user": hq.ids["林"], "spoke_with": "偽"}
    assert "本部に届きました" in browser.post(link, data=typed).text
    found = queries.get(hq.node.reader(), muster)
    assert found is not None
    (board,) = queries.boards(hq.node.reader(), [found])
    replies = {line.person.id: line.reply for line in board.lines if line.reply}
    assert set(replies) == {hq.ids["森"]}
    reply = replies[hq.ids["森"]]
    assert reply and (reply["state"], reply["means"], reply.author) == ("replied_late", "link", None)
    assert reply["spoke_with"] is None
    safety = queries.safety(hq.node.reader(), [reply])[reply.id]
    assert (safety["own_safety"], safety["family_safety"]) == ("safe", "unknown")


@pytest.mark.parametrize("state", ["released", "on_duty", "missing", "", "x"])
def test_nothing_but_the_three_answers_goes_through_a_link(hq: House, state: str) -> None:
    muster = called(hq)
    hq.node.mail.collect()
    before = hq.node.published().position
    assert hq.app.test_client().post(link_of(hq, muster, "森"), data={"state": state}).status_code == 422
    assert hq.node.published().position == before


def test_a_link_ends_with_its_time_its_call_out_and_its_person(hq: House, monkeypatch: pytest.MonkeyPatch) -> None:
    muster = called(hq)
    hq.node.mail.collect()
    link, browser = link_of(hq, muster, "森"), hq.app.test_client()
    assert browser.get(link).status_code == 200
    before = hq.node.published().position
    with monkeypatch.context() as later:
        late = hq.node.clock() + carrier.LINK_MS + 60_000
        later.setattr(hq.node, "clock", lambda: late)
        assert browser.get(link).status_code == 404
        assert browser.post(link, data={"state": "replied_ok"}).status_code == 404
    other = called(hq)  # which lifts the first
    gone = browser.post(link, data={"state": "replied_ok"})
    assert gone.status_code == 404 and "このリンクは使えません" in gone.text and "森" not in gone.text
    hq.node.mail.collect()
    assert browser.get(link_of(hq, other, "森")).status_code == 200
    assert browser.get("/answer/" + "A" * 22).status_code == 404
    assert hq.node.published().position > before


def test_one_link_is_asked_so_often_and_no_more(hq: House) -> None:
    muster = called(hq)
    hq.node.mail.collect()
    link, browser = link_of(hq, muster, "港"), hq.app.test_client()
    found = [browser.get(link).status_code for _ in range(40)]
    assert found[:20] == [200] * 20 and found[-1] == 429
    assert browser.get(link_of(hq, muster, "森")).status_code == 200  # a colleague behind the same address
