"""Shelters of a list against those of the node; layers of a file as the node takes them; the child and its limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

import hazard_data
from app.accounts import Accounts
from app.commands import import_
from app.errors import AppError, CommandFailed
from app.imports import run, shelters, take, work
from app.node import Node
from app.queries import row
from app.queries import shelters as shelter_lines
from app.queries.row import Where
from app.records import CITY
from app.records.shelters import NOUN
from maps.errors import BadFile
from tests.shared_data import shared_data

CITY_FILES = Path(hazard_data.__file__).parent
ROW: dict[str, Any] = {
    "line": 2,
    "name": "葦原小学校",
    "common_id": "E9999900001111",
    "location": [136.02, 31.52],
    "capacity": 300,
    "designations": ["evacuation"],
}


def kept(node: Node) -> list[row.Record]:
    return row.select(node.reader(), NOUN.kind, Where(), "ORDER BY name, id")


def vector(node: Node) -> dict[bytes, int]:
    return dict(node.published().vector)


def person(node: Node) -> str:
    return Accounts(node).add_user("佐久間", "commander", "a-long-enough-passphrase").id


def edited(node: Node, **fields: Any) -> None:
    """What a person at HQ does on the page."""
    (record,) = kept(node)
    seen = node.versions("shelters", CITY, record.id)
    node.write([NOUN.edit(uuid.UUID(record.id), CITY, fields, seen)], person(node))


def test_a_list_is_written_once_and_the_same_list_again_writes_nothing(hub: Node) -> None:
    rows = [ROW, {**ROW, "line": 3, "name": "本郷小学校", "common_id": "E9999900002111", "location": [136.03, 31.52]}]
    assert shelters.take(hub, rows) == {"created": 2, "changed": 0, "unchanged": 0, "faults": []}
    before = vector(hub)
    assert shelters.take(hub, rows) == {"created": 0, "changed": 0, "unchanged": 2, "faults": []}
    assert vector(hub) == before


def test_a_dry_run_compares_and_writes_nothing(hub: Node) -> None:
    before = vector(hub)
    assert shelters.take(hub, [ROW], dry_run=True)["created"] == 1
    assert kept(hub) == [] and vector(hub) == before


def test_a_list_that_brings_a_new_value_changes_that_field_only(hub: Node) -> None:
    shelters.take(hub, [ROW])
    edited(hub, phone="048-000-0000")
    assert shelters.take(hub, [{**ROW, "capacity": 280}])["changed"] == 1
    (record,) = kept(hub)
    assert (record["capacity"], record["phone"], record.conflicts) == (280, "048-000-0000", 0)


def test_what_a_person_changed_here_since_stays_and_is_told(hub: Node) -> None:
    shelters.take(hub, [ROW])
    edited(hub, capacity=120)
    before = vector(hub)
    found = shelters.take(hub, [ROW])
    assert (found["changed"], found["unchanged"], kept(hub)[0]["capacity"]) == (0, 1, 120)
    (fault,) = found["faults"]
    assert (fault["line"], fault["field"], fault["value"], fault["proposal"]) == (2, "capacity", "120", "300")
    assert "changed here since" in fault["problem"] and vector(hub) == before
    assert shelters.take(hub, [{**ROW, "capacity": 310}])["changed"] == 1
    assert kept(hub)[0]["capacity"] == 310


def test_without_an_id_a_shelter_is_known_by_its_name_in_its_place(hub: Node) -> None:
    shelters.take(hub, [ROW])
    plain = {"line": 2, "name": "葦原　小学校", "location": [136.0203, 31.5202], "address": "葦原市本郷"}
    assert shelters.take(hub, [plain])["changed"] == 1
    assert shelters.take(hub, [{**plain, "location": [136.05, 31.53]}])["created"] == 1
    assert len(kept(hub)) == 2


def test_an_emergency_site_and_a_shelter_of_one_name_and_place_are_one_building_that_is_both(hub: Node) -> None:
    shelters.take(hub, [ROW])
    site = {**ROW, "common_id": "E9999900001201", "designations": ["emergency"], "hazards": ["flood"]}
    assert shelters.take(hub, [site])["changed"] == 1
    assert shelters.take(hub, [site])["unchanged"] == shelters.take(hub, [ROW])["unchanged"] == 1
    (record,) = kept(hub)
    assert record["designations"] == ["emergency", "evacuation"] and record["hazards"] == ["flood"]
    assert record["common_id"] == "E9999900001111"


def test_two_ids_of_one_list_are_two_shelters_also_under_one_name(hub: Node) -> None:
    other = {**ROW, "common_id": "E9999900001112"}
    assert shelters.take(hub, [ROW, other])["created"] == 2


def test_the_id_of_the_file_is_kept_unless_a_removed_record_had_it(hub: Node) -> None:
    given = str(uuid7())
    shelters.take(hub, [{**ROW, "id": given}])
    assert kept(hub)[0].id == given


def test_a_row_the_records_refuse_is_a_fault_and_the_others_are_written(hub: Node) -> None:
    found = shelters.take(hub, [{**ROW, "capacity": -5}, {**ROW, "line": 3, "name": "本郷小学校", "common_id": None}])
    assert found["created"] == 1 and [(fault["line"], fault["field"]) for fault in found["faults"]] == [(2, "capacity")]


def test_more_rows_than_one_write_takes_are_all_written(hub: Node) -> None:
    rows = [{"line": number, "name": f"学校{number}"} for number in range(shelters.ROWS_A_WRITE + 5)]
    assert shelters.take(hub, rows)["created"] == len(kept(hub)) == len(rows)


def test_the_two_official_lists_of_toda_are_one_set_of_shelters(hub: Node, tmp_path: Path) -> None:
    counts = []
    for name in ("emergency", "evacuation", "emergency"):
        path = shared_data("shelters", "gsi_json", name, "112241_toda.json")
        folder = tmp_path / str(len(counts))
        folder.mkdir()
        result = imported("shelters", path, folder)
        counts.append(take.take(hub, [], Path(result["shelters"]))["created"])
    assert counts[0] == 57 and counts[2] == 0 and sum(counts) == len(kept(hub))


# -- layers ------------------------------------------------------------------------------------------


def imported(what: str, path: Path, folder: Path, **said: Any) -> dict[str, Any]:
    city, force, tiles = said.pop("city", None), said.pop("force", False), said.pop("tiles", False)
    return work.imported(work.Asked(what, path, folder, said, city, force, tiles, lambda *_: None))


def test_a_layer_is_published_with_what_the_file_says_of_itself(hub: Node, tmp_path: Path) -> None:
    result = imported("hazard", CITY_FILES / "flood_depth.geojson", tmp_path)
    take.take(hub, result["layers"], None)
    (layer,) = hub.layers.in_use()
    assert (layer.key, layer.title) == ("flood_depth:max:-", "大葦川 洪水浸水想定(最大規模)")
    assert (layer.source, layer.data_date, layer.drill, layer.rivers) == (
        "訓練用(架空)",
        "2017-03-31",
        True,
        ("大葦川",),
    )
    before = vector(hub)
    take.take(hub, result["layers"], None)
    assert vector(hub) == before


def test_a_persons_word_wins_over_the_file_and_the_credit_of_the_source_is_due(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "properties": {"A31b_201": 3},
        "geometry": json.loads((CITY_FILES / "flood_depth.geojson").read_text("utf-8"))["features"][0]["geometry"],
    }
    path = tmp_path / "A31b-20-23_10_5235.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    (plain,) = imported("hazard", path, tmp_path)["layers"]
    assert "国土数値情報" in plain["fields"]["credit"] and plain["fields"]["licence"] == "CC BY 4.0"
    assert plain["fields"]["title"] == "洪水浸水想定区域(想定最大規模)" and not plain["fields"]["drill"]
    (said,) = imported("hazard", path, tmp_path, title="別名", scenario="plan", group="大葦川", credit="市")["layers"]
    assert (said["fields"]["key"], said["fields"]["title"]) == ("flood_depth:plan:大葦川", "別名")
    assert (said["fields"]["credit"], said["fields"]["default_on"]) == ("市", False)


def test_the_layer_of_another_city_is_refused_unless_it_is_forced(tmp_path: Path) -> None:
    toda = (139.62, 35.79, 139.70, 35.84)
    for what, name in (
        ("hazard", "flood_depth.geojson"),
        ("basemap", "basemap.pmtiles"),
        ("shelters", "shelters.json"),
    ):
        with pytest.raises(BadFile, match="city"):
            imported(what, CITY_FILES / name, tmp_path, city=toda)
    assert imported("hazard", CITY_FILES / "flood_depth.geojson", tmp_path, city=toda, force=True, tiles=True)["layers"]


def test_what_lies_far_from_the_city_is_left_out_and_counted(tmp_path: Path) -> None:
    def area(west: float) -> dict[str, Any]:
        ring = [[west, 35.8], [west + 0.01, 35.8], [west + 0.01, 35.81], [west, 35.8]]
        return {"type": "Feature", "properties": {"rank": 2}, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    path = tmp_path / "prefecture.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [area(139.6), area(139.68), area(140.2)]}))
    result = imported("hazard", path, tmp_path, city=(139.6, 35.79, 139.62, 35.82))
    assert result["layers"][0]["fields"]["bbox"][2] == pytest.approx(139.69)
    assert any("1 areas lie more than 10 km" in fault["problem"] for fault in result["report"]["faults"])
    whole = imported("hazard", path, tmp_path, city=(139.6, 35.79, 139.62, 35.82), force=True)
    assert whole["layers"][0]["fields"]["bbox"][2] == pytest.approx(140.21)


def test_of_a_layer_in_two_forms_one_is_used_and_the_other_told(tmp_path: Path) -> None:
    result = imported("hazard", shared_data("flood", "echizen_shp_kml.zip"), tmp_path)
    assert (result["report"]["read"], result["report"]["accepted"], len(result["layers"])) == (4, 4, 1)
    assert any("another form" in fault["problem"] for fault in result["report"]["faults"])


def test_a_file_that_says_nothing_of_a_hazard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="says anything of a hazard"):
        imported("hazard", CITY_FILES / "boundary.geojson", tmp_path)


def test_the_city_lies_where_its_boundaries_are(hub: Node, tmp_path: Path) -> None:
    assert take.city(hub) is None
    take.take(hub, imported("boundary", CITY_FILES / "boundary.geojson", tmp_path)["layers"], None)
    assert take.city(hub) == pytest.approx([135.9995, 31.5005, 136.0638, 31.5369], abs=0.001)


def test_a_terminal_may_not_and_its_layers_stay_as_they_were(open_node: Callable[[str], Node], tmp_path: Path) -> None:
    terminal = open_node("terminal")
    result = imported("hazard", CITY_FILES / "collapse_zone.geojson", tmp_path)
    with pytest.raises(CommandFailed, match="may not"):
        take.take(terminal, result["layers"], None)
    assert terminal.layers.in_use() == [] and import_.perform(terminal, "ask") == {"may": False, "city": None}


# -- the child ---------------------------------------------------------------------------------------


def test_the_child_gives_files_that_are_gone_after_the_block() -> None:
    steps: list[str] = []
    with run.made(
        "hazard", CITY_FILES / "collapse_zone.geojson", {}, on_progress=lambda what, done, of: steps.append(what)
    ) as result:
        paths = [Path(file["path"]) for layer in result["layers"] for file in layer["files"]]
        assert paths and all(path.exists() for path in paths)
        assert paths[0].parent.stat().st_mode & 0o77 == 0
    assert not paths[0].parent.exists() and {"reading", "parts", "tiles"} <= set(steps)


def test_a_file_that_takes_more_memory_than_it_is_given_ends_the_child_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "MEMORY_MB", 700)
    path = tmp_path / "large.geojson"
    feature = (CITY_FILES / "flood_depth.geojson").read_text("utf-8").splitlines()[1].rstrip(",")
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [' + feature)
        for _ in range(20_000):
            file.write("," + feature)
        file.write("]}")
    with pytest.raises(AppError) as refused, run.made("hazard", path, {}):
        pass
    assert refused.value.hint


def test_the_refusal_of_a_file_reaches_the_person_as_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.geojson"
    path.write_text("<html></html>")
    with pytest.raises(AppError, match=r"x\.geojson cannot be read") as refused, run.made("hazard", path, {}):
        pass
    assert refused.value.code == "unreadable" and refused.value.hint


def test_what_an_ended_import_left_is_swept_and_what_a_running_one_has_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    left, mine, other = (
        tmp_path / name for name in (f"{run.FOLDER}{ended.pid}-a", f"{run.FOLDER}{os.getpid()}-b", "x")
    )
    for folder in (left, mine, other):
        folder.mkdir()
    (left / "unpacked.shp").write_bytes(b"x")
    with pytest.raises(AppError), run.made("hazard", tmp_path / "none.geojson", {}):
        pytest.fail("there is no such file")
    assert (left.exists(), mine.exists(), other.exists()) == (False, True, True)


@pytest.mark.parametrize("lists", [("emergency", "evacuation"), ("evacuation", "emergency")])
def test_the_two_real_lists_of_toda_are_its_34_shelters_and_5_places_outdoors(
    hub: Node, tmp_path: Path, lists: tuple[str, str]
) -> None:
    for name in lists:
        path = shared_data("shelters", "gsi_json", name, "112241_toda.json")
        (tmp_path / name).mkdir()
        found = imported("shelters", path, tmp_path / name)
        take.take(hub, [], Path(found["shelters"]))
    lines = shelter_lines.listed(hub.reader(), str(uuid7()))
    outdoors = [line for line in lines if line.shelter["designations"] == ["emergency"]]
    assert (len(lines), len(outdoors), sum(len(line.sites) for line in lines)) == (39, 5, 52)
    assert sum(1 for line in lines if line.shelter["usable_floors"]) == 31
