"""The second factor: one code once, a clock that cannot be set back for it, paper that opens when the phone is gone."""

from __future__ import annotations

import dataclasses
import threading
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest

from app.accounts import Accounts
from app.errors import Invalid, RateLimited, Unauthenticated
from app.node import Node
from app.people import sessions
from app.people.second_factor import PAUSE_MS, RECOVERY_CODES, WRONG_MAX
from app.people.steady import BACK_MS_MAX
from tests.unit.app.conftest import Clock
from tests.unit.app.people.conftest import PASSPHRASE

STEP_MS = 30_000


@dataclasses.dataclass
class Phone:
    """An authenticator on a good clock of its own."""

    node: Node
    secret: str

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(self.node.clock() // STEP_MS + steps)


@pytest.fixture
def commander(accounts: Accounts) -> Any:
    return accounts.roster.person(accounts.add_user("佐久間", "commander", PASSPHRASE).id)


@pytest.fixture
def phone(accounts: Accounts, commander: Any, hub: Node) -> Phone:
    return Phone(hub, accounts.second_factor.begin(commander.id, commander.name).secret)


@pytest.fixture
def paper(accounts: Accounts, commander: Any, phone: Phone) -> list[str]:
    return accounts.second_factor.confirm(commander.id, phone.code(-1))


def refused(accounts: Accounts, person: Any, code: str) -> str:
    with pytest.raises((Unauthenticated, RateLimited)) as caught:
        accounts.second_factor.check(person.id, code)
    return str(caught.value.code)


def test_the_first_code_confirms_the_secret_and_a_wrong_one_does_not(
    accounts: Accounts, commander: Any, phone: Phone
) -> None:
    with pytest.raises(Invalid):
        accounts.second_factor.confirm(commander.id, "000000" if phone.code() != "000000" else "000001")
    assert not accounts.second_factor.is_set_up(commander.id)
    assert len(set(accounts.second_factor.confirm(commander.id, phone.code()))) == RECOVERY_CODES
    assert accounts.second_factor.is_set_up(commander.id)


@pytest.mark.usefixtures("paper")
def test_a_code_counts_once_and_so_does_every_one_before_it(accounts: Accounts, commander: Any, phone: Phone) -> None:
    accounts.second_factor.check(commander.id, phone.code(1))
    assert [refused(accounts, commander, phone.code(steps)) for steps in (1, 0)] == ["wrong_second"] * 2


@pytest.mark.usefixtures("paper")
def test_one_step_of_slowness_is_forgiven_and_two_are_not(
    accounts: Accounts, commander: Any, phone: Phone, hub: Node
) -> None:
    Clock(hub).advance(10 * STEP_MS)
    assert refused(accounts, commander, phone.code(-2)) == refused(accounts, commander, phone.code(2))
    accounts.second_factor.check(commander.id, phone.code(-1))


@pytest.mark.usefixtures("paper")
def test_of_two_who_type_one_code_at_once_one_comes_in(accounts: Accounts, commander: Any, phone: Phone) -> None:
    told: list[str] = []
    code, together = phone.code(), threading.Barrier(2)

    def enter() -> None:
        together.wait(10)
        try:
            accounts.second_factor.check(commander.id, code)
            told.append("in")
        except Unauthenticated as error:
            told.append(error.code)

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(told) == ["in", "wrong_second"]


@pytest.mark.usefixtures("paper")
def test_a_clock_set_back_to_an_overseen_code_is_refused_with_words(
    accounts: Accounts, commander: Any, phone: Phone, hub: Node
) -> None:
    clock = Clock(hub)
    clock.advance(10 * STEP_MS)
    seen_unused = phone.code()
    clock.advance(3_600_000)
    accounts.second_factor.check(commander.id, phone.code())
    clock.advance(-3_600_000)
    assert refused(accounts, commander, seen_unused) == "clock_set_back"
    assert refused(Accounts(hub), commander, seen_unused) == "clock_set_back", "a restart remembers it"


def test_a_recovery_code_opens_once_and_says_that_the_clock_is_right(
    accounts: Accounts, commander: Any, phone: Phone, paper: list[str], hub: Node
) -> None:
    clock = Clock(hub)
    clock.advance(BACK_MS_MAX + 60 * STEP_MS)
    accounts.second_factor.check(commander.id, phone.code())
    clock.advance(-BACK_MS_MAX - 30 * STEP_MS)
    assert refused(accounts, commander, phone.code()) == "clock_set_back"
    accounts.second_factor.check(commander.id, paper[0].lower().replace("-", " "))
    assert accounts.second_factor.codes_left(commander.id) == RECOVERY_CODES - 1
    assert refused(accounts, commander, paper[0]) == "wrong_second"
    clock.advance(2 * STEP_MS)
    accounts.second_factor.check(commander.id, phone.code())


def test_new_recovery_codes_kill_the_old_and_nobody_uses_anothers(
    accounts: Accounts, commander: Any, paper: list[str]
) -> None:
    other = SimpleNamespace(id=accounts.add_user("別の人", "admin", PASSPHRASE).id)
    assert refused(accounts, other, paper[1]) == "wrong_second"
    fresh = accounts.second_factor.new_recovery_codes(commander.id)
    assert refused(accounts, commander, paper[1]) == "wrong_second"
    accounts.second_factor.check(commander.id, fresh[9])


def test_after_ten_wrong_codes_only_paper_opens_for_a_quarter_of_an_hour_also_over_restarts(
    accounts: Accounts, commander: Any, phone: Phone, paper: list[str], hub: Node
) -> None:
    for _ in range(WRONG_MAX):
        assert refused(Accounts(hub), commander, "1") == "wrong_second"
    assert refused(Accounts(hub), commander, phone.code()) == "too_many_tries"
    accounts.second_factor.check(commander.id, paper[2])
    for _ in range(WRONG_MAX):
        refused(accounts, commander, "1")
    Clock(hub).advance(PAUSE_MS)
    accounts.second_factor.check(commander.id, phone.code())


def test_no_secret_and_no_code_is_an_operation(accounts: Accounts, phone: Phone, paper: list[str], hub: Node) -> None:
    bodies = b"".join(bytes(row[0]) for row in hub.reader().execute("SELECT body FROM op"))
    kept = b"".join(bytes(row[0]) for row in hub.reader().execute("SELECT code_hash FROM recovery_codes"))
    assert phone.secret.encode() not in bodies
    assert not any(code.encode() in bodies + kept or code.replace("-", "").encode() in bodies + kept for code in paper)


@pytest.mark.parametrize(
    ("role", "tls", "totp", "wanted"),
    [
        ("commander", False, "hq", None),
        ("commander", True, "hq", sessions.ENROL),
        ("admin", True, "hq", sessions.ENROL),
        ("patrol", True, "hq", None),
        ("commander", True, "off", None),
    ],
)
def test_who_must_set_it_up_before_anything_else(
    accounts: Accounts, hub: Node, role: str, tls: bool, totp: str, wanted: str | None
) -> None:
    hub.settings = dataclasses.replace(hub.settings, host="192.0.2.1" if tls else "127.0.0.1", totp=totp)
    person = accounts.roster.person(accounts.add_user("人", role, PASSPHRASE).id)
    assert person is not None
    assert accounts.stage_for(person) == wanted


@pytest.mark.usefixtures("paper")
def test_who_has_set_it_up_is_asked_on_loopback_too(accounts: Accounts, commander: Any) -> None:
    assert accounts.stage_for(commander) == sessions.SECOND


def test_on_a_tablet_the_device_is_the_second_factor(terminal: Node) -> None:
    assert not Accounts(terminal).second_factor.may_have("commander")


@pytest.mark.usefixtures("paper")
def test_a_session_that_waits_for_its_code_is_nobody_and_lasts_ten_minutes(
    accounts: Accounts, commander: Any, hub: Node
) -> None:
    token = accounts.open_session(commander.id, stage=sessions.SECOND)
    assert accounts.person_of_session(token) is None
    assert accounts.place_of_session(token) is None
    Clock(hub).advance(sessions.STAGE_MS_MAX + 1)
    assert accounts.sessions.find(token) is None


def test_a_reset_takes_all_away_on_this_node_and_the_log_says_who_did_it(
    accounts: Accounts, commander: Any, paper: list[str], hub: Node
) -> None:
    admin = accounts.add_user("管理者", "admin", PASSPHRASE).id
    session, api = accounts.open_session(commander.id), accounts.make_token("佐久間")
    code = accounts.reset(commander.id, admin)
    assert accounts.person_of_session(session) is None and accounts.person_of_token(api) is None
    with pytest.raises(Unauthenticated):
        accounts.login("佐久間", PASSPHRASE)
    assert refused(accounts, commander, paper[0]) == "wrong_second"
    assert accounts.redeem_login_code(code, "佐久間", "別の合言葉をひとつ").id == commander.id
    assert not accounts.second_factor.is_set_up(commander.id)
    newest = hub.history("users", b"c", commander.id)[-1]
    assert (newest["author"], newest["fields"]["access"]["add"]) == (admin, [f"reset {hub.node_id}"])
