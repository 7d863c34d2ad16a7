"""Call-outs: who is called, who has not answered, answers for oneself and for others, and what only HQ may read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from uuid6 import uuid7

from app.chronology import Narrowed
from app.queries import musters as queries
from app.queries import row, sealed_reads
from app.queries.musters import Board
from tests import house
from tests.house import House


@pytest.fixture(scope="module")
def hq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for built in house.built(tmp_path_factory.mktemp("musters")):
        built.ids["team"] = built.made("teams", name="巡回3班")
        for name, level in (("一の人", "attention"), ("二の人", "first"), ("三の人", "second"), ("四の人", None)):
            built.ids[name] = built.made("staff", name=name, from_level=level, team=built.ids["team"], phone="090-0")
        built.ids["me"] = built.made("staff", name="人commander", from_level="first")
        yield built


def called(hq: House, level: str = "second", **more: Any) -> str:
    return hq.made("musters", incident_id=hq.ids["incident_id"], level=level, **more)


def board(hq: House, muster: str) -> Board:
    found = queries.get(hq.node.reader(), muster)
    assert found is not None
    return queries.boards(hq.node.reader(), [found])[0]


def names(found: Board, group: str) -> set[str]:
    return {line.person["name"] for line in found.lines if line.group == group}


def answer(hq: House, role: str, muster: str, person: str, **typed: str) -> Any:
    path = f"/incidents/{hq.ids['incident_id']}/musters/{muster}/people/{hq.ids[person]}"
    return hq.ask(role, "POST", path, typed)


def test_who_has_not_answered_stands_first_and_each_tap_moves_one(hq: House) -> None:
    muster = called(hq)
    assert names(board(hq, muster), "waiting") == {"一の人", "二の人", "三の人", "人commander", "山田 太郎"}
    assert answer(hq, "patrol", muster, "一の人", state="replied_ok").status_code == 303
    assert answer(hq, "patrol", muster, "二の人", late="30").status_code == 303
    assert answer(hq, "hq_operator", muster, "三の人", reason_code="family", means="phone").status_code == 303
    found = board(hq, muster)
    assert [line.group for line in found.lines] == ["waiting", "waiting", "late", "unable", "coming"]
    late = next(line for line in found.lines if line.group == "late")
    assert late.reply and late.reply["eta_at"] - late.reply["happened_at"] == 30 * 60_000
    page = hq.ask("viewer", "GET", f"/incidents/{hq.ids['incident_id']}/musters/{muster}").text
    places = [page.index(name) for name in ("山田 太郎", "二の人", "三の人", "一の人")]
    assert places == sorted(places)


def test_counts_of_the_teams_add_up(hq: House) -> None:
    muster = called(hq)
    answer(hq, "patrol", muster, "一の人", state="replied_ok")
    found = board(hq, muster)
    teams = {one.team: one for one in found.teams()}
    assert teams[hq.ids["team"]].counts == {"coming": 1, "waiting": 2}
    assert sum(one.total for one in teams.values()) == found.total == 5


def test_duty_follows_the_answer_and_the_newest_holds(hq: House) -> None:
    muster = called(hq)
    for state in ("replied_ok", "arrived", "on_duty", "resting", "released"):
        assert answer(hq, "shelter_staff", muster, "一の人", state=state).status_code == 303
        line = next(line for line in board(hq, muster).lines if line.person.id == hq.ids["一の人"])
        assert line.state == state
    page = f"/incidents/{hq.ids['incident_id']}/musters/{muster}/people/{hq.ids['一の人']}"
    assert hq.ask("viewer", "GET", page).text.count('<li class="todo">') == 5


def test_safety_and_reasons_are_sealed_and_each_opening_is_noted(hq: House) -> None:
    muster, secret = called(hq), "姉が入院している検体"
    answer(
        hq, "patrol", muster, "一の人", state="replied_unable", reason=secret, own_safety="hurt", family_safety="safe"
    )
    page = f"/incidents/{hq.ids['incident_id']}/musters/{muster}"
    for role in house.ROLES:
        assert secret not in hq.ask(role, "GET", page).text
        assert secret not in hq.ask(role, "GET", f"{page}/people/{hq.ids['一の人']}").text
    assert hq.ask("patrol", "GET", f"{page}/safety").status_code == 403
    assert hq.ask("admin", "GET", f"{page}/safety").status_code == 403
    before = len(sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"]))
    assert secret in hq.ask("hq_operator", "GET", f"{page}/safety").text
    noted = sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"])
    assert len(noted) == before + 1 and (noted[0]["collection"], noted[0]["count"]) == ("musters", 1)
    found = hq.node.reader().execute("SELECT count(*) FROM op WHERE instr(body, ?)", (secret.encode(),)).fetchone()
    assert found[0] == 0
    reply = board(hq, muster).lines[0]
    shown = hq.ask("commander", "GET", "/api/v1/muster-replies?muster_id=" + muster)
    assert secret not in shown.text and reply is not None


def test_a_person_with_an_entry_is_asked_until_they_answered(hq: House) -> None:
    muster = called(hq)
    front = f"/incidents/{hq.ids['incident_id']}"
    menu = hq.ask("commander", "GET", f"{front}/menu").text
    assert muster in menu.partition('data-urgent="')[2].partition('"')[0]
    assert muster in hq.ask("viewer", "GET", f"{front}/menu").text.partition('data-waiting="')[2].partition('"')[0]
    assert "回答する" in hq.ask("commander", "GET", f"{front}/musters").text
    answer(hq, "commander", muster, "me", state="replied_ok")
    assert (
        muster not in hq.ask("commander", "GET", f"{front}/menu").text.partition('data-urgent="')[2].partition('"')[0]
    )


def test_a_lifted_call_out_stays_and_is_quiet(hq: House) -> None:
    muster = called(hq)
    page = f"/incidents/{hq.ids['incident_id']}/musters/{muster}"
    seen = hq.ask("commander", "GET", page).text.partition('name="versions" value="')[2].partition('"')[0]
    typed = {"versions": seen.replace("&#34;", '"')}
    assert hq.ask("commander", "POST", f"{page}/lift", typed).status_code == 303
    assert "解除" in hq.ask("viewer", "GET", page).text
    assert muster not in hq.ask("commander", "GET", f"/incidents/{hq.ids['incident_id']}/menu").text
    assert answer(hq, "patrol", muster, "一の人", state="released").status_code == 303  # who comes late is still heard


def test_support_staff_added_from_the_board_are_on_duty_at_once(hq: House) -> None:
    muster = called(hq)
    typed = {"_id": str(uuid7()), "name": "応援 さん", "support": "yes", "muster": muster}
    assert hq.ask("shelter_staff", "POST", f"/incidents/{hq.ids['incident_id']}/staff", typed).status_code == 303
    assert names(board(hq, muster), "here") == {"応援 さん"}


def test_a_call_out_and_its_counts_are_a_line_of_the_chronology_without_a_name(hq: House) -> None:
    muster = called(hq, message="本庁舎の東口から")
    answer(hq, "patrol", muster, "一の人", state="replied_ok")
    lines = hq.node.chronology.lines(hq.ids["incident_id"], Narrowed(groups=("musters",)), 50)
    assert lines[0].record == muster and {line.kind for line in lines} == {"musters"}
    page = hq.ask("viewer", "GET", f"/incidents/{hq.ids['incident_id']}/chronicle?group=musters").text
    assert "参集をかけた" in page and "未回答 4" in page and "一の人" not in page


@pytest.mark.parametrize(
    ("document", "field"),
    [({}, "level"), ({"level": "all hands"}, "level"), ({"level": "first", "teams": [str(uuid7())]}, "teams")],
)
def test_a_wrong_call_out_is_refused(hq: House, document: dict[str, Any], field: str) -> None:
    asked = {"incident_id": hq.ids["incident_id"], **document}
    refused = hq.ask("commander", "POST", "/api/v1/musters", asked)
    assert (refused.status_code, refused.get_json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("document", "field"),
    [({"state": "maybe"}, "state"), ({"state": "replied_ok", "user": str(uuid7())}, "user"),
     ({"state": "replied_ok", "means": "link"}, "means")],
)  # fmt: skip
def test_a_wrong_answer_is_refused(hq: House, document: dict[str, Any], field: str) -> None:
    refused = hq.ask("patrol", "POST", "/api/v1/muster-replies", {"muster_id": called(hq), **document})
    assert (refused.status_code, refused.get_json()["field"]) == (422, field)


def test_the_api_answers_for_whoever_asks_and_takes_safety_sealed(hq: House) -> None:
    muster = called(hq)
    document = {
        "muster_id": muster,
        "state": "replied_late",
        "eta_at": "2026-10-12T21:00:00+09:00",
        "own_safety": "safe",
    }
    made = hq.ask("commander", "POST", "/api/v1/muster-replies", document)
    assert made.status_code == 201 and made.get_json()["user"] == hq.ids["person commander"]
    assert "own_safety" not in made.get_json()
    assert names(board(hq, muster), "late") == {"人commander"}
    opened = hq.ask("commander", "GET", f"/api/v1/muster-replies/{made.get_json()['id']}?include=sealed")
    assert opened.get_json()["own_safety"] == "safe"
    assert hq.ask("viewer", "GET", "/api/v1/export/musters.csv").status_code == 200
    assert "safe" not in hq.ask("viewer", "GET", "/api/v1/export/muster-replies.csv").text


def test_three_hundred_people_cost_no_query_each(hq: House) -> None:
    muster = called(hq, level="emergency")
    found = queries.get(hq.node.reader(), muster)
    assert found is not None
    asked: list[str] = []
    reader = hq.node.reader()

    class Counting:
        def execute(self, sql: str, *rest: Any) -> Any:
            asked.append(sql)
            return reader.execute(sql, *rest)

    queries.boards(Counting(), [found])
    assert sum(" FROM staff " in sql or " FROM muster_replies " in sql for sql in asked) == 2
    assert len(row.select(reader, row.kind_of("staff"), row.Where())) >= 6


def test_the_phone_tree_lists_who_is_to_be_called_with_telephones_and_is_noted(hq: House) -> None:
    muster = called(hq)
    answer(hq, "patrol", muster, "一の人", state="replied_ok")
    answer(hq, "patrol", muster, "二の人", state="missing")
    page = f"/incidents/{hq.ids['incident_id']}/musters/{muster}/tree"
    assert hq.ask("patrol", "GET", page).status_code == 403
    before = len(sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"]))
    sheet = hq.ask("hq_operator", "GET", page).text
    assert "二の人" in sheet and "三の人" in sheet and "一の人" not in sheet and "tel:090-0" in sheet
    assert "一の人" in hq.ask("hq_operator", "GET", f"{page}?all=1").text
    noted = sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"])
    assert [(one["page"], one["count"]) for one in noted[:2]] == [("print", 5), ("print", 4)]
    assert len(noted) == before + 2


def test_an_answer_heard_by_telephone_says_who_wrote_it_down(hq: House) -> None:
    muster = called(hq)
    answer(hq, "hq_operator", muster, "一の人", late="60", means="phone")
    (line,) = [line for line in board(hq, muster).lines if line.reply]
    assert line.reply and (line.reply["means"], line.reply.author) == ("phone", hq.ids["person hq_operator"])
    page = f"/incidents/{hq.ids['incident_id']}/musters/{muster}/people/{hq.ids['一の人']}"
    assert "記録 人 hq_operator" in hq.ask("viewer", "GET", page).text


def test_an_answer_without_a_key_to_seal_loses_nothing_that_was_typed(
    hq: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    muster = called(hq)
    monkeypatch.setattr(type(hq.node.replica.keyring), "current", lambda keyring, scope: None)
    refused = answer(hq, "patrol", muster, "一の人", state="replied_unable", reason="橋が落ちた", own_safety="safe")
    assert refused.status_code == 422 and "橋が落ちた" in refused.text and "封をする鍵" in refused.text
    assert board(hq, muster).counts["waiting"] == 5
    assert answer(hq, "patrol", muster, "一の人", state="replied_unable").status_code == 303
