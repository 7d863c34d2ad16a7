"""The staff register: a city's list taken into it, its pages, and how somebody is reached, which is sealed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from app.imports import run, staff, staff_list
from app.node import Node
from app.queries import sealed_reads
from app.queries import staff as queries
from app.queries.row import Record
from maps.errors import BadFile
from maps.importers.files import Dataset
from tests import house
from tests.house import House

HEAD = "職員番号,氏名,ふりがな,所属,班,役割,参集場所,配備区分,携帯電話,メールアドレス"
LIST = f"""{HEAD}
1001,佐久間 誠,さくま まこと,危機管理課,統括班,本部,市役所3階,注意配備,090-0000-0001,sakuma@city.example
1002,山田 太郎,やまだ たろう,道路課,巡回3班,巡回,市役所,第１配備,090-0000-0002,yamada@city.example
1003,宮脇 花子,みやわき はなこ,教育総務課,,避難所指定職員,葦原第二小学校,第2配備,090-0000-0003,
"""


@pytest.fixture(scope="module")
def hq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from house.built(tmp_path_factory.mktemp("staff"))


def listed(folder: Path, text: str, encoding: str = "utf-8") -> staff_list.Found:
    path = folder / "名簿.csv"
    path.write_bytes(text.encode(encoding))
    return staff_list.read(Dataset(path, path.name))


def register(node: Node) -> dict[str, Record]:
    return {person["employee_number"]: person for person in queries.listed(node.reader(), resting=True)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_list_is_read_in_whatever_encoding_it_was_saved(tmp_path: Path, encoding: str) -> None:
    found = listed(tmp_path, LIST, encoding)
    assert (found.report.read, found.report.accepted, found.report.faults) == (3, 3, [])
    first, second, third = found.records
    assert first["name"] == "佐久間 誠" and first["role"] == "hq" and first["from_level"] == "attention"
    assert second["from_level"] == "first" and second["phone"] == "090-0000-0002"
    assert third["role"] == "shelter" and "mail" not in third and "team" not in third


def test_a_broken_row_is_told_with_its_line_and_left_out(tmp_path: Path) -> None:
    broken = "\n".join((
        LIST.strip(), ",,,危機管理課,,,,,,", "1005,長谷,,,,将軍,,,,", "1006,堀,,,,,,,,horiATcity.example",
        "1001,別の人,,,,,,,,", "1008,余,,,,,,,,,,あふれた", "1009,良い人,,,,,,,,",
    ))  # fmt: skip
    found = listed(tmp_path, broken)
    assert [(fault.line, fault.field) for fault in found.report.faults] == [
        (5, "name"), (6, "role"), (7, "mail"), (8, "employee_number"), (9, "line"),
    ]  # fmt: skip
    assert (found.report.read, found.report.accepted, found.report.skipped) == (9, 4, 5)
    assert found.records[-1]["name"] == "良い人"
    assert found.report.faults[1].value == "将軍" and "本部" in (found.report.faults[1].proposal or "")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "所属,班\n道路課,巡回3班\n"])
def test_what_is_no_list_of_people_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile) as refused:
        listed(tmp_path, text)
    assert refused.value.hint


def test_the_child_reads_the_list_and_hands_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "名簿.csv"
    path.write_text(LIST, "cp932")
    with run.made("staff", path, {}) as result:
        assert result["report"]["accepted"] == 3
        assert Path(result["staff"]).read_text("utf-8").count("氏名") == 0
    assert not Path(result["staff"]).exists()


def test_a_list_taken_twice_makes_nobody_twice(hq: House, tmp_path: Path) -> None:
    rows = listed(tmp_path, LIST).records
    dry = staff.take(hq.node, rows, dry_run=True)
    assert dry["created"] == 3 and "1001" not in register(hq.node)
    assert staff.take(hq.node, rows) == {"created": 3, "changed": 0, "unchanged": 0, "faults": []}
    before = dict(hq.node.published().vector)
    assert staff.take(hq.node, rows) == {"created": 0, "changed": 0, "unchanged": 3, "faults": []}
    assert dict(hq.node.published().vector) == before
    teams = [name for (name,) in hq.node.reader().execute("SELECT name FROM teams ORDER BY name")]
    assert {"巡回3班", "統括班"} <= set(teams) and len(teams) == len(set(teams))


def test_a_newer_list_changes_what_it_brings_and_keeps_what_people_said(hq: House, tmp_path: Path) -> None:
    staff.take(hq.node, listed(tmp_path, LIST).records)
    person = register(hq.node)["1002"]
    page = f"/incidents/{hq.ids['incident_id']}/staff/{person.id}"
    asked = form_of(hq, page)
    saved = hq.ask("commander", "POST", page, asked | {"place": "第二庁舎"})
    assert saved.status_code == 303, saved.text
    newer = LIST.replace("道路課", "道路河川課").replace("090-0000-0002", "090-1111-2222")
    done = staff.take(hq.node, listed(tmp_path, newer).records)
    assert (done["created"], done["changed"]) == (0, 1)
    assert [fault["field"] for fault in done["faults"]] == ["place"]
    person = register(hq.node)["1002"]
    assert (person["place"], person["department"], person.conflicts) == ("第二庁舎", "道路河川課", 0)
    contact = queries.contact(hq.node.reader(), person.id)
    assert contact is not None and (contact["phone"], contact.conflicts) == ("090-1111-2222", 0)


def form_of(hq: House, page: str) -> dict[str, str]:
    """What the browser sends back of a page that was drawn."""
    text = hq.ask("commander", "GET", page).text
    form = text[text.index('<details class="panel') :]
    found = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*?value="([^"]*)"', form))
    found |= dict.fromkeys(re.findall(r'<select[^>]*name="(\w+)"', form), "")
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return {name: html.unescape(value) for name, value in found.items()} | {"active": "yes"}


def test_a_person_added_on_the_spot_has_a_sealed_telephone(hq: House) -> None:
    pages = f"/incidents/{hq.ids['incident_id']}/staff"
    typed = {
        "_id": str(uuid7()),
        "name": "応援 一郎",
        "support": "yes",
        "phone": "090-7777-0001",
        "place": "葦原小学校",
    }
    saved = hq.ask("shelter_staff", "POST", pages, typed)
    assert saved.status_code == 303, saved.text
    page = saved.headers["Location"]
    shown = hq.ask("shelter_staff", "GET", page)
    assert "応援 一郎" in shown.text and "090-7777-0001" not in shown.text
    assert hq.ask("shelter_staff", "GET", f"{page}/contacts").status_code == 403
    reads = len(sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"]))
    opened = hq.ask("commander", "GET", f"{page}/contacts")
    assert "090-7777-0001" in opened.text
    entries = sealed_reads.listed(hq.node.reader(), hq.ids["incident_id"])
    assert len(entries) == reads + 1 and entries[0]["collection"] == "staff"
    clear = hq.node.reader().execute("SELECT count(*) FROM op WHERE instr(body, ?)", ("090-7777-0001",)).fetchone()
    assert clear[0] == 0


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("patrol", 303), ("hq_operator", 303)])
def test_who_may_add_somebody(hq: House, role: str, status: int) -> None:
    typed = {"_id": str(uuid7()), "name": f"新しい人 {role}"}
    assert hq.ask(role, "POST", f"/incidents/{hq.ids['incident_id']}/staff", typed).status_code == status


@pytest.mark.parametrize("broken", [{"name": ""}, {"name": "あ" * 101}, {"name": "良", "mail": "a\r\nBcc: x@y"}])
def test_a_wrong_value_is_said_and_nothing_typed_is_lost(hq: House, broken: dict[str, str]) -> None:
    typed = {"_id": str(uuid7()), "place": "市役所の3階です"} | broken
    answer = hq.ask("commander", "POST", f"/incidents/{hq.ids['incident_id']}/staff", typed)
    assert answer.status_code == 422 and "市役所の3階です" in answer.text


def test_the_api_takes_a_person_with_the_telephone_and_never_gives_it_back(hq: House) -> None:
    made = hq.made("staff", name="森 健", phone="090-5555-1234", from_level="second")
    shown = hq.ask("commander", "GET", f"/api/v1/staff/{made}")
    assert shown.get_json()["name"] == "森 健" and "090-5555-1234" not in shown.text
    assert hq.ask("commander", "GET", f"/api/v1/staff/{made}?include=sealed").status_code == 403
    contact = queries.contact(hq.node.reader(), made)
    assert contact is not None and contact["phone"] == "090-5555-1234"
    refused = hq.ask("commander", "POST", "/api/v1/staff", {"name": "だれか", "team": str(uuid7())})
    assert (refused.status_code, refused.get_json()["field"]) == (422, "team")
    assert hq.ask("commander", "GET", "/api/v1/export/staff.csv").text.count("090-") == 0


def person(name: str, **fields: Any) -> Record:
    empty = dict.fromkeys(("team", "role", "from_level", "support", "user", "kana", "department", "place"))
    return Record(
        "staff", name, "00", None, 0, 0, None, "", 0, 0, {**empty, "name": name, "employee_number": None, **fields}
    )


def test_a_level_calls_everybody_up_to_it_and_the_highest_calls_all() -> None:
    people = [
        person("危機", from_level="attention"), person("道路", from_level="first", role="flood", team="t"),
        person("教育", from_level="second"), person("未定"), person("応援", support=True, from_level="attention"),
    ]  # fmt: skip

    def called(level: str, *teams: str) -> list[str]:
        return [one["name"] for one in queries.called_at(people, level, teams)]

    assert called("attention") == ["危機"]
    assert called("first") == ["危機", "道路"]
    assert called("second") == ["危機", "道路", "教育"]
    assert called("emergency") == ["危機", "道路", "教育", "未定"]
    assert called("emergency", "t") == ["道路"]
    assert called("flood_out") == ["道路"] and called("unknown") == []


def test_somebody_who_logged_in_is_found_by_the_entry_else_by_a_name_that_only_one_has() -> None:
    login = person("山田太郎")
    alone, entered = person("山田 太郎", user=None), person("Y. Yamada", user=login.id)
    assert queries.of_user([alone], login) is alone
    assert queries.of_user([alone, entered], login) is entered
    assert queries.of_user([alone, person("山田　太郎")], login) is None
    assert queries.of_user([alone], None) is None


def test_words_find_people_whatever_their_width_and_spaces() -> None:
    people = [person("山田 太郎", kana="ヤマダ", department="道路課"), person("森", team="t")]
    assert [one["name"] for one in queries.narrowed(people, "山田太郎")] == ["山田 太郎"]
    assert [one["name"] for one in queries.narrowed(people, "ﾔﾏﾀﾞ 道路")] == ["山田 太郎"]
    assert [one["name"] for one in queries.narrowed(people, team="t")] == ["森"]
