"""What is shipped: the wheel holds the pages' packages, their licences and the hazard data."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "app/static/vendor"


def manifest() -> dict[str, str]:
    entries: dict[str, str] = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    return entries


def test_every_browser_package_is_present_with_its_licence() -> None:
    for path in manifest().values():
        assert (VENDOR / path).is_file()
        assert list((VENDOR / path).parent.glob("*LICEN*")), f"{path} lies there without its licence"


def test_the_browser_packages_are_those_of_the_lock_file() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    locked = {
        f"{name.removeprefix('node_modules/').rsplit('/', 1)[-1]}-{package['version']}"
        for name, package in lock["packages"].items()
        if name
    }
    assert {path.split("/")[0] for path in manifest().values()} <= locked


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_the_wheel_holds_what_a_node_needs(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"app/static/vendor/{path}" for path in manifest().values()} <= names
    assert "app/static/vendor/manifest.json" in names
    assert {"hazard_data/README.md", "hazard_data/basemap.pmtiles"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]
