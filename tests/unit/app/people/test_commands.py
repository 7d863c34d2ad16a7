"""The command line at the machine itself: a code for who is known, and a new beginning for who is locked out."""

from __future__ import annotations

import pyotp
import pytest

from app.accounts import Accounts
from app.commands import user
from app.errors import NotFound, Unauthenticated
from app.node import Node
from app.people.steady import BACK_MS_MAX
from tests.unit.app.conftest import Clock
from tests.unit.app.people.conftest import OTHER, PASSPHRASE, carry


def test_a_commander_logs_in_on_a_tablet_with_a_code_that_was_made_on_it(
    accounts: Accounts, terminal: Node, hub: Node
) -> None:
    known = accounts.add_user("佐久間", "commander", PASSPHRASE).id
    carry(hub, terminal)
    told = user.perform(terminal, "佐久間", does="code")
    assert (told["id"], told["role"]) == (known, "commander")
    tablet = Accounts(terminal)
    with pytest.raises(Unauthenticated):
        tablet.login("佐久間", PASSPHRASE)
    assert tablet.redeem_login_code(told["code"], "佐久間", OTHER).id == known
    assert accounts.login("佐久間", PASSPHRASE).id == known, "the passphrase of the hub is another one"


def test_a_newer_code_ends_the_one_before(hub: Node, accounts: Accounts) -> None:
    first = user.perform(hub, "本部花子", role="hq_operator")["code"]
    second = user.perform(hub, "本部花子", does="code")["code"]
    with pytest.raises(Unauthenticated):
        accounts.redeem_login_code(first, "本部花子", PASSPHRASE)
    assert accounts.redeem_login_code(second, "本部花子", PASSPHRASE).name == "本部花子"


def test_an_administrator_who_lost_all_begins_anew_also_after_the_clock_was_wrong(hub: Node) -> None:
    people, clock = Accounts(hub), Clock(hub)
    admin = people.add_user("管理者", "admin", PASSPHRASE).id
    clock.advance(2 * BACK_MS_MAX)
    people.second_factor.confirm(
        admin, pyotp.TOTP(people.second_factor.begin(admin, "管理者").secret).at(hub.clock() // 1000)
    )
    clock.advance(-2 * BACK_MS_MAX)
    code = user.perform(hub, "管理者", does="reset")["code"]
    again = Accounts(hub)
    again.redeem_login_code(code, "管理者", OTHER)
    phone = pyotp.TOTP(again.second_factor.begin(admin, "管理者").secret)
    again.second_factor.confirm(admin, phone.at(hub.clock() // 1000 - 30))
    again.second_factor.check(admin, phone.at(hub.clock() // 1000))


def test_nobody_gets_a_code_who_is_not_known_here(hub: Node) -> None:
    for does in ("code", "reset"):
        with pytest.raises(NotFound):
            user.perform(hub, "だれか", does=does)
