from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.queries import instructions, orders
from app.queries.arrivals import Here
from app.queries.ladder import Ladder, ladders, refused
from sync import oplog

INCIDENT = "01920000-0000-7000-8000-000000000001"
SCOPE = bytes.fromhex("64" + INCIDENT.replace("-", ""))
ORIGIN, HUB, TABLET = b"o" * 16, b"h" * 16, b"t" * 16
HERE = Here(HUB, HUB, True)
ANN, BOB, TEAM, NEW = ("00000000-0000-7000-8000-00000000000" + last for last in "1234")
TABLET_ID = str(uuid.UUID(bytes=TABLET))


@pytest.fixture(autouse=True)
def city(db: Any, insert: Any) -> None:
    for statement in oplog.CREATE:
        db.execute(statement)
    insert("users", ANN, name="安", role="patrol", home_node=TABLET.hex(), team=TEAM)
    insert("users", BOB, name="坊", role="patrol", home_node=HUB.hex())
    insert("teams", TEAM, name="巡回3班")
    insert("nodes", TABLET_ID, name="端末3", label="T03", role="terminal")


def held(db: Any, seq: int, received_at: int, node: bytes = HUB) -> None:
    """The hub's log holds operation `seq` of the stream that instructions stand in."""
    db.execute("INSERT OR IGNORE INTO stream (no, id, node, own) VALUES (1, ?, ?, 1)", (ORIGIN + SCOPE + b"t", node))
    db.execute(
        "INSERT INTO op (stream, seq, body, first, head, signature, received_at) VALUES (1, ?, x'', ?, x'', x'00', ?)",
        (seq, seq, received_at),
    )


def given(insert: Any, *recipients: str, seq: int = 1, **more: Any) -> str:
    fields = {"text": "土のうを積む", "priority": "urgent", "recipients": list(recipients), "created_at": 100}
    return str(insert("instructions", seq=seq, origin=ORIGIN, node=HUB.hex(), **fields | more))


def answer(insert: Any, instruction: str, state: str, at: int, **more: Any) -> str:
    named = {"instruction_id": instruction, "state": state, "created_at": at, "order_key": at}
    return str(insert("instruction-replies", **named | more))


def of(db: Any) -> Ladder:
    return ladders(db, instructions.listed(db, INCIDENT), HERE)[0]


def test_a_rung_has_a_time_only_where_something_proves_it(db: Any, insert: Any) -> None:
    given(insert, TABLET_ID)
    held(db, 1, 110)
    one = of(db).recipients[0]
    assert one.at == {"saved": 100, "hub": 110}
    assert (one.state, one.hangs_at, one.name) == ("waiting", "device", "端末3")
    db.execute("INSERT INTO receipt_step VALUES (?, 1, 5, 130)", (TABLET,))  # a receipt for more covers it, too
    assert of(db).recipients[0].at["device"] == 130
    assert of(db).recipients[0].hangs_at == "seen"


def test_a_receipt_for_less_proves_nothing(db: Any, insert: Any) -> None:
    given(insert, TABLET_ID, seq=7)
    held(db, 7, 110)
    db.execute("INSERT INTO receipt_step VALUES (?, 1, 6, 130)", (TABLET,))
    assert "device" not in of(db).recipients[0].at


def test_an_answer_counts_for_its_node_its_author_and_the_authors_team(db: Any, insert: Any) -> None:
    instruction = given(insert, TABLET_ID, ANN, BOB, TEAM)
    held(db, 1, 110)
    answer(insert, instruction, "ack", 200, author=ANN, node=TABLET.hex())
    states = {one.name: one.state for one in of(db).recipients}
    assert states == {"端末3": "ack", "安": "ack", "坊": "waiting", "巡回3班": "ack"}
    assert (of(db).acknowledged, of(db).group) == (3, "waiting")


def test_what_was_got_by_voice_leaves_the_rungs_before_it_open(db: Any, insert: Any) -> None:
    instruction = given(insert, TABLET_ID, BOB)
    held(db, 1, 110)
    answer(insert, instruction, "ack", 300, author=BOB, node=HUB.hex(), on_behalf_of=TABLET_ID, means="phone",
           spoke_with="小田切")  # fmt: skip
    tablet, bob = of(db).recipients if of(db).recipients[0].id == TABLET_ID else of(db).recipients[::-1]
    assert tablet.at == {"saved": 100, "hub": 110, "ack": 300}
    assert tablet.voice is not None and tablet.voice["spoke_with"] == "小田切"
    assert bob.state == "waiting"  # who writes it down has not answered for themselves


