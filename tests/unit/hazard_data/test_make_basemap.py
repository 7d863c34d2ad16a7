"""The embedded basemap is small, is what a fresh run makes, and holds what our paint rules draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from hazard_data import make_basemap
from maps.tiles import packages


def test_a_fresh_run_gives_the_same_tiles_and_the_same_bytes_twice(tmp_path: Path) -> None:
    one, two = tmp_path / "one.pmtiles", tmp_path / "two.pmtiles"
    make_basemap.write(one)
    make_basemap.write(two)
    assert one.read_bytes() == two.read_bytes()
    assert packages.tested(one, "one") == packages.tested(make_basemap.FILE, "basemap")


def test_the_basemap_is_small_and_drawn_by_our_own_rules() -> None:
    package = packages.tested(make_basemap.FILE, "basemap")
    assert make_basemap.FILE.stat().st_size < make_basemap.BYTES_MAX
    assert package.ours and package.zooms == (8, 15) and package.tiles > 50


def test_the_check_notices_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from maps.tiles import make

    other = tmp_path / "other.pmtiles"
    with monkeypatch.context() as patch:
        patch.setattr(make, "ZOOM_MAX", 12)
        make_basemap.write(other)
    monkeypatch.setattr("sys.argv", ["make_basemap", "--check", "--out", str(other)])
    assert make_basemap.main() == 1
    assert "other tiles" in capsys.readouterr().err
