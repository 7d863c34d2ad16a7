"""Accounts: who may log in on this node, with what, how often, and for how long."""

from __future__ import annotations

import uuid

import pytest

from app.accounts import Accounts
from app.errors import AppError, Conflict, Invalid, NotFound, RateLimited, Unauthenticated
from app.node import Node
from app.people.sessions import SESSION_MS_MAX
from app.people.tries import WITHIN_MS as TRIES_WITHIN_MS
from app.queries import users
from app.records import CITY
from app.records import users as user_records
from sync.errors import NotEnrolled
from tests.unit.app.conftest import Clock, OpenNode

SESSION_IDLE_MS, LOCK_MS = 30 * 60_000, 5 * 60_000
PASSPHRASE = "灯火と番小屋と川"


@pytest.fixture
def accounts(hub: Node) -> Accounts:
    return Accounts(hub)


def test_a_person_logs_in_with_name_and_passphrase(accounts: Accounts) -> None:
    added = accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    person = accounts.login("本部花子", PASSPHRASE)
    assert (person.id, person.role, added.code) == (added.id, "hq_operator", None)


@pytest.mark.parametrize(
    ("name", "passphrase"),
    [("本部花子", "別のパスフレーズ"), ("誰か", PASSPHRASE), ("", ""), ("\ud800", "\ud800")],
)
def test_a_wrong_name_and_a_wrong_passphrase_get_one_answer(accounts: Accounts, name: str, passphrase: str) -> None:
    accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    with pytest.raises(Unauthenticated) as caught:
        accounts.login(name, passphrase)
    assert caught.value.code == "wrong_login"


def test_a_name_is_found_however_it_was_composed(accounts: Accounts) -> None:
    accounts.add_user("ガード", "patrol", PASSPHRASE)
    assert accounts.login("カ\u3099ード ", PASSPHRASE).name == "ガード"


def test_no_passphrase_is_an_operation_or_stands_in_a_table(accounts: Accounts) -> None:
    accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    bodies = [bytes(row[0]) for row in accounts.node.reader().execute("SELECT body FROM op")]
    verifier = accounts.node.reader().execute("SELECT verifier FROM credentials").fetchone()[0]
    assert verifier.startswith("$argon2id$")
    assert not any(PASSPHRASE.encode() in body or b"argon2" in body for body in bodies)


@pytest.mark.parametrize("passphrase", ["", "短い", "x" * 257, "\ud800" * 10])
def test_a_passphrase_that_is_none_is_refused_and_nobody_is_added(accounts: Accounts, passphrase: str) -> None:
    with pytest.raises(Invalid):
        accounts.add_user("本部花子", "hq_operator", passphrase)
    assert users.listed(accounts.node.reader()) == []


@pytest.mark.parametrize(("name", "role"), [("x", "king"), ("", "patrol"), ("a" * 101, "patrol"), ("a\0b", "patrol")])
def test_a_user_that_is_none_is_refused(accounts: Accounts, name: str, role: str) -> None:
    with pytest.raises(AppError) as caught:
        accounts.add_user(name, role, PASSPHRASE)
    assert caught.value.status == 422
    assert accounts.node.reader().execute("SELECT count(*) FROM credentials").fetchone()[0] == 0


def test_a_name_is_given_once_on_a_node(accounts: Accounts) -> None:
    accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    with pytest.raises(Conflict):
        accounts.add_user("本部花子", "viewer", PASSPHRASE)


def test_a_terminal_that_is_not_enrolled_adds_nobody(open_node: OpenNode) -> None:
    terminal = open_node("terminal")
    with pytest.raises(NotEnrolled):
        Accounts(terminal).add_user("巡回太郎", "patrol", PASSPHRASE)
    assert terminal.reader().execute("SELECT count(*) FROM op").fetchone()[0] == 0


def test_a_code_sets_a_passphrase_once(accounts: Accounts) -> None:
    code = accounts.add_user("本部花子", "hq_operator", None).code
    assert code is not None
    person = accounts.redeem_login_code(code.lower().replace("-", " "), "本部花子", PASSPHRASE)
    assert accounts.login("本部花子", PASSPHRASE) == person
    with pytest.raises(Unauthenticated) as caught:
        accounts.redeem_login_code(code, "本部花子", "a second passphrase")
    assert caught.value.code == "code_used"
    assert accounts.login("本部花子", PASSPHRASE) == person


