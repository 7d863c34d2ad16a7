"""The pages of an enrolment: a fresh tablet opens where it can ask, and HQ's page says what is true of each state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import birth, enrol_wire, verifier
from app.config import Settings
from app.enrol_door import Door
from app.errors import AppError, CommandFailed
from app.factory import create_app
from app.node import Node
from app.queries import users
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys
from tests.unit.app.conftest import Clock


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Node, Node]]:
    """A hub and a fresh terminal."""
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(verifier, "make", lambda passphrase: verifier.NOBODY)
    opened = []
    for role in ("hub", "terminal"):
        folder = DataFolder(tmp_path / role)
        settings = Settings(folder.path, ballast_mb=0)
        birth.make_node(folder, role, role, settings, None)
        opened.append(Node.open(folder, read_keys(folder.keys, None), settings))
    yield opened[0], opened[1]
    for node in opened:
        node.close()


@pytest.fixture
def hq(nodes: tuple[Node, Node]) -> FlaskClient:
    """An administrator's browser at the hub."""
    return browser(nodes[0], "admin")


@pytest.fixture
def tablet(nodes: tuple[Node, Node], hq: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Nobody's browser at the fresh terminal, from which the hub's door can be reached."""
    door: Door = hq.application.extensions["enrol_door"]

    def fetch(url: str, document: dict[str, Any] | None) -> Any:
        if not url.startswith("http://127.0.0.1:8400/"):
            raise CommandFailed("hub_unreachable", "no answer", "Check the address.")
        try:
            said = door.hello() if document is None else getattr(door, url.rpartition("/")[2])(document)
        except AppError as error:
            raise CommandFailed(error.code, error.message, error.hint) from error
        return json.loads(json.dumps(said))

    monkeypatch.setattr(enrol_wire, "fetch", fetch)
    return browser(nodes[1], None)


def browser(node: Node, role: str | None) -> FlaskClient:
    app, _ = create_app(node)
    app.config["WTF_CSRF_ENABLED"] = False
    client: FlaskClient = app.test_client()
    if role:
        app.extensions["accounts"].add_user("管理者", role, "a-long-enough-passphrase")
        log_in(client, node)
    return client


def log_in(client: FlaskClient, node: Node) -> None:
    (person,) = users.by_name(node.reader(), "管理者")
    with client.session_transaction() as session:
        session["token"] = client.application.extensions["accounts"].open_session(person.id)


def begun(hq: FlaskClient) -> tuple[str, str]:
    """The address of HQ's page, and the code on it."""
    page = hq.post("/devices/enrolments").headers["Location"]
    return page, re.sub(r".*code=([0-9A-Z-]+).*", r"\1", hq.get(page).text.replace("\n", " "))


WRONG = [
    ("x", "127.0.0.1:8400", "4文字が8組"),
    ("", "", "アドレスの形"),
    ("tomoshibi://enrol?hub=", "", "リンクが途中で切れています"),
    ("AAAA-" * 7 + "AAAA", "127.0.0.1:8400", "この本部のものではありません"),
    ("AAAA-" * 7 + "AAAA", "127.0.0.1:1", "返事がありません"),
]


def test_what_is_wrong_is_said_in_words_and_what_was_typed_stays(tablet: FlaskClient) -> None:
    answer = tablet.get("/", follow_redirects=True)
    assert answer.request.path == "/join" and "この端末を登録" in answer.text
    assert tablet.get("/join/state").headers["HX-Redirect"] == "/join"
    for code, hub, words in WRONG:
        answer = tablet.post("/join", data={"code": code, "hub": hub})
        assert answer.status_code == 422 and words in answer.text
        assert f'value="{hub}"' in answer.text and f'value="{code}"' in answer.text


def test_from_page_to_page(tablet: FlaskClient, hq: FlaskClient, nodes: tuple[Node, Node]) -> None:
    page, code = begun(hq)
    assert "新しい端末を待っています" in hq.get(f"{page}/state").text
    assert tablet.post("/join", data={"code": code, "hub": "127.0.0.1:8400"}).headers["Location"] == "/join"
    digits = re.findall(r"<span>(\d{3})</span>", tablet.get("/join").text)
    shown = hq.get(f"{page}/state").text
    assert re.findall(r"<span>(\d{3})</span>", shown) == digits and len(digits) == 2
    assert tablet.get("/join/state").status_code == 200
    assert hq.post(f"{page}/approval", data={"short_code": "x"}).status_code == 409
    assert hq.post(f"{page}/approval", data={"short_code": "".join(digits)}).status_code == 303
    assert tablet.get("/join/state").headers["HX-Redirect"] == "/login/first"
    assert nodes[1].label == "T01" and "登録しました" in hq.get(f"{page}/state").text
    for path in ("/join", "/join/ended"):
        assert tablet.get(path).headers["Location"] == "/login"
    assert tablet.post("/join", data={}).headers["Location"] == "/login"
    at_terminal = browser(nodes[1], "admin")
    assert "登録と失効は、親機の画面でします" in at_terminal.get("/devices").text
    assert at_terminal.post("/devices/enrolments").status_code == 403


def test_a_no_and_a_time_that_is_over_are_told_on_both_sides(
    tablet: FlaskClient, hq: FlaskClient, nodes: tuple[Node, Node]
) -> None:
    for ends in ("refused", "expired"):
        page, code = begun(hq)
        tablet.post("/join", data={"code": code, "hub": "127.0.0.1:8400"})
        if ends == "refused":
            hq.post(f"{page}/refusal")
        else:
            Clock(nodes[0]).advance(16 * 60_000)
            log_in(hq, nodes[0])  # the screen has locked itself meanwhile
        told, words = {
            "refused": ("拒否しました", "本部が拒否しました"),
            "expired": ("期限が切れました", "間に合いません"),
        }[ends]
        assert told in hq.get(f"{page}/state").text
        where = tablet.get("/join/state").headers["HX-Redirect"]
        assert words in tablet.get(where).text and not nodes[1].enrolled


def test_a_hub_that_went_away_is_waited_for_and_one_may_stop(
    tablet: FlaskClient, hq: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, code = begun(hq)
    tablet.post("/join", data={"code": code, "hub": "127.0.0.1:8400"})
    digits = re.findall(r"<span>(\d{3})</span>", tablet.get("/join").text)

    def gone(url: str, document: Any) -> Any:
        raise CommandFailed("hub_unreachable", "no answer", "Check the address.")

    monkeypatch.setattr(enrol_wire, "fetch", gone)
    waiting = tablet.get("/join/state").text
    assert "返事がありません" in waiting and re.findall(r"<span>(\d{3})</span>", waiting) == digits
    assert tablet.post("/join/stop").headers["Location"] == "/join"
    assert "登録を頼む" in tablet.get("/join").text
