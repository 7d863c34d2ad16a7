"""A collection as a table: what the person may read, all of it, and in the columns that were promised."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from app.commands import export
from app.errors import CommandFailed
from tests.house import House, built

EVIL = "＝HYPERLINK(A1)"
MANY = 1_203  # more than two pages


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    for made in built(tmp_path_factory.mktemp("house")):
        made.made("damage-reports", incident_id=made.ids["incident_id"], category="road", summary=EVIL)
        yield made


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def test_a_csv_has_every_record_and_no_formula(house: House) -> None:
    answer = house.ask("viewer", "GET", f"/api/v1/export/damage-reports.csv?incident_id={house.ids['incident_id']}")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="damage-reports.csv"'
    rows = rows_of(answer.text)
    assert {row["summary"] for row in rows} == {"冠水", f"'{EVIL}"}
    listed = house.ask("viewer", "GET", "/api/v1/damage-reports").get_json()["items"]
    assert {row["id"] for row in rows} == {item["id"] for item in listed}


def test_a_workbook_says_a_position_as_two_numbers(house: House) -> None:
    answer = house.ask("viewer", "GET", "/api/v1/export/patrol-points.xlsx")
    header, row = openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True)
    told = dict(zip(header, row, strict=True))
    assert (told["location_lat"], told["location_lon"]) == (31.5, 136.0)


def test_every_page_of_a_long_table_is_in_it_once(house: House) -> None:
    from app.queries import exports, row
    from app.queries.row import Where

    pages = [row.page(house.node.reader(), "damage-reports", Where(), 1, None).items[0]]

    class Pages:
        """The one record again and again, as if there were many."""

        left = MANY

    def page(db: object, name: str, where: object, limit: int, cursor: str | None) -> row.Page:
        count = min(limit, Pages.left)
        Pages.left -= count
        return row.Page(pages * count, "more" if Pages.left else None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row, "page", page)
        kind = row.kind_of("damage-reports")
        told = list(exports.rows(house.node.reader, kind, Where(), lambda kind, record: {"id": record.id}))
    assert len(told) == MANY


@pytest.mark.parametrize("path", ["nothing.csv", "damage-reports.pdf", "damage-reports", "users.csv?secret=1"])
def test_what_there_is_no_table_of_is_refused(house: House, path: str) -> None:
    assert house.ask("commander", "GET", f"/api/v1/export/{path}").status_code in (400, 404, 422)


def test_no_table_tells_a_credential(house: House) -> None:
    text = house.ask("admin", "GET", "/api/v1/export/users.csv").text
    assert "人 viewer" in text and "verifier" not in text and "tmb_" not in text


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_command_writes_the_same_into_a_new_private_file(house: House, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"table.{form}"
    told = export.perform(house.node, "damage-reports", str(target), form, house.ids["incident_id"])
    asked = house.ask("commander", "GET", f"/api/v1/export/damage-reports.{form}").data
    assert told["rows"] == 2 and target.stat().st_mode & 0o077 == 0
    if form == "csv":
        assert target.read_bytes() == asked
    with pytest.raises(CommandFailed, match="there already"):
        export.perform(house.node, "damage-reports", str(target), form, None)


def test_the_command_leaves_out_what_only_members_see(house: House, tmp_path: Path) -> None:
    for collection, hidden in (("channels", "幹部だけ"), ("chat-messages", "ここだけの話")):
        export.perform(house.node, collection, str(tmp_path / collection), "csv", None)
        assert hidden not in (tmp_path / collection).read_text("utf-8")


@pytest.mark.parametrize(
    "collection", ["nothing", "drafts", "attachments", "channel-reads", "damage-report-people", "../users"]
)
def test_the_command_exports_collections_only(house: House, tmp_path: Path, collection: str) -> None:
    with pytest.raises(CommandFailed, match="no collection"):
        export.perform(house.node, collection, str(tmp_path / "x"), "csv", None)