def test_seen_is_what_a_screen_of_the_recipient_showed_first(db: Any, insert: Any) -> None:
    instruction = given(insert, TABLET_ID, BOB)
    held(db, 1, 110)
    for user, at in ((ANN, 250), (BOB, 240)):
        insert("instruction-sightings", instruction_id=instruction, user_id=user, seen_at=at, node=TABLET.hex())
    by_name = {one.name: one.at.get("seen") for one in of(db).recipients}
    assert by_name == {"端末3": 240, "坊": 240}


def test_cannot_ends_it_with_its_reason_and_hq_has_to_decide(db: Any, insert: Any) -> None:
    instruction = given(insert, ANN, BOB)
    held(db, 1, 110)
    answer(insert, instruction, "ack", 200, author=ANN)
    answer(insert, instruction, "cannot", 210, author=ANN, reason="道が通れない")
    answer(insert, instruction, "done", 220, author=BOB)
    ann = next(one for one in of(db).recipients if one.id == ANN)
    assert (ann.state, ann.reason, of(db).group) == ("cannot", "道が通れない", "cannot")


def test_an_answer_that_its_author_takes_back_counts_no_more_on_whatever_device(db: Any, insert: Any) -> None:
    instruction, me = given(insert, TABLET_ID, ANN), orders.Me.of(ANN, None, HUB.hex())
    held(db, 1, 110)
    answer(insert, instruction, "ack", 200, author=ANN, node=TABLET.hex())
    slip = answer(insert, instruction, "done", 210, author=ANN, node=TABLET.hex())
    assert of(db).group == "done"
    answer(insert, instruction, "taken_back", 220, author=ANN, node=HUB.hex(), takes_back=slip)
    assert [one.state for one in of(db).recipients] == ["ack", "ack"]
    ann = next(one for one in of(db).recipients if one.id == ANN)
    assert "done" not in ann.at and ann.last is not None and ann.last["state"] == "taken_back"
    assert orders.waiting(db, INCIDENT, me) == []  # 了解 still stands
    heard = answer(insert, instruction, "ack", 230, author=ANN, node=HUB.hex())
    for number, one in enumerate([heard, instructions.replies(db, [instruction])[instruction][0].id]):
        answer(insert, instruction, "taken_back", 240 + number, author=ANN, node=HUB.hex(), takes_back=one)
    assert of(db).group == "waiting"
    assert [one.id for one in orders.waiting(db, INCIDENT, me)] == [instruction]
    assert [one.id for one in orders.unheard(db, INCIDENT, 500, 500)] == [instruction]


def test_who_is_called_stands_with_how_by_their_own_or_their_devices_number(db: Any, insert: Any) -> None:
    given(insert, TABLET_ID, ANN, BOB, TEAM)
    held(db, 1, 110)
    assert [one.call_by for one in of(db).recipients] == [None] * 4
    db.execute("UPDATE nodes SET call_by = '無線 3' WHERE id = ?", (TABLET_ID,))
    by = {one.name: one.call_by for one in of(db).recipients}
    assert by == {"端末3": "無線 3", "安": "無線 3", "坊": None, "巡回3班": "無線 3"}
    insert("nodes", str(uuid.UUID(bytes=HUB)), name="本部", label="H1", role="hub", call_by="048-000-0000")
    assert next(one.call_by for one in of(db).recipients if one.name == "坊") is None, "HQ does not call itself"
    db.execute("UPDATE teams SET call_by = '090-0000-0003' WHERE id = ?", (TEAM,))
    by = {one.name: one.call_by for one in of(db).recipients}
    assert (by["巡回3班"], by["安"]) == ("090-0000-0003", "090-0000-0003")


def test_taking_back_what_was_said_by_voice_changes_nothing_for_whoever_wrote_it_down(db: Any, insert: Any) -> None:
    instruction = given(insert, TABLET_ID, BOB)
    held(db, 1, 110)
    answer(insert, instruction, "ack", 200, author=BOB, node=HUB.hex())
    voice = answer(insert, instruction, "done", 210, author=BOB, node=HUB.hex(), on_behalf_of=TABLET_ID, means="phone")
    answer(insert, instruction, "taken_back", 220, author=BOB, node=HUB.hex(), takes_back=voice)
    by_name = {one.name: one for one in of(db).recipients}
    assert [one["state"] for one in by_name["坊"].answers] == ["ack"]
    assert by_name["坊"].last is not None and by_name["坊"].last["state"] == "ack"
    assert (by_name["端末3"].state, by_name["端末3"].voice, by_name["端末3"].answers) == ("waiting", None, [])


def test_nobody_takes_back_what_another_answered(db: Any, insert: Any) -> None:
    instruction = given(insert, ANN)
    held(db, 1, 110)
    done = answer(insert, instruction, "done", 200, author=ANN)
    answer(insert, instruction, "taken_back", 210, author=BOB, takes_back=done)
    assert of(db).group == "done"
    assert orders.unheard(db, INCIDENT, 500, 500) == []
    assert instructions.own_answer(db, instruction, done, BOB) is None
    assert instructions.own_answer(db, instruction, done, ANN) is not None


