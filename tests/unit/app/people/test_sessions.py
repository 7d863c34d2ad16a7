"""Sessions: what keeps one alive, what locks it, what it is bound to, and a clock that is set back."""

from __future__ import annotations

import dataclasses

import pytest

from app.accounts import Accounts
from app.errors import Unauthenticated
from app.node import Node
from app.people.sessions import SESSION_MS_MAX, UNLOCK_TRIES_MAX
from tests.unit.app.conftest import Clock
from tests.unit.app.people.conftest import PASSPHRASE, Hands

MINUTE = 60_000


@pytest.fixture
def clock(hub: Node) -> Clock:
    return Clock(hub)


@pytest.fixture
def token(accounts: Accounts) -> str:
    return accounts.open_session(accounts.add_user("本部花子", "hq_operator", PASSPHRASE).id)


def test_a_session_without_a_touch_locks_after_five_minutes_and_stays_locked(
    accounts: Accounts, token: str, clock: Clock
) -> None:
    clock.advance(5 * MINUTE)
    assert accounts.person_of_session(token, touch=False) is not None
    clock.advance(1)
    assert accounts.person_of_session(token) is None
    found = accounts.sessions.find(token)
    assert found is not None and found.locked
    accounts.sessions.unlock(token)
    assert accounts.person_of_session(token) is not None


def test_what_a_page_asks_by_itself_keeps_nothing_alive(accounts: Accounts, token: str, clock: Clock) -> None:
    for _ in range(6):
        clock.advance(MINUTE)
        accounts.person_of_session(token, touch=False)
    found = accounts.sessions.find(token, touch=False)
    assert found is not None and found.locked


def test_a_locked_session_ends_after_half_an_hour_whatever_its_pages_ask(
    accounts: Accounts, token: str, clock: Clock
) -> None:
    accounts.sessions.lock(token)
    for _ in range(3):
        clock.advance(10 * MINUTE)
        assert accounts.sessions.find(token) is not None
    clock.advance(1)
    assert accounts.sessions.find(token) is None


def test_the_settings_switch_lock_and_end_off(accounts: Accounts, token: str, clock: Clock, hub: Node) -> None:
    hub.settings = dataclasses.replace(hub.settings, lock_minutes=0, idle_minutes=0)
    clock.advance(11 * 60 * MINUTE)
    assert accounts.person_of_session(token) is not None
    clock.advance(61 * MINUTE)
    assert accounts.person_of_session(token) is None


def test_a_clock_that_is_set_back_lengthens_no_session(
    accounts: Accounts, token: str, clock: Clock, hub: Node, hands: Hands
) -> None:
    hub.settings = dataclasses.replace(hub.settings, lock_minutes=0, idle_minutes=0)
    clock.advance(SESSION_MS_MAX - MINUTE)
    assert accounts.person_of_session(token) is not None
    clock.advance(-10 * 60 * MINUTE)
    hands.seconds += 61
    assert accounts.person_of_session(token) is None


def test_a_restart_does_not_forget_how_late_it_was(
    accounts: Accounts, token: str, clock: Clock, hub: Node, hands: Hands
) -> None:
    hub.settings = dataclasses.replace(hub.settings, lock_minutes=0, idle_minutes=0)
    clock.advance(SESSION_MS_MAX - MINUTE)
    accounts.person_of_session(token)
    clock.advance(-10 * 60 * MINUTE)
    again = Accounts(hub, hands)
    assert again.person_of_session(token) is not None
    hands.seconds += 61
    assert again.person_of_session(token) is None


def test_a_clock_that_is_set_back_revives_no_code(accounts: Accounts, clock: Clock) -> None:
    code = accounts.add_user("本部花子", "hq_operator", None).code or ""
    clock.advance(8 * 24 * 60 * MINUTE)
    with pytest.raises(Unauthenticated):
        accounts.redeem_login_code(code, "本部花子", PASSPHRASE)
    clock.advance(-8 * 24 * 60 * MINUTE)
    with pytest.raises(Unauthenticated) as caught:
        accounts.redeem_login_code(code, "本部花子", PASSPHRASE)
    assert caught.value.code == "code_expired"


def test_a_session_of_a_device_with_a_certificate_is_nobodys_without_it(accounts: Accounts) -> None:
    user_id = accounts.add_user("本部花子", "hq_operator", PASSPHRASE).id
    bound = accounts.open_session(user_id, peer="aa")
    free = accounts.open_session(user_id)
    assert accounts.person_of_session(bound, peer="aa") is not None
    assert [accounts.person_of_session(bound, peer=peer) for peer in ("bb", None)] == [None, None]
    assert accounts.person_of_session(free, peer="bb") is None


def test_a_session_of_one_node_is_unknown_to_another(accounts: Accounts, token: str, terminal: Node) -> None:
    assert Accounts(terminal).person_of_session(token) is None


def test_the_tenth_wrong_passphrase_at_the_lock_ends_the_session_also_over_restarts(
    accounts: Accounts, token: str, hub: Node
) -> None:
    accounts.sessions.lock(token)
    kept = [Accounts(hub).sessions.count_try(token) for _ in range(UNLOCK_TRIES_MAX)]
    assert kept == [True] * (UNLOCK_TRIES_MAX - 1) + [False]
    assert accounts.sessions.find(token) is None


def test_an_unlock_forgets_the_wrong_tries(accounts: Accounts, token: str) -> None:
    for _ in range(3):
        accounts.sessions.lock(token)
        assert all(accounts.sessions.count_try(token) for _ in range(UNLOCK_TRIES_MAX - 1))
        accounts.sessions.unlock(token)
    assert accounts.person_of_session(token) is not None
