"""Packages of tiles from elsewhere: what is taken, what MBTiles become, and what is refused in one sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

import hazard_data
from maps.errors import BadFile
from maps.tiles import packages
from tests.shared_data import shared_data

OURS = Path(hazard_data.__file__).with_name("basemap.pmtiles")


def png(size: int = 8) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (size, size), "white").save(out, "PNG")
    return out.getvalue()


def mbtiles(path: Path, tiles: dict[tuple[int, int, int], bytes], kind: str = "png") -> Path:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        db.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        meta = {"format": kind, "name": "航空写真", "bounds": "139.6,35.7,139.7,35.9", "attribution": "戸田市"}
        db.executemany("INSERT INTO metadata VALUES (?, ?)", meta.items())
        db.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", [(*place, data) for place, data in tiles.items()])
        db.commit()
    return path


def converted(path: Path) -> packages.Package:
    target = path.with_suffix(".pmtiles")
    packages.from_mbtiles(path, target, path.name)
    return packages.tested(target, path.name)


def changed(tmp_path: Path, at: int, data: bytes) -> Path:
    path = tmp_path / "changed.pmtiles"
    whole = bytearray(OURS.read_bytes())
    whole[at : at + len(data)] = data
    path.write_bytes(bytes(whole))
    return path


def test_raster_mbtiles_become_pmtiles_with_rows_from_the_north(tmp_path: Path) -> None:
    from pmtiles.reader import MmapSource, Reader

    path = mbtiles(tmp_path / "photo.mbtiles", {(1, 0, 1): png(8), (1, 1, 0): png(16), (0, 0, 0): png(4)})
    package = converted(path)
    assert package.raster and package.zooms == (0, 1) and (package.tiles, package.tested) == (3, 3)
    assert package.bounds == pytest.approx((139.6, 35.7, 139.7, 35.9)) and package.attribution == "戸田市"
    with path.with_suffix(".pmtiles").open("rb") as file:
        reader = Reader(MmapSource(file))
        assert reader.get(1, 0, 0) == png(8) and reader.get(1, 1, 1) == png(16)
        assert reader.get(1, 0, 1) is None


def test_vector_mbtiles_are_squeezed_once(tmp_path: Path) -> None:
    tile = b"\x1a\x08\x0a\x04data\x78\x02"
    for data in (tile, gzip.compress(tile)):
        path = mbtiles(tmp_path / f"{len(data)}.mbtiles", {(0, 0, 0): data}, "pbf")
        assert converted(path).layers == ("data",)


def test_real_packages_pass_the_test() -> None:
    raster = packages.tested(shared_data("tiles", "stamen_toner_raster_z3.pmtiles"), "toner")
    assert (raster.tile_type, raster.zooms, raster.tiles) == ("png", (0, 3), 85)
    vector = packages.tested(shared_data("tiles", "test_fixture_1.pmtiles"), "fixture")
    assert (vector.tile_type, vector.zooms, vector.tiles, vector.ours) == ("mvt", (0, 0), 1, False)


@pytest.mark.parametrize(
    ("at", "data", "code"),
    [
        (0, b"PNGiles", "wrong_magic"),
        (7, b"\x02", "old_package"),
        (16, b"\xff\xff\xff\xff\xff\x00\x00\x00", "truncated"),
        (99, b"\x00", "unknown_tiles"),
        (127, b"\x00" * 100, "bad_package"),
    ],
)
def test_a_package_with_a_wrong_head_or_directory_is_refused(tmp_path: Path, at: int, data: bytes, code: str) -> None:
    with pytest.raises(BadFile) as refused:
        packages.tested(changed(tmp_path, at, data), "x.pmtiles")
    assert refused.value.code == code and refused.value.hint


@pytest.mark.parametrize("size", [5, 100, 2_000, -5_000])
def test_a_package_that_is_cut_off_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.pmtiles"
    path.write_bytes(OURS.read_bytes()[:size])
    with pytest.raises(BadFile):
        packages.tested(path, "cut.pmtiles")


def test_tiles_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    start = int.from_bytes(OURS.read_bytes()[56:64], "little")
    with pytest.raises(BadFile) as refused:
        packages.tested(changed(tmp_path, start, b"\x00" * 70_000), "x.pmtiles")
    assert refused.value.code == "bad_tile"


@pytest.mark.parametrize("tile", [b"<svg/>", b"\x89PNG\r\n\x1a\nbroken", b"GIF89a", b""])
def test_a_picture_that_is_none_is_refused(tmp_path: Path, tile: bytes) -> None:
    with pytest.raises(BadFile):
        converted(mbtiles(tmp_path / "x.mbtiles", {(0, 0, 0): tile}))


@pytest.mark.parametrize("data", [b"not sqlite", b"SQLite format 3\0" + b"\0" * 200])
def test_mbtiles_that_are_none_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.mbtiles"
    path.write_bytes(data)
    with pytest.raises(BadFile):
        converted(path)


def test_mbtiles_without_a_tile_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="no tile"):
        converted(mbtiles(tmp_path / "x.mbtiles", {}))
