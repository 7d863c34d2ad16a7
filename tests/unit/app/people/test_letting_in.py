"""Codes, envelopes and vouching: who is let in on a device that nobody at HQ can reach, and what is left of it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from app import permissions
from app.accounts import Accounts
from app.errors import AppError, Conflict, Forbidden, Invalid, Unauthenticated
from app.node import Node
from app.people.envelopes import DAY_MS
from app.queries import users
from app.records import CITY
from app.records import users as user_records
from tests.unit.app.conftest import Clock, OpenNode
from tests.unit.app.people.conftest import OTHER, PASSPHRASE, Hands, carry

ENVELOPE = "01920000-0000-7000-8000-0000000000aa"


@pytest.fixture
def tablet(terminal: Node, hands: Hands) -> Accounts:
    return Accounts(terminal, hands)


@pytest.fixture
def lead(tablet: Accounts) -> Any:
    return tablet.roster.person(tablet.add_user("宮脇", "shelter_staff", PASSPHRASE).id)


@pytest.fixture
def codes(tablet: Accounts, lead: Any) -> list[str]:
    return tablet.envelopes.make(ENVELOPE, lead, "夜の班", "shelter_staff", 5, 3)


# -- the envelope ----------------------------------------------------------------------------------


def test_a_code_of_the_envelope_makes_a_login_once_and_the_list_shows_which(
    tablet: Accounts, codes: list[str], lead: Any
) -> None:
    person = tablet.redeem_login_code(codes[2], "夜勤の人", PASSPHRASE)
    assert (person.role, tablet.login("夜勤の人", PASSPHRASE).id) == ("shelter_staff", person.id)
    with pytest.raises(Unauthenticated) as caught:
        tablet.redeem_login_code(codes[2], "もうひとり", PASSPHRASE)
    assert caught.value.code == "code_used"
    (envelope,) = tablet.envelopes.listed()
    assert [slot.number for slot in envelope.slots if slot.used_at] == [3]
    assert (envelope.unused, envelope.slots[2].used_by, envelope.made_by) == (4, person.id, lead.id)
    record = users.get(tablet.node.reader(), person.id)
    assert record is not None and record.author == lead.id, "who made the envelope let this person in"


def test_of_two_who_use_one_code_at_once_one_comes_in_and_the_other_leaves_nothing(
    tablet: Accounts, codes: list[str]
) -> None:
    together, told = threading.Barrier(2), []

    def enter(name: str) -> None:
        together.wait(10)
        try:
            told.append(tablet.redeem_login_code(codes[0], name, PASSPHRASE).name)
        except Unauthenticated as error:
            told.append(error.code)

    threads = [threading.Thread(target=enter, args=(name,)) for name in ("夜勤 甲", "夜勤 乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert "code_used" in told and len(told) == 2
    assert len([user for user in users.listed(tablet.node.reader()) if user["name"].startswith("夜勤")]) == 1
    assert len(tablet.passphrases.known()) == 2


def test_an_envelope_ends_with_its_day_and_when_it_was_found_opened(
    tablet: Accounts, codes: list[str], lead: Any, terminal: Node
) -> None:
    more = tablet.envelopes.make(str(uuid.UUID(int=5)), lead, "次の夜", "shelter_staff", 1, 14)
    tablet.envelopes.end(ENVELOPE)
    with pytest.raises(Unauthenticated) as caught:
        tablet.redeem_login_code(codes[0], "夜勤の人", PASSPHRASE)
    assert caught.value.code == "code_expired"
    Clock(terminal).advance(14 * DAY_MS + 1)
    with pytest.raises(Unauthenticated):
        tablet.redeem_login_code(more[0], "夜勤の人", PASSPHRASE)


def test_a_code_of_another_node_is_no_code_here(accounts: Accounts, codes: list[str], open_node: OpenNode) -> None:
    other = Accounts(open_node("hub"))
    code = other.add_user("本部花子", "hq_operator", None).code or ""
    for foreign in (code, codes[0]):
        with pytest.raises(Unauthenticated) as caught:
            accounts.redeem_login_code(foreign, "本部花子", PASSPHRASE)
        assert caught.value.code == "wrong_code"


def test_who_is_on_the_citys_list_comes_in_as_that_person_and_only_with_their_role(
    accounts: Accounts, terminal: Node, tablet: Accounts, codes: list[str]
) -> None:
    known = accounts.add_user("夜勤の人", "shelter_staff", None).id
    accounts.add_user("佐久間", "commander", None)
    carry(accounts.node, terminal)
    assert tablet.redeem_login_code(codes[0], "夜勤の人", PASSPHRASE).id == known
    with pytest.raises(Conflict):
        tablet.redeem_login_code(codes[1], "佐久間", PASSPHRASE)
    with pytest.raises(Conflict):
        tablet.redeem_login_code(codes[1], "夜勤の人", OTHER)
    assert tablet.login("夜勤の人", PASSPHRASE).id == known


def test_an_envelope_that_is_none_is_refused(tablet: Accounts, lead: Any) -> None:
    right: dict[str, Any] = {"title": "夜", "role": "shelter_staff", "count": 5, "days": 3}
    wrongs = {"role": ["commander"], "count": [0, 31], "days": [0, 15], "title": [" ", "a\nb", "長" * 61]}
    for field, wrong in ((field, wrong) for field, listed in wrongs.items() for wrong in listed):
        with pytest.raises(Invalid) as caught:
            tablet.envelopes.make(ENVELOPE, lead, **(right | {field: wrong}))
        assert caught.value.field == field
    assert tablet.envelopes.listed() == []


def test_an_envelope_sent_again_makes_no_second_one_and_nobody_makes_one_above_themselves(
    tablet: Accounts, lead: Any, codes: list[str]
) -> None:
    with pytest.raises(Conflict):
        tablet.envelopes.make(ENVELOPE, lead, "夜の班", "shelter_staff", 5, 3)
    with pytest.raises(Forbidden):
        tablet.envelopes.make(str(uuid.UUID(int=7)), lead, "巡回", "patrol", 5, 3)
    (envelope,) = tablet.envelopes.listed()
    assert envelope.unused == len(codes)


def test_no_code_of_an_envelope_lies_in_the_store(tablet: Accounts, codes: list[str], terminal: Node) -> None:
    rows = terminal.reader().execute("SELECT * FROM login_codes").fetchall()
    held = b"".join(str(tuple(row)).encode() for row in rows)
    assert not any(code.encode() in held or code.replace("-", "").encode() in held for code in codes)


# -- vouching --------------------------------------------------------------------------------------


def test_a_colleague_is_let_in_and_the_log_keeps_who_vouched(tablet: Accounts, lead: Any, terminal: Node) -> None:
    person = tablet.vouch(lead, PASSPHRASE, "応援の人", "shelter_staff", OTHER)
    assert tablet.login("応援の人", OTHER) == person
    (line,) = terminal.history("users", CITY, person.id)
    assert (line["author"], line["fields"]["access"]["add"]) == (lead.id, [f"vouched {terminal.node_id}"])


def test_a_word_of_a_tablet_about_somebody_of_hq_counts_everywhere_and_gives_no_rights(
    accounts: Accounts, tablet: Accounts, terminal: Node, lead: Any
) -> None:
    """The tablet may not write people of HQ; that somebody vouched for one it may say."""
    known = accounts.add_user("応援の人", "shelter_staff", None).id
    carry(accounts.node, terminal)
    tablet.vouch(lead, PASSPHRASE, "応援の人", "viewer", OTHER)
    terminal.write([user_records.edit(uuid.UUID(known), CITY, {"role": "commander"}, None)], lead.id)
    carry(terminal, accounts.node)
    assert accounts.node.status()["quarantined"] == terminal.status()["quarantined"] == 1
    assert accounts.roster.person(known) == tablet.roster.person(known)
    assert accounts.node.history("users", CITY, known)[1]["author"] == lead.id
    assert accounts.node.digest()["public"] == terminal.digest()["public"]


def test_nobody_vouches_without_their_passphrase_above_themselves_or_over_a_login(
    accounts: Accounts, tablet: Accounts, terminal: Node, lead: Any
) -> None:
    accounts.add_user("佐久間", "commander", None)
    carry(accounts.node, terminal)
    before = terminal.status()["vector"], set(tablet.passphrases.known())
    for own, name, role, code in (
        ("not my passphrase", "応援の人", "shelter_staff", "wrong_login"),
        (PASSPHRASE, "応援の人", "commander", "forbidden"),
        (PASSPHRASE, "応援の人", "patrol", "forbidden"),
        (PASSPHRASE, "佐久間", "shelter_staff", "forbidden"),
        (PASSPHRASE, "宮脇", "shelter_staff", "has_login"),
    ):
        with pytest.raises(AppError) as caught:
            tablet.vouch(lead, own, name, role, OTHER)
        assert caught.value.code == code
    assert (terminal.status()["vector"], set(tablet.passphrases.known())) == before


def test_nobody_vouches_for_a_role_above_their_own() -> None:
    above = {"patrol": 0, "viewer": 0, "shelter_staff": 0, "hq_operator": 1, "commander": 2, "admin": 3}
    for role, others in permissions.VOUCHES.items():
        assert all(above[other] <= above[role] for other in others)
    assert not permissions.may_vouch("viewer", "viewer") and not permissions.may_vouch("patrol", "patrol")


# -- twins and roles -------------------------------------------------------------------------------


def test_a_namesake_who_comes_over_the_link_locks_nobody_out(
    accounts: Accounts, tablet: Accounts, terminal: Node, lead: Any
) -> None:
    accounts.add_user("宮脇", "viewer", None)
    carry(accounts.node, terminal)
    assert tablet.login("宮脇", PASSPHRASE).id == lead.id


def test_a_role_that_hq_takes_away_while_the_tablet_writes_cut_off_gives_the_same_in_both_orders(
    accounts: Accounts, terminal: Node, tablet: Accounts, codes: list[str]
) -> None:
    """The figure of the issue: roles are enforced where people act, so what was written cut off counts everywhere."""
    hub = accounts.node
    known = accounts.add_user("巡回太郎", "patrol", None).id
    carry(hub, terminal)
    token = tablet.open_session(known)
    user_record = uuid.UUID(known)
    hub.write([user_records.edit(user_record, CITY, {"role": "viewer", "active": False}, None)], None)
    for number in range(3):
        tablet.redeem_login_code(codes[number], f"夜勤 {number}班", PASSPHRASE)
        terminal.write([user_records.noted(user_record, CITY, f"vouched {number}")], known)
    terminal.write([user_records.edit(user_record, CITY, {"role": "admin"}, None)], known)
    assert tablet.person_of_session(token) is not None, "cut off, the tablet does not know better"

    carry(terminal, hub, order=lambda segments: segments[::-1])
    carry(hub, terminal)
    digests = {node.digest()["public"] for node in (hub, terminal)}
    verdicts = {str(_quarantined(node)) for node in (hub, terminal)}
    assert len(digests) == len(verdicts) == 1
    assert [line["author"] for line in hub.history("users", CITY, known)].count(known) >= 3
    assert tablet.person_of_session(token) is None, "the role was taken where it is known to be"
    assert accounts.roster.person(known) is None and tablet.roster.person(known) is None


def _quarantined(node: Node) -> list[tuple[bytes, int, str]]:
    rows = node.reader().execute(
        "SELECT stream.id, seq, reason FROM quarantine JOIN stream ON stream.no = quarantine.stream ORDER BY 1, 2"
    )
    return [(bytes(row[0]), row[1], row[2]) for row in rows]
