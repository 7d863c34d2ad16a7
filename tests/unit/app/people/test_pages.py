"""The pages of logging in: first start, lock, switch, second factor, and a cookie that was carried elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pyotp
import pytest
from flask.testing import FlaskClient
from uuid6 import uuid7

from app.accounts import Accounts
from app.factory import create_app
from app.node import Node
from app.people import sessions
from app.queries import drafts
from app.tls import gate
from app.views.session import BACKGROUND
from tests.unit.app.conftest import Clock
from tests.unit.app.people.conftest import OTHER, PASSPHRASE

APP: dict[str, Any] = {"WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False}


@pytest.fixture
def house(hub: Node) -> Any:
    app, _ = create_app(hub)
    app.config.update(APP)
    return app


@pytest.fixture
def people(house: Any) -> Accounts:
    found: Accounts = house.extensions["accounts"]
    for name, role, passphrase in (("佐久間", "commander", PASSPHRASE), ("梶原", "patrol", OTHER)):
        found.add_user(name, role, passphrase)
    return found


@pytest.fixture
def enter(house: Any, people: Accounts) -> Callable[..., FlaskClient]:
    def make(name: str, passphrase: str = PASSPHRASE, **environ: Any) -> FlaskClient:
        client: FlaskClient = house.test_client()
        answer = client.post("/login", data={"name": name, "passphrase": passphrase}, environ_overrides=environ)
        assert answer.status_code == 303, answer.text
        return client

    return make


def place(answer: Any) -> str:
    return urlsplit(answer.headers.get("Location", "")).path


# -- first start -----------------------------------------------------------------------------------


def test_a_fresh_hub_leads_to_its_first_administrator_and_nowhere_else(house: Any, hub: Node) -> None:
    browser = house.test_client()
    code, keep = house.extensions["accounts"].new_code(role="admin")
    hub.local_write(keep)
    assert place(browser.get("/login")) == "/login/first"
    assert "最初の管理者を登録" in browser.get("/login/first").text
    plain = browser.post("/login/first", data={"code": code, "name": "管理 一郎", "passphrase": "password1"})
    assert plain.status_code == 422 and "思いつかない" in plain.text
    answer = browser.post("/login/first", data={"code": code, "name": "管理 一郎", "passphrase": PASSPHRASE})
    assert (answer.status_code, browser.get("/users").status_code) == (303, 200)
    assert house.test_client().get("/login").status_code == 200


# -- the lock --------------------------------------------------------------------------------------


def test_a_locked_screen_shows_nothing_but_counts_until_its_person_opens_it(
    house: Any, enter: Callable[..., FlaskClient], people: Accounts
) -> None:
    browser = enter("佐久間")
    incident = _incident(house, people)
    channel = _channel_with_words(house, people, incident, "堤防が危ない")
    assert place(browser.post("/lock/now", data={"back": f"/incidents/{incident}"})) == "/lock"
    for path in (f"/incidents/{incident}", "/users", f"/incidents/{incident}/chat/{channel}", "/sync"):
        assert place(browser.get(path)) == "/lock", path
    fragment = browser.get(f"/incidents/{incident}/menu", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/lock")
    draft = browser.post(f"/drafts/{incident}:report", json={"summary": "x"})
    assert (draft.status_code, draft.get_json()["code"]) == (401, "locked")
    shown = browser.get("/lock").text + browser.get("/lock/waiting").text
    assert "読んでいない連絡 1件" in shown and "堤防" not in shown and "訓練の台風" not in shown
    assert browser.post("/lock", data={"passphrase": OTHER}).status_code == 401, "nobody else's passphrase opens it"
    assert place(browser.post("/lock", data={"passphrase": PASSPHRASE})) == f"/incidents/{incident}"
    assert browser.get(f"/incidents/{incident}").status_code == 200


def test_only_a_touch_keeps_the_screen_open(enter: Callable[..., FlaskClient], hub: Node) -> None:
    browser, clock = enter("佐久間"), Clock(hub)
    for _ in range(4):
        clock.advance(80_000)
        left = browser.get("/lock/state", headers={BACKGROUND: "1"}).get_json()
    assert left == {"locked": True, "locks_in_s": None}
    browser.post("/lock", data={"passphrase": PASSPHRASE})
    for _ in range(4):
        clock.advance(80_000)
        assert browser.post("/lock/alive").status_code == 204
    assert browser.get("/lock/state").get_json()["locked"] is False


def test_ten_wrong_passphrases_end_the_session(enter: Callable[..., FlaskClient], hub: Node) -> None:
    browser = enter("佐久間")
    browser.post("/lock/now")
    told = []
    for _ in range(10):
        told.append(browser.post("/lock", data={"passphrase": "wrong"}).status_code)
        Clock(hub).advance(1)
    assert told == [401] * 9 + [303]
    assert place(browser.post("/lock", data={"passphrase": PASSPHRASE})) == "/lock"
    assert place(browser.get("/incidents")) == "/login"


def test_the_lock_leads_to_no_other_site(enter: Callable[..., FlaskClient]) -> None:
    browser = enter("佐久間")
    browser.post("/lock/now", data={"back": "https://evil.example/"})
    browser.get("/lock?back=//evil.example/")
    assert browser.post("/lock", data={"passphrase": PASSPHRASE}).headers["Location"] == "/"


# -- handing over ----------------------------------------------------------------------------------


def test_two_taps_and_a_passphrase_hand_over(enter: Callable[..., FlaskClient], house: Any, people: Accounts) -> None:
    browser = enter("佐久間")
    assert place(house.test_client().get("/login/people")) == "/login", "a stranger sees no names"
    assert place(browser.post("/switch")) == "/login/people"
    late = browser.get("/users", headers={"HX-Request": "true"})
    assert late.headers["HX-Redirect"] == "/login/people", "a fragment under way does not take the names away"
    shown = browser.get("/login/people").text
    assert "佐久間" in shown and "梶原" in shown
    assert place(browser.get("/incidents")) == "/login", "the one before is gone before a name was chosen"
    names = {unquote(path.partition("=")[2]): path for path in re.findall(r'href="(/login\?name=[^"]*)"', shown)}
    tapped = names["梶原"]
    page = browser.get(tapped).text
    assert 'value="梶原"' in page and "autofocus" in page
    browser.post("/login", data={"name": "梶原", "passphrase": OTHER})
    assert browser.get("/settings").text.count("梶原") and place(browser.get("/login/people")) == "/login"


def test_two_who_hand_over_two_hundred_times_are_each_the_author_of_their_own(
    house: Any, people: Accounts, hub: Node
) -> None:
    """D4: at a shared tablet every operation bears the name of who made it, and no draft crosses."""
    browser, incident = house.test_client(), _incident(house, people)
    ids = {name: people.roster.here(name).id for name in ("佐久間", "梶原")}  # type: ignore[union-attr]
    wanted: dict[str, str] = {}
    tokens = {name: people.open_session(user_id) for name, user_id in ids.items()}
    for number in range(200):
        name = ("佐久間", "梶原")[number % 2]
        with browser.session_transaction() as session:
            session["token"] = tokens[name]
        _post_report(browser, incident, record := str(uuid7()), f"{number} {name}")
        wanted[record] = ids[name]
        if number > 197:
            browser.post(f"/drafts/{incident}:report", json={"summary": f"{name}の書きかけ"})
            browser.post("/switch")
    kept = hub.reader().execute("SELECT id, author FROM damage_reports").fetchall()
    assert {row[0]: row[1] for row in kept} == wanted
    for name, user_id in ids.items():
        draft = drafts.get(hub.reader(), user_id, f"{incident}:report")
        assert draft is not None and draft.one("summary") == f"{name}の書きかけ"


# -- the second factor -----------------------------------------------------------------------------


def test_after_the_passphrase_the_code_is_asked_and_nothing_is_open_before_it(
    enter: Callable[..., FlaskClient], house: Any, hub: Node
) -> None:
    browser = enter("佐久間")
    page = browser.get("/second-factor/setup").text
    assert "<svg" in page and "http" not in re.sub(
        r"http://www.w3.org\S*", "", page.split("qr", 1)[1].split("</div>")[0]
    )
    secret = re.findall(r'code-line">([A-Z2-7]{32})<', page)[0]
    phone = pyotp.TOTP(secret)
    sheet = browser.post("/second-factor/setup", data={"code": phone.at(hub.clock() // 1000 - 30)}).text
    paper = re.findall(r'code-line">([A-Z0-9-]{23})<', sheet)
    assert len(paper) == 10 and secret not in browser.get("/second-factor/setup").text
    browser.post("/logout")

    waiting = house.test_client()
    assert place(waiting.post("/login", data={"name": "佐久間", "passphrase": PASSPHRASE})) == "/second-factor"
    for path in ("/incidents", "/users", "/lock", "/login/people"):
        assert place(waiting.get(path)) in ("/second-factor", "/login"), path
    assert waiting.post("/lock", data={"passphrase": PASSPHRASE}).status_code == 303
    assert place(waiting.get("/second-factor/setup")) == "/second-factor"
    assert waiting.post("/second-factor", data={"code": "000000x"}).status_code == 401
    code = phone.at(hub.clock() // 1000)
    assert place(waiting.post("/second-factor", data={"code": code})) == "/"
    assert waiting.get("/users").status_code == 200
    again = house.test_client()
    again.post("/login", data={"name": "佐久間", "passphrase": PASSPHRASE})
    assert again.post("/second-factor", data={"code": code}).status_code == 401, "the same code twice"
    assert place(again.post("/second-factor", data={"code": paper[0]})) == "/"


def test_the_session_of_the_passphrase_alone_is_not_the_one_that_is_opened(
    enter: Callable[..., FlaskClient], people: Accounts, hub: Node
) -> None:
    user_id = people.roster.here("佐久間").id  # type: ignore[union-attr]
    secret = people.second_factor.begin(user_id, "佐久間").secret
    people.second_factor.confirm(user_id, pyotp.TOTP(secret).at(hub.clock() // 1000 - 30))
    browser = enter("佐久間")
    before = _token(browser)
    browser.post("/second-factor", data={"code": pyotp.TOTP(secret).at(hub.clock() // 1000)})
    assert _token(browser) != before
    assert people.sessions.find(before) is None


def test_roles_of_the_field_have_no_second_factor_to_set_up(enter: Callable[..., FlaskClient]) -> None:
    assert enter("梶原", OTHER).get("/second-factor/setup").status_code == 404


# -- a cookie elsewhere ----------------------------------------------------------------------------


def test_a_cookie_carried_to_another_device_opens_nothing(
    enter: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "fault_of", lambda node, seen: None)  # both leaves are of the city
    own, other = gate.Seen(b"node", b"tablet one"), gate.Seen(b"node", b"tablet two")
    browser = enter("佐久間", **{gate.KEY: own})
    opened = [
        browser.get("/incidents", environ_overrides={gate.KEY: seen} if seen else {}).status_code
        for seen in (own, other, None, own)
    ]
    assert opened == [200, 302, 302, 200]
    assert sessions.TLS == gate.KEY


def test_a_cookie_carried_to_another_node_opens_nothing(
    enter: Callable[..., FlaskClient], terminal: Node, house: Any
) -> None:
    tablet, _ = create_app(terminal)
    name, there = house.config["SESSION_COOKIE_NAME"], tablet.config["SESSION_COOKIE_NAME"]
    cookie = enter("佐久間").get_cookie(name)
    assert cookie is not None and name != there
    for wanted in (name, there):
        stranger = tablet.test_client()
        stranger.set_cookie(wanted, cookie.value)
        assert place(stranger.get("/incidents")) == "/login"


# -- people ----------------------------------------------------------------------------------------


def test_who_is_stopped_is_logged_out_at_once_and_who_changes_what_they_did_not_see_overwrites_nobody(
    enter: Callable[..., FlaskClient], people: Accounts, hub: Node
) -> None:
    people.add_user("管理者", "admin", PASSPHRASE)
    admin, patrol = enter("管理者"), enter("梶原", OTHER)
    user_id = people.roster.here("梶原").id  # type: ignore[union-attr]
    versions = re.findall(r'name="versions" value="([^"]+)"', admin.get(f"/users/{user_id}").text)[0]
    versions = versions.replace("&#34;", '"')
    assert patrol.get("/incidents").status_code == 200
    form = {"role": "patrol", "team": "", "active": "no", "versions": versions}
    assert admin.post(f"/users/{user_id}", data=form).status_code == 303
    assert place(patrol.get("/incidents")) == "/login"
    late = {"role": "commander", "team": "", "active": "yes", "versions": versions}
    admin.post(f"/users/{user_id}", data=late)
    assert hub.status()["conflicts"] == 1, "two answers to one page: a person decides"


def test_a_code_for_a_new_person_is_shown_once_and_works(enter: Callable[..., FlaskClient], people: Accounts) -> None:
    people.add_user("管理者", "admin", PASSPHRASE)
    admin = enter("管理者")
    shown = admin.post("/users", data={"name": "本部花子", "role": "hq_operator"}).text
    (code,) = re.findall(r'code-line big">([A-Z0-9-]{19})<', shown)
    assert code not in admin.get("/users").text
    assert people.redeem_login_code(code, "本部花子", "花子の長い合言葉").role == "hq_operator"
    twin = admin.post("/users", data={"name": "本部 花子", "role": "admin"})
    assert twin.status_code == 409 and "見まちがえる名前" in twin.text


def _token(browser: FlaskClient) -> str:
    with browser.session_transaction() as session:
        return str(session["token"])


def _asked(house: Any, people: Accounts, path: str, **document: Any) -> str:
    headers = {"Authorization": f"Bearer {people.make_token('梶原')}"}
    answer = house.test_client().post(f"/api/v1/{path}", json=document, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def _incident(house: Any, people: Accounts) -> str:
    return _asked(house, people, "incidents", name="訓練の台風", mode="drill", kind="typhoon")


def _channel_with_words(house: Any, people: Accounts, incident: str, words: str) -> str:
    channel = _asked(house, people, "channels", incident_id=incident, name="全体")
    _asked(house, people, "chat-messages", channel_id=channel, text=words)
    return channel


def _post_report(browser: FlaskClient, incident: str, record: str, summary: str) -> None:
    form = {"_id": record, "category": "flood", "summary": summary}
    answer = browser.post(f"/incidents/{incident}/damage-reports", data=form)
    assert answer.status_code == 303, answer.text