def test_one_that_was_withdrawn_waits_for_nobody(db: Any, insert: Any) -> None:
    given(insert, ANN, withdrawn_at=150)
    held(db, 1, 110)
    assert of(db).group == "done"
    assert orders.waiting(db, INCIDENT, orders.Me.of(ANN, TEAM, TABLET.hex())) == []


def test_what_waits_for_me_is_what_nobody_addressed_here_has_answered(db: Any, insert: Any) -> None:
    me = orders.Me.of(BOB, None, TABLET.hex())
    mine = given(insert, BOB, created_at=100)
    given(insert, ANN, seq=2)
    here = given(insert, TABLET_ID, seq=3, created_at=90, priority="normal")
    assert [(one.id, one.urgent) for one in orders.waiting(db, INCIDENT, me)] == [(mine, True), (here, False)]
    answer(insert, here, "ack", 200, author=ANN, node=TABLET.hex())
    assert [one.id for one in orders.waiting(db, INCIDENT, me)] == [mine]
    assert {one.id for one in orders.mine(db, INCIDENT, me)} == {mine, here}


def test_a_colleague_of_the_team_has_answered_for_the_team(db: Any, insert: Any) -> None:
    instruction = given(insert, TEAM)
    me = orders.Me.of(BOB, TEAM, HUB.hex())
    assert [one.id for one in orders.waiting(db, INCIDENT, me)] == [instruction]
    answer(insert, instruction, "started", 200, author=ANN, node=TABLET.hex())
    assert orders.waiting(db, INCIDENT, me) == []


def test_many_instructions_take_as_many_queries_as_one(db: Any, insert: Any) -> None:
    """No query a row: what is asked of the engine does not grow with the list."""
    asked: list[str] = []

    def count_of(instructions_: int) -> int:
        for seq in range(len(instructions.listed(db, INCIDENT)) + 1, instructions_ + 1):
            given(insert, TABLET_ID, ANN, seq=seq)
            held(db, seq, 110)
        listed = instructions.listed(db, INCIDENT)
        asked.clear()
        db.set_trace_callback(asked.append)
        ladders(db, listed, HERE)
        db.set_trace_callback(None)
        return len(asked)

    assert count_of(2) == count_of(60)


@pytest.mark.parametrize("who", [ANN, BOB, TEAM, TABLET_ID])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"author": ANN},
        {"author": BOB},
        {"node": TABLET.hex(), "author": BOB},
        {"author": BOB, "on_behalf_of": TEAM},
    ],
)
def test_what_hq_must_call_is_what_the_ladder_says_is_not_acknowledged(
    db: Any, insert: Any, who: str, said: dict[str, str]
) -> None:
    instruction = given(insert, who)
    if said:
        answer(insert, instruction, "ack", 200, **said)
    held(db, 1, 110)
    missing = [instruction] if of(db).count("waiting") else []
    assert [one.id for one in orders.unheard(db, INCIDENT, 100, 100)] == missing
    assert orders.unheard(db, INCIDENT, 99, 5_000) == [], "an urgent one has the time of urgent ones"
    insert("instructions", text="返す", priority="normal", recipients=[who], created_at=50, withdrawn_at=60)
    assert len(orders.unheard(db, INCIDENT, 0, 100)) == 0, "what was withdrawn is asked of nobody"


def given_back(db: Any) -> list[str]:
    return [one.instruction.id for one in refused(db, INCIDENT, HERE)]


def test_what_another_of_the_team_has_done_waits_for_no_decision(db: Any, insert: Any) -> None:
    instruction = given(insert, TEAM)
    held(db, 1, 110)
    insert("users", NEW, name="新", role="patrol", home_node=TABLET.hex(), team=TEAM)
    answer(insert, instruction, "cannot", 200, author=ANN)
    assert given_back(db) == [instruction]
    answer(insert, instruction, "done", 210, author=NEW)
    assert (given_back(db), of(db).group) == ([], "done")


def test_an_order_that_somebody_cannot_carry_out_is_not_done(db: Any, insert: Any) -> None:
    instruction = given(insert, ANN, BOB)
    held(db, 1, 110)
    answer(insert, instruction, "cannot", 200, author=ANN)
    assert (of(db).group, given_back(db)) == ("waiting", [instruction])
    answer(insert, instruction, "done", 210, author=BOB)
    assert (of(db).group, given_back(db)) == ("cannot", [instruction])
    answer(insert, instruction, "done", 220, author=ANN)
    assert (of(db).group, given_back(db)) == ("done", [])
