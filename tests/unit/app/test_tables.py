"""書き出し: a list as a table holds what its page shows to this person, narrowed as the page is, and nothing sealed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest

from app import catalog, words
from app.records import KINDS
from app.views.tables import LISTS, WORKBOOK_ROWS_MAX
from tests.house import House, built

EVIL = "＝HYPERLINK(A1)"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for made in built(tmp_path_factory.mktemp("tables")):
        incident = made.ids["incident_id"]
        made.made("damage-reports", incident_id=incident, category="road", summary=EVIL, response_status="done")
        made.made("chronicle", incident_id=incident, text="避難所の鍵を開けた", source="radio")
        yield made


def address(house: House, name: str, form: str = "csv") -> str:
    city = next(one.city for one in LISTS if one.name == name)
    return f"{'' if city else '/incidents/' + house.ids['incident_id']}/tables/{name}.{form}"


def table(house: House, name: str, query: str = "", role: str = "commander") -> list[dict[str, str]]:
    answer = house.browser(role).get(address(house, name) + query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("name", [one.name for one in LISTS])
def test_every_list_has_both_forms_with_the_words_of_its_columns(house: House, name: str) -> None:
    browser = house.browser("commander")
    heads = [told[0] for told in catalog.columns(name).values()]
    sheet = openpyxl.load_workbook(io.BytesIO(browser.get(address(house, name, "xlsx")).data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert list(rows[0][: len(heads)]) == heads
    assert len(rows) - 1 == len(table(house, name))
    browser.set_cookie("tomoshibi_language", "en")
    english = browser.get(address(house, name)).text.removeprefix("\ufeff").splitlines()[0]
    assert english.startswith(",".join(f'"{told[1]}"' for told in catalog.columns(name).values()))


def test_the_page_of_every_list_offers_its_table(house: House) -> None:
    here, browser = f"/incidents/{house.ids['incident_id']}", house.browser("commander")
    pages = _menu(browser.get(here).text, here)
    pages += ["/incidents", "/users", "/devices", "/report-phrases"]
    pages += [f"{here}/{name}" for name in ("sealed-reads", "staff", "teams")]
    shown = "".join(browser.get(page).text for page in pages)
    assert [one.name for one in LISTS if f"/tables/{one.name}.xlsx" not in shown] == []


def _menu(page: str, here: str) -> list[str]:
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    return re.findall(rf'href="({here}/[^"]+)"', nav)


def test_a_table_is_narrowed_as_the_list_is(house: House) -> None:
    assert len(table(house, "damage-reports")) == 2
    assert [row["ひとこと"] for row in table(house, "damage-reports", "?group=done")] == [f"'{EVIL}"]
    sealed = words.seal(house.node.keys.data_key, "冠水")
    assert [row["ひとこと"] for row in table(house, "damage-reports", f"?words={sealed}")] == ["冠水"]
    assert {row["できごと"] for row in table(house, "chronicle", "?group=written")} == {"避難所の鍵を開けた 無線"}
    page = house.browser("commander").get(f"/incidents/{house.ids['incident_id']}/damage-reports?group=done").text
    assert "/tables/damage-reports.csv?group=done" in page


def test_a_table_says_codes_names_and_times_in_words_and_that_it_is_a_drill(house: House) -> None:
    row = table(house, "damage-reports", "?group=open")[0]
    assert (row["被害区分"], row["報告者"], row["写真・声"]) == ("内水・冠水・浸水", "人 commander", "1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row["報告の時刻"])
    assert (row["災害"], row["訓練・実災害"]) == ("訓練の台風", "訓練")
    named = house.browser("commander").get(address(house, "damage-reports")).headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="drill-damage-reports-\d{8}-\d{4}\.csv"', named)


def test_a_table_has_one_row_for_each_recipient_of_an_instruction(house: House) -> None:
    rows = table(house, "instructions")
    assert [(row["何をする"], row["宛先"], row["いまのようす"]) for row in rows] == [("土のうを積む", "人 patrol", "")]
    assert rows[0]["本部に届いた"]


def test_what_a_channel_shows_to_its_members_is_in_no_table_of_others(house: House) -> None:
    assert "ここだけの話" in [row["本文"] for row in table(house, "chat-messages")]
    for name in ("chat-messages", "chronicle"):
        told = table(house, name, "?group=chat", role="patrol")
        assert "ここだけの話" not in str(told)
    assert table(house, "chat-messages", f"?channel={house.ids['hidden']}", role="patrol") == []


def test_no_table_has_a_column_of_what_is_sealed() -> None:
    sealed = {field for kind in KINDS if kind.sealed for field in kind.fields}
    sealed -= {field for kind in KINDS if not kind.sealed for field in kind.fields}
    told = {(one.name, field) for one in LISTS for field in catalog.columns(one.name)}
    assert sealed
    assert {(name, field) for name, field in told if field in sealed} == set()


def test_a_workbook_that_would_be_too_long_is_refused_with_a_hint(house: House, monkeypatch: Any) -> None:
    assert WORKBOOK_ROWS_MAX == 20_000
    monkeypatch.setattr("app.views.tables.WORKBOOK_ROWS_MAX", 1)
    answer = house.browser("commander").get(address(house, "damage-reports", "xlsx"))
    assert answer.status_code == 413 and "CSV" in answer.text
