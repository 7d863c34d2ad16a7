"""A call-out made on a tablet is mailed by the hub, past a mail server that hangs and a hub that is killed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.integration.cluster import Cluster, NodeProcess, add_person, cluster, eventually, free_port, http, new_id

pytestmark = pytest.mark.deep
PEOPLE = 12
LIST = "氏名,配備区分,メールアドレス\n" + "".join(f"職員 {n},第1配備,p{n}@city.example\n" for n in range(PEOPLE))


class Postbox:
    def __init__(self) -> None:
        self.letters: dict[str, bytes] = {}
        self.twice = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.twice += envelope.rcpt_tos[0] in self.letters
        self.letters[envelope.rcpt_tos[0]] = envelope.content
        return "250 OK"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[tuple[Cluster, int]]:
    port = free_port()
    with cluster(tmp_path, terminals=1) as built:
        settings = (
            f'smtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_security = "none"\nanswer_url = "{built.hub.url}"\n'
        )
        built.hub.stop()
        (built.hub.home / "tomoshibi.toml").write_text(settings, "utf-8")
        built.hub.start()
        yield built, port


def ring(node: NodeProcess, incident: str) -> str:
    made = node.post("musters", {"id": new_id(), "incident_id": incident, "level": "first"})
    return str(made["id"])


def test_a_call_out_reaches_the_mail_past_a_server_that_hangs_and_a_hub_that_is_killed(
    city: tuple[Cluster, int], tmp_path: Path
) -> None:
    built, port = city
    hub, tablet = built.hub, built.terminals[0]
    path = tmp_path / "職員名簿.csv"
    path.write_text(LIST, "cp932")
    assert hub.json("import", "staff", str(path))["accepted"] == PEOPLE
    assert hub.json("import", "staff", str(path))["unchanged"] == PEOPLE
    add_person(tablet, "現場の指揮者", "commander")
    with socket.socket() as silent:  # takes the call and never says a word
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", port))
        silent.listen()
        muster = ring(tablet, built.incident)
        silent.settimeout(15)
        call, _ = silent.accept()
        with call:
            slowest = 0.0
            for _ in range(30):
                began = time.monotonic()
                built.report(hub, "メールを待たない")
                slowest = max(slowest, time.monotonic() - began)
            assert slowest < 2  # the mail server's 15 s of silence would show
            hub.kill()
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        hub.start()
        eventually(lambda: len(box.letters) == PEOPLE, 30, "every letter after the restart")
        assert box.twice == 0
        _answer(box, hub)
        states = lambda: [one["state"] for one in tablet.every(f"muster-replies?muster_id={muster}")]  # noqa: E731
        eventually(lambda: states() == ["replied_ok"], 10, "the answer of the link on the tablet")
        built.await_equal(20)
    finally:
        server.stop()


def _answer(box: Postbox, hub: NodeProcess) -> None:
    import email
    import email.policy

    letter = email.message_from_bytes(box.letters["p3@city.example"], policy=email.policy.default)
    found = re.search(r"http://[^\s]+/answer/[\w-]{22}", letter.get_content())  # type: ignore[attr-defined]
    assert found
    page = http().get(found[0], timeout=10)
    assert "職員 3 さん" in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    sent = http().post(
        found[0], data={"csrf_token": token[1], "state": "replied_ok", "own_safety": "safe"},
        headers={"Origin": hub.url, "Referer": found[0]}, timeout=10,
    )  # fmt: skip
    assert sent.status_code == 200 and "本部に届きました" in sent.text