def test_a_code_for_another_name_is_not_used_up(accounts: Accounts) -> None:
    code = accounts.add_user("本部花子", "hq_operator", None).code
    assert code is not None
    with pytest.raises(Unauthenticated):
        accounts.redeem_login_code(code, "別人", PASSPHRASE)
    with pytest.raises(Invalid):
        accounts.redeem_login_code(code, "本部花子", "短い")
    assert accounts.redeem_login_code(code, "本部花子", PASSPHRASE).name == "本部花子"


def test_the_first_administrator_makes_an_account_with_the_code_of_init(accounts: Accounts) -> None:
    code, keep = accounts.new_code(role="admin")
    accounts.node.local_write(keep)
    assert accounts.redeem_login_code(code, "管理 一郎", PASSPHRASE).role == "admin"
    assert accounts.login("管理 一郎", PASSPHRASE).role == "admin"


def test_a_code_expires(accounts: Accounts, hub: Node) -> None:
    code, keep = accounts.new_code(role="admin")
    hub.local_write(keep)
    Clock(hub).advance(25 * 3_600_000)
    with pytest.raises(Unauthenticated) as caught:
        accounts.redeem_login_code(code, "管理 一郎", PASSPHRASE)
    assert caught.value.code == "code_expired"


def test_the_eleventh_try_within_a_minute_waits(accounts: Accounts, hub: Node) -> None:
    accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            accounts.redeem_login_code("2222-2222-2222-2222", "本部花子", PASSPHRASE)
    with pytest.raises(RateLimited):
        accounts.redeem_login_code("2222-2222-2222-2222", "本部花子", PASSPHRASE)
    assert accounts.login("本部花子", PASSPHRASE), "the tries at codes do not lock the login"
    Clock(hub).advance(TRIES_WITHIN_MS)
    with pytest.raises(Unauthenticated):
        accounts.redeem_login_code("2222-2222-2222-2222", "本部花子", PASSPHRASE)


def test_a_user_of_a_field_node_cannot_act_here(accounts: Accounts, hub: Node) -> None:
    stranger = uuid.UUID(bytes=b"\x07" * 16)
    form = {"name": "巡回太郎", "role": "commander", "active": True}
    hub.write([user_records.create(stranger, CITY, form, home_node="ab" * 16)], None)
    with pytest.raises(NotFound):
        accounts.make_token("巡回太郎")


def test_a_session_lives_while_it_is_used_and_ends_at_last(accounts: Accounts, hub: Node) -> None:
    clock = Clock(hub)
    token = accounts.open_session(accounts.add_user("本部花子", "hq_operator", PASSPHRASE).id)
    lived = 0
    while lived + LOCK_MS < SESSION_MS_MAX:
        clock.advance(LOCK_MS - 30_000)
        lived += LOCK_MS - 30_000
        assert accounts.person_of_session(token) is not None
    clock.advance(LOCK_MS)
    assert accounts.sessions.find(token) is None


def test_an_idle_session_and_an_ended_one_are_nobody(accounts: Accounts, hub: Node) -> None:
    user_id = accounts.add_user("本部花子", "hq_operator", PASSPHRASE).id
    ended, idle = accounts.open_session(user_id), accounts.open_session(user_id)
    accounts.end_session(ended)
    assert accounts.person_of_session(ended) is None
    Clock(hub).advance(SESSION_IDLE_MS + 1)
    assert accounts.person_of_session(idle) is None
    assert accounts.person_of_session("nonsense") is None


def test_a_token_is_kept_as_a_hash_and_can_be_revoked(accounts: Accounts) -> None:
    accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    token = accounts.make_token("本部花子")
    kept = accounts.node.reader().execute("SELECT token_hash FROM api_tokens").fetchone()[0]
    assert token.encode() not in bytes(kept)
    person = accounts.person_of_token(token)
    assert person is not None and person.name == "本部花子"
    accounts.revoke_token(token)
    assert accounts.person_of_token(token) is None
    assert accounts.person_of_token("\ud800") is None


def test_a_person_who_was_made_inactive_is_nobody(accounts: Accounts, hub: Node) -> None:
    added = accounts.add_user("本部花子", "hq_operator", PASSPHRASE)
    token = accounts.make_token("本部花子")
    hub.write([user_records.edit(uuid.UUID(added.id), CITY, {"active": False}, None)], None)
    assert accounts.person_of_token(token) is None
    with pytest.raises(Unauthenticated):
        accounts.login("本部花子", PASSPHRASE)
