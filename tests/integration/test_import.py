"""`import` by the command line: official files with their known counts, and files that nobody should take."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import hazard_data
from tests.integration.cluster import NodeProcess
from tests.shared_data import shared_data

CITY = Path(hazard_data.__file__).parent
FLOOD = CITY / "flood_depth.geojson"

# What PROVENANCE says of each official file: (kind, file, read, accepted).
OFFICIAL = [
    ("hazard", "flood/derived/toda_A31b-20-23_style.geojson", 1039),
    ("hazard", "flood/derived/A31a-20-23_11_derived_toda_SHP_cp932.zip", 1039),
    ("hazard", "flood/derived/A31-12_18_derived_echizen_west.xml", 286),
    ("hazard", "flood/derived/A31-12_18_derived_echizen_west_SHP_cp932.zip", 286),
    ("hazard", "flood/echizen_shp_kml.zip", 4),
    ("shelters", "shelters/gsi_json/emergency/112241_toda.json", 57),
    ("shelters", "shelters/gsi_json/evacuation/112241_toda.json", 34),
    ("shelters", "shelters/derived/toda_gsi_emergency_utf8bom.csv", 57),
    ("shelters", "shelters/derived/toda_standard_cp932.csv", 57),
    ("shelters", "shelters/csv/hachioji_hinanbasho.csv", 150),
    ("shelters", "shelters/csv/echizen_hinanjo_bom.csv", 28),
    ("shelters", "shelters/csv/nanao_open_2024-01-09-1800.csv", 29),
    ("boundary", "boundary/11224.json", 1),
    ("boundary", "boundary/N03-21_11_210101_s0010.json", 72),
    ("basemap", "tiles/stamen_toner_raster_z3.pmtiles", 85),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> NodeProcess:
    node = NodeProcess("hub", tmp_path_factory.mktemp("import") / "hub")
    node.command("init", "--role", "hub", "--name", "本部", "--json")
    return node


def layers(node: NodeProcess) -> dict[str, Any]:
    return {"digest": node.json("digest")["public"]}


@pytest.mark.deep
@pytest.mark.parametrize(("kind", "name", "count"), OFFICIAL)
def test_every_record_of_an_official_file_is_read(hub: NodeProcess, kind: str, name: str, count: int) -> None:
    report = hub.json("import", kind, str(shared_data() / name), "--dry-run")
    assert (report["read"], report["accepted"], report["skipped"]) == (count, count, 0)


def test_the_same_file_again_changes_nothing_and_a_dry_run_neither(hub: NodeProcess) -> None:
    first = hub.json("import", "hazard", str(FLOOD))
    assert first["accepted"] == first["read"] == 47
    before = layers(hub)
    hub.json("import", "hazard", str(FLOOD))
    hub.json("import", "boundary", str(CITY / "boundary.geojson"), "--dry-run")
    assert layers(hub) == before


def test_shelters_are_written_once(hub: NodeProcess, tmp_path: Path) -> None:
    listed = tmp_path / "shelters.csv"
    rows = ["名称,住所,緯度,経度", "葦原小学校,葦原市本郷1丁目,31.5201,136.0202", "合計,,,"]
    listed.write_bytes("\r\n".join(rows).encode("cp932"))
    first, second = hub.json("import", "shelters", str(listed)), hub.json("import", "shelters", str(listed))
    assert (first["created"], second["created"], second["unchanged"]) == (1, 0, 1)


def _zip(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in members.items():
            packed.writestr(name.replace("__", "."), data)
    return path


def _bad(folder: Path) -> dict[str, tuple[str, Path]]:
    """Files that must be refused, made here: what is wrong with each → (kind, path)."""

    def feature(points: list[list[float]]) -> bytes:
        polygon = {"type": "Polygon", "coordinates": [points]}
        item = {"type": "Feature", "properties": {"A31b_201": 3}, "geometry": polygon}
        return json.dumps({"type": "FeatureCollection", "features": [item]}).encode()

    def written(name: str, data: bytes) -> Path:
        path = folder / name
        path.write_bytes(data)
        return path

    return {
        "empty": ("hazard", written("empty.geojson", b"")),
        "no json": ("hazard", written("text.geojson", b"<html>not a map</html>")),
        "latitude 200": ("hazard", written("far.geojson", feature([[139, 200], [140, 200], [140, 201], [139, 200]]))),
        "no dbf": ("hazard", _zip(folder / "shp.zip", layer__shp=b"\0\0\x27\x0a" + b"\0" * 96)),
        "wrong magic": ("basemap", written("tiles.pmtiles", b"NotTiles" + b"\0" * 200)),
        "leaves its folder": ("hazard", _zip(folder / "up.zip", **{"../../evil__shp": b"x"})),
        "zip bomb": ("hazard", _bomb(folder / "bomb.zip")),
        "not there": ("hazard", folder / "nothing.zip"),
        "no shelters": ("shelters", written("shelters.csv", b"a,b\n1,2\n")),
    }


def _bomb(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("layer.geojson", b" " * (300 * 1024 * 1024))
    return path


def test_a_bad_file_gets_one_sentence_and_changes_nothing(hub: NodeProcess, tmp_path: Path) -> None:
    before = layers(hub)
    for what, (kind, path) in _bad(tmp_path).items():
        refused = hub.command("import", kind, str(path), check=False)
        lines = [line for line in refused.stderr.splitlines() if line.strip()]
        assert refused.returncode == 1, (what, refused.stdout, refused.stderr)
        assert len(lines) <= 1 and "Traceback" not in refused.stderr, (what, refused.stderr)
        assert lines or refused.stdout.strip(), what
    assert layers(hub) == before


def test_a_terminal_does_not_import_the_citys_own_data(tmp_path: Path) -> None:
    terminal = NodeProcess("terminal", tmp_path / "terminal")
    terminal.command("init", "--role", "terminal", "--name", "巡回", "--json")
    refused = terminal.command("import", "hazard", str(FLOOD), check=False)
    assert refused.returncode == 1 and "Import at the hub" in refused.stderr
