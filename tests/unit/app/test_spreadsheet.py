"""Whatever somebody wrote, a spreadsheet gets a text: the first sign that can be seen decides, in its plain form."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from typing import Any

import hypothesis.strategies as st
import openpyxl
import pytest
from hypothesis import example, given, settings

from app import spreadsheet
from app.spreadsheet import csv_lines, harmless, xlsx

DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁺", "₌", "−", "|", "%")
UNSEEN = (
    "",
    " ",
    "　",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\u2060",
    "\t",
    "\r",
    "\n",
    "\x00",
    "\u0301",
    " \u200b　",
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize("sign", DANGEROUS)
@pytest.mark.parametrize("before", UNSEEN)
def test_a_sign_that_begins_a_formula_stands_behind_an_apostrophe(sign: str, before: str) -> None:
    assert harmless(f"{before}{sign}1+1").startswith("'")


@pytest.mark.parametrize(
    "text", ["", "冠水 30cm", "1 = 1", "a@b", "３丁目", "'=1", "（＋）", "ー", "〜", "・", "※", "#1", "\u200b"]
)
def test_what_begins_no_formula_stays_as_it_was(text: str) -> None:
    assert harmless(text) == text


@given(TEXTS)
@settings(max_examples=400)
def test_no_cell_of_a_csv_begins_like_a_formula(text: str) -> None:
    (_, row) = read_csv([[text, 5, -1.5, None]])
    kinds = ((sign, unicodedata.category(sign)) for sign in row[0])
    visible = next((sign for sign, kind in kinds if kind == "Mc" or kind[0] not in "CZM"), "")
    assert unicodedata.normalize("NFKC", visible)[:1] not in ("=", "+", "-", "@")
    assert row[0][:1] not in ("\t", "\r", "\n", "\x00")
    assert row[1:] == ["5", "-1.5", ""]


@given(st.sampled_from(DANGEROUS + UNSEEN), TEXTS)
@example("=", "cmd|' /C calc'!A0")
@settings(max_examples=200)
def test_a_workbook_holds_texts_and_numbers_and_nothing_else(start: str, text: str) -> None:
    cells = cells_of(xlsx([start + text], [[start + text, 5, -1.5]]))
    assert {cell.data_type for row in cells for cell in row} <= {"s", "n", "inlineStr"}
    assert [cell.value for cell in cells[1]][1:] == [5, -1.5]


@pytest.mark.parametrize("text", ["=SUM(A1:A9)", "冠水\n二行目", "<b>&\"'</b>", "  両端の空白  ", "😀", "x" * 30_000])
def test_a_text_comes_out_of_a_workbook_as_it_went_in(text: str) -> None:
    assert cells_of(xlsx(["列"], [[text]]))[1][0].value == text


def test_what_looks_like_an_escaped_character_is_told_apart_from_one() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx(["列"], [["_x003D_1+1"]]))) as archive:
        assert b">_x005F_x003D_1+1<" in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\ud800b", "a\ufffeb"])
def test_what_no_workbook_can_hold_is_replaced(text: str) -> None:
    assert cells_of(xlsx(["列"], [[text]]))[1][0].value == "a\ufffdb"


def test_a_workbook_has_no_part_that_could_run_or_call() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx(["a"], [["=1"]]))) as archive:
        assert sorted(archive.namelist()) == sorted([*spreadsheet._PARTS, "xl/worksheets/sheet1.xml"])
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
        assert not any(b"External" in archive.read(name) for name in archive.namelist())


def test_a_csv_opens_as_utf_8_and_keeps_commas_quotes_and_lines() -> None:
    (header, row) = read_csv([['彼は"はい"と言った, そして\r\n去った']], ["列"])
    assert header == ["列"] and row == ['彼は"はい"と言った, そして\n去った']


def read_csv(rows: list[list[Any]], header: list[str] | None = None) -> list[list[str]]:
    text = "".join(csv_lines(header or ["x"] * len(rows[0]), rows))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))


def cells_of(data: bytes) -> list[Any]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    try:
        return list(book.active.iter_rows())
    finally:
        book.close()


def test_the_heading_of_a_workbook_stays_in_sight_and_stands_on_every_sheet_of_paper() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(spreadsheet.xlsx(["a"], [["b"]]))).active
    assert (sheet.freeze_panes, sheet.print_title_rows, sheet.page_setup.orientation) == ("A2", "$1:$1", "landscape")
    assert (sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage) == (0, True)
