"""Lists of shelters as cities write them: every fault is named with its line, and nothing is guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.records import shelters as records
from maps.errors import BadFile, MapsError
from maps.importers import shelters
from maps.importers.files import Dataset
from maps.importers.floors import capacity_of, floors_of, label_of
from maps.importers.positions import Bad, both, position
from maps.importers.shelter_fields import flag
from maps.layers import Fault
from tests.shared_data import shared_data

HEAD = "名称,緯度,経度,想定収容人数,備考"


def listed(folder: Path, text: str, encoding: str = "utf-8", name: str = "list.csv") -> shelters.Found:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return shelters.read(Dataset(path, name))


def faults(found: shelters.Found) -> list[tuple[int | None, str | None]]:
    return [(fault.line, fault.field) for fault in found.report.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_encoding_and_delimiter_of_an_office_is_read(
    tmp_path: Path, encoding: str, delimiter: str, newline: str
) -> None:
    rows = [HEAD, "戸田東小学校,35.8140,139.6877,1200,体育館", ""]
    found = listed(tmp_path, newline.join(rows).replace(",", delimiter), encoding)
    (record,) = found.records
    assert (record["name"], record["location"], record["capacity"]) == ("戸田東小学校", [139.6877, 35.814], 1200)
    assert (record["line"], found.report.faults) == (2, [])


def test_the_head_is_found_below_a_title_and_a_date(tmp_path: Path) -> None:
    found = listed(tmp_path, f"避難所一覧,,\n令和7年4月1日現在,,\n\n{HEAD}\n葦原小学校,35.81,139.68,,\n")
    assert [(record["line"], record["name"]) for record in found.records] == [(5, "葦原小学校")]


def test_a_newline_in_a_cell_does_not_shift_the_lines_of_later_faults(tmp_path: Path) -> None:
    found = listed(tmp_path, HEAD + '\n"葦原\n小学校",35.81,139.68,,"一行目\n二行目"\n本郷小学校,135.8,39.68,,\n')
    assert found.records[0]["name"] == "葦原 小学校"
    assert faults(found) == [(5, "location")]


def test_full_width_digits_are_numbers(tmp_path: Path) -> None:
    (record,) = listed(
        tmp_path, HEAD + "\n葦原小学校　校舎（３階・４階）,３５．８１,１３９．６８,１，２００人,\n"
    ).records
    assert record["location"] == [139.68, 35.81] and record["usable_floors"] == [3, 4]
    assert record["usable_floors_label"] == "校舎(3階・4階)"


@pytest.mark.parametrize(
    ("latitude", "longitude", "wanted"),
    [
        ("35.8140", "139.6877", (139.6877, 35.814)),
        ("北緯35.8140", "東経139.6877", (139.6877, 35.814)),
        ("35°48'51.1\"", "139°41′15″", (139.6875, 35.8141944)),
        ("３５度４８分５１秒", "１３９度４１分１５秒", (139.6875, 35.8141667)),
    ],
)
def test_a_position_in_any_notation(latitude: str, longitude: str, wanted: tuple[float, float]) -> None:
    assert position(latitude, longitude) == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize(
    ("latitude", "longitude", "field", "said", "proposal"),
    [
        ("139.68", "35.81", "location", "wrong order", "latitude 35.81, longitude 139.68"),
        ("35.81", "", "longitude", "missing", None),
        ("", "", "location", "no position", "address"),
        ("200", "139.68", "latitude", "outside Japan", None),
        ("35.9", "169.183412", "longitude", "outside Japan", None),
        ("354851.1", "1394115", "latitude", "outside Japan", "35.8141944"),
        ("35.81x", "139.68", "latitude", "no number", None),
    ],
)
def test_a_position_that_is_wrong_is_proposed_and_never_mended(
    latitude: str, longitude: str, field: str, said: str, proposal: str | None
) -> None:
    found = position(latitude, longitude)
    assert isinstance(found, Bad)
    assert found.field == field and said in found.problem
    assert proposal is None or proposal in (found.proposal or "")


def test_both_numbers_may_stand_in_one_cell(tmp_path: Path) -> None:
    assert both("35.81, 139.68") == ("35.81", "139.68")
    (record,) = listed(tmp_path, '名称,緯度経度\n葦原小学校,"35.81, 139.68"\n').records
    assert record["location"] == [139.68, 35.81]


@pytest.mark.parametrize("yes", ["1", "1.0", "○", "◯", "〇", "●", "有", "１"])
def test_a_flag_says_yes_in_many_ways(yes: str) -> None:
    assert flag(yes) is True


@pytest.mark.parametrize("no", ["", "0", "×", "✕", "-", "－", "ー", "無", "なし", " "])
def test_a_flag_says_no_in_many_ways(no: str) -> None:
    assert flag(no) is False


def test_a_flag_that_is_neither_is_a_fault(tmp_path: Path) -> None:
    found = listed(tmp_path, "名称,緯度,経度,災害種別_洪水,災害種別_地震\n葦原小学校,35.81,139.68,△,○\n")
    assert found.records[0]["hazards"] == ["earthquake"]
    assert faults(found) == [(2, "災害種別_洪水")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("校舎（３階・４階）", [3, 4]),
        ("校舎（２階～４階）", [2, 3, 4]),
        ("施設(3~5階)", [3, 4, 5]),
        ("3F・4F", [3, 4]),
        ("体育館2階", [2]),
        ("3・4階", [3, 4]),
        ("鉄筋コンクリート3階建て", []),
        ("校庭", []),
        ("地下1階", [-1]),
    ],
)
def test_floors_are_read_from_words(text: str, wanted: list[int]) -> None:
    assert floors_of(text) == wanted


def test_a_label_is_what_names_floors_at_the_end_of_a_name() -> None:
    assert label_of("戸田東中学校　校舎（３階・４階）") == "校舎(3階・4階)"
    assert label_of("戸田東中学校　校庭") is None
    assert label_of("中島小学校（体育館）") is None


@pytest.mark.parametrize(
    ("text", "places", "unclear"),
    [
        ("1,200人", 1200, None),
        ("約300名", 300, None),
        ("屋内480人／屋外3,350人(面積の1/2)", 480, None),
        ("150人(1人あたり2㎡)", 150, None),
        ("", None, None),
        ("-1", None, None),
        ("150～200人", None, "150"),
        ("教室による", None, ""),
    ],
)
def test_capacity_is_one_number_or_unclear(text: str, places: int | None, unclear: str | None) -> None:
    assert capacity_of(text) == (places, unclear)


def test_totals_blank_rows_and_nameless_rows_are_no_shelters(tmp_path: Path) -> None:
    found = listed(tmp_path, HEAD + "\n葦原小学校,35.81,139.68,100,\n,,,,\n,35.82,139.69,50,\n合計,,,150,\n")
    assert (found.report.read, found.report.accepted, found.report.skipped) == (3, 1, 2)
    assert faults(found) == [(4, "name"), (5, "name")]


def test_doubles_by_id_and_by_name_and_place_are_named_with_the_line_of_the_first(tmp_path: Path) -> None:
    rows = [
        "共通ID,名称,緯度,経度",
        "E1122400001111,葦原小学校,35.8100,139.6800",
        "E1122400001111,葦原小学校,35.8100,139.6800",
        ",葦原　小学校,35.8101,139.6801",
        ",葦原小学校,35.9000,139.7000",  # far away: another school of that name
        "E1122400001112,葦原小学校,35.8100,139.6800",  # an id of its own: another shelter in one building
        "E99,本郷小学校,35.82,139.69",
    ]
    found = listed(tmp_path, "\n".join(rows))
    assert [record["line"] for record in found.records] == [2, 5, 6, 7]
    assert faults(found) == [(3, "common_id"), (4, "name"), (7, "common_id")]
    assert "line 2" in found.report.faults[0].problem


def test_a_row_far_from_all_others_loses_its_pin(tmp_path: Path) -> None:
    rows = [HEAD, *(f"学校{number},35.8{number},139.6{number},," for number in range(5)), "遠い学校,43.06,141.35,,"]
    found = listed(tmp_path, "\n".join(rows))
    assert "location" not in found.records[-1] and faults(found) == [(7, "location")]


def test_cells_beyond_the_head_are_a_fault(tmp_path: Path) -> None:
    assert faults(listed(tmp_path, HEAD + "\n葦原小学校,35.81,139.68,1,200人,備考\n"))[0] == (2, None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "a,b\n1,2\n"),
        ("list.csv", '名称,緯度,経度\n"葦原,35,139\n'),
        ("list.csv", HEAD + "\n"),
        ("list.json", '{"type": "FeatureCollection"'),
        ("list.json", "[]"),
        ("list.json", '{"a": 1}'),
        ("list.json", '{"type": "unavailable", "message": "公開されていません"}'),
        ("list.json", "[" * 50_000),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(MapsError) as refused:
        listed(tmp_path, text, name=name)
    assert refused.value.hint and "\n" not in refused.value.message


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\x80\x81\xff\x00\x01" * 50)
    with pytest.raises(BadFile, match="no text"):
        shelters.read(Dataset(path, "list.csv"))


# What PROVENANCE says of each list.
COUNTS = {
    "csv/hachioji_hinanbasho.csv": 150,
    "csv/hachioji_kyusui_station.csv": 19,
    "csv/hachioji_kyukyu_iryo.csv": 15,
    "csv/echizen_hinanjo_bom.csv": 28,
    "csv/nanao_open_2024-01-09-1800.csv": 29,
    "csv/nanao_open_2024-02-26-0600.csv": 19,
    "derived/toda_gsi_emergency_utf8bom.csv": 57,
    "derived/toda_standard_cp932.csv": 57,
    "gsi_json/emergency/112241_toda.json": 57,
    "gsi_json/evacuation/112241_toda.json": 34,
    "gsi_json/emergency/112232_warabi.json": 40,
    "gsi_json/evacuation/112232_warabi.json": 32,
    "gsi_json/emergency/112038_kawaguchi.json": 137,
    "gsi_json/evacuation/112038_kawaguchi.json": 107,
    "gsi_json/emergency/112291_wako.json": 32,
    "gsi_json/evacuation/112291_wako.json": 38,
    "gsi_json/emergency/131199_itabashi.json": 86,
}


def real(name: str) -> shelters.Found:
    path = shared_data("shelters", *name.split("/"))
    return shelters.read(Dataset(path, path.name))


@pytest.mark.parametrize("name", COUNTS)
def test_every_row_of_a_real_list_is_taken_and_fits_the_records_of_the_node(name: str) -> None:
    found = real(name)
    assert (found.report.read, found.report.accepted) == (COUNTS[name], COUNTS[name])
    for record in found.records:
        records.NOUN.clean({field: value for field, value in record.items() if field not in ("line", "id")})


def test_the_31_flood_sites_of_toda_are_named_by_their_usable_floors() -> None:
    flood = [record for record in real("gsi_json/emergency/112241_toda.json").records if "flood" in record["hazards"]]
    assert len(flood) == 31
    assert all(min(record["usable_floors"]) >= 2 and record["usable_floors_label"] for record in flood)


def test_three_forms_of_todas_sites_say_the_same() -> None:
    def said(name: str) -> list[Any]:
        keys = ("common_id", "name", "location", "hazards", "usable_floors", "address")
        return [[record.get(key) for key in keys] for record in real(name).records]

    json_form = said("gsi_json/emergency/112241_toda.json")
    assert json_form == said("derived/toda_gsi_emergency_utf8bom.csv") == said("derived/toda_standard_cp932.csv")


def test_the_one_wrong_digit_of_echizen_is_found() -> None:
    (fault,) = real("csv/echizen_hinanjo_bom.csv").report.faults
    assert (fault.line, fault.field, fault.value) == (13, "longitude", "169.183412")
    assert isinstance(fault, Fault)


@pytest.mark.parametrize("name", ["111015_unavailable.json", "131199_itabashi.json"])
def test_a_list_that_is_not_published_says_so(name: str) -> None:
    with pytest.raises(BadFile, match="not published"):
        real(f"gsi_json/evacuation/{name}")


def test_the_invented_citys_list_keeps_ids_floors_and_places() -> None:
    import hazard_data

    path = Path(hazard_data.__file__).with_name("shelters.json")
    found = shelters.read(Dataset(path, path.name))
    wanted = json.loads(path.read_text("utf-8"))["shelters"]
    assert [record["id"] for record in found.records] == [row["id"] for row in wanted]
    assert found.about["source"] == "訓練用(架空)" and not found.report.faults
    for record, row in zip(found.records, wanted, strict=True):
        assert sum(record["capacity_by_floor"].values()) == row["capacity"]
        assert [f"{floor}F" for floor in record["usable_floors"]] == row["usable_floors"]
        assert (record["facility"], record["district"]) == (row["kind"], row["district"])
